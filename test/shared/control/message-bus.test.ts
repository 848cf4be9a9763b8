import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MessageBus, ofBus } from '../../../electron/shared/control/message-bus.ts';
import { until } from '../../world/until.ts';
import { signedIn, spokenBus } from './spoken-bus.ts';

let dir: string;
let server: Server | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'culvert-bus-'));
});
afterEach(() => {
  server?.close();
  server = undefined;
  rmSync(dir, { recursive: true });
});

/** A bus that lets sign in and then answers calls, by the names of their members. */
async function busThat(
  answer: (member: 'AUTH' | 'Hello' | 'GetId') => Uint8Array | undefined,
): Promise<NodeJS.ProcessEnv> {
  const spoken = await spokenBus(join(dir, 'bus'), (heard) => {
    const member = (['AUTH', 'Hello', 'GetId'] as const).find((name) => heard.includes(name));
    return member === undefined ? undefined : answer(member);
  });
  server = spoken.server;
  return spoken.env;
}

/** A message with this body; an answer names the call that it answers in its one header field. */
function message(kind: 'answer' | 'signal', replySerial: number, body: Buffer): Buffer {
  const fixed = Buffer.from([0x6c, kind === 'answer' ? 2 : 4, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0]);
  fixed.writeUInt32LE(body.length, 4);
  return Buffer.concat([fixed, Buffer.from([5, 1, 0x75, 0, replySerial, 0, 0, 0]), body]);
}

const hello = message('answer', 1, Buffer.alloc(0));

test('a call is answered by its own answer, also when it comes in pieces and after a signal', async () => {
  const whole = Buffer.concat([
    message('signal', 0, Buffer.alloc(3)),
    message('answer', 2, Buffer.from('yes')),
  ]);
  let signals = 0;
  const answers = {
    AUTH: signedIn,
    Hello: Buffer.concat([hello, whole.subarray(0, 30)]),
    GetId: whole.subarray(30),
  };
  const bus = new MessageBus(await busThat((member) => answers[member]), () => (signals += 1));
  expect(await bus.begin()).toBe(true);
  expect(String(await bus.call(ofBus('GetId')))).toBe('yes');
  expect(signals).toBe(1);
  bus.close();
});

test.each([
  ['says nothing', () => undefined],
  ['lets sign in and then says nothing', (member: string) => (member === 'AUTH' ? signedIn : undefined)],
  ['ends no line', () => Buffer.alloc(100_000, 'OK ')],
  ['refuses', () => Buffer.from('REJECTED EXTERNAL\r\n')],
])('there is no bus where it %s, and that is known within a second', async (_, answer) => {
  let ends = 0;
  const bus = new MessageBus(await busThat(answer), undefined, () => (ends += 1));
  expect(await bus.begin()).toBe(false);
  await until('the end of the connection', () => ends === 1);
  expect(await bus.call(ofBus('GetId'))).toBeUndefined();
});

test('a message of more than 64 KiB ends the connection before it is all there', async () => {
  const long = message('answer', 2, Buffer.alloc(64 * 1024)).subarray(0, 100);
  const answers = { AUTH: signedIn, Hello: hello, GetId: long };
  let ends = 0;
  const bus = new MessageBus(await busThat((member) => answers[member]), undefined, () => (ends += 1));
  expect(await bus.begin()).toBe(true);
  expect(await bus.call(ofBus('GetId'))).toBeUndefined();
  expect(ends).toBe(1);
});

test('an address that is no socket of this computer is no bus, though there is another', async () => {
  const env = await busThat((member) => ({ AUTH: signedIn, Hello: hello, GetId: undefined })[member]);
  const begun = async (more: NodeJS.ProcessEnv) => {
    const bus = new MessageBus({ XDG_RUNTIME_DIR: dir, ...more });
    const isThere = await bus.begin();
    bus.close();
    return isThere;
  };
  expect(await begun({})).toBe(true);
  expect(
    await begun({ DBUS_SESSION_BUS_ADDRESS: `tcp:host=192.0.2.1;${env['DBUS_SESSION_BUS_ADDRESS']}` }),
  ).toBe(true);
  expect(await begun({ DBUS_SESSION_BUS_ADDRESS: 'tcp:host=192.0.2.1' })).toBe(false);
});
