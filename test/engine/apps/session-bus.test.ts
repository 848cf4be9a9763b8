import type { Server } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { isBusName, ownerOnBus } from '../../../electron/engine/apps/session-bus.ts';
import { signedIn, spokenBus } from '../../shared/control/spoken-bus.ts';
import { Home } from './home.ts';

let home: Home;
beforeEach(() => {
  home = new Home();
});
afterEach(() => {
  home[Symbol.dispose]();
});

describe('the question to the session’s bus', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  it('is answered with nobody where there is no bus, no name, or an address of another kind', async () => {
    for (const address of [
      'unix:path=/no/such',
      'tcp:host=192.0.2.1',
      'nonsense',
      '',
      'unix:abstract=culvert-none',
    ]) {
      expect(await ownerOnBus('org.example.App', { DBUS_SESSION_BUS_ADDRESS: address })).toBeUndefined();
    }
    expect(await ownerOnBus('org.example.App', {})).toBeUndefined();
    expect(await ownerOnBus('no name', home.env)).toBeUndefined();
  });

  it('ends within its second where the bus is silent', async () => {
    const silent = await spokenBus(home.path('run/hostile'), () => undefined);
    servers.push(silent.server);
    expect(await ownerOnBus('org.example.App', silent.env)).toBeUndefined();
  });

  it('is answered with nobody by whatever a bus may say', async () => {
    let noise: Uint8Array = new Uint8Array();
    const { env, server } = await spokenBus(home.path('run/hostile'), (_, count) =>
      count === 0 ? signedIn : noise,
    );
    servers.push(server);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 120, maxLength: 200 }), async (bytes) => {
        // The beginning of a little-endian reply, so that more than the first byte is looked at.
        const fixed = [
          0x6c,
          2,
          0,
          1,
          (bytes[0] ?? 0) % 60,
          0,
          0,
          0,
          1,
          0,
          0,
          0,
          (bytes[1] ?? 0) % 60,
          0,
          0,
          0,
        ];
        noise = Uint8Array.from([...fixed, ...bytes]);
        const found = await ownerOnBus('org.example.App', env);
        expect(found === undefined || Number.isInteger(found)).toBe(true);
      }),
      { numRuns: 8 },
    );
  });

  test.each([
    ['org.example.App', true],
    ['org.example.App-x_1', true],
    ['firefox', false],
    ['org.1example', false],
    ['org..x', false],
    [`a.${'b'.repeat(255)}`, false],
  ])('%s is a name: %s', (name, is) => {
    expect(isBusName(name)).toBe(is);
  });
});
