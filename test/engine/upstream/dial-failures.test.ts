/** How dials fail: with which code, when, and with nothing left behind. */
import { spawn } from 'node:child_process';
import { once, getEventListeners } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Upstream, UpstreamKind } from '#shared/model.ts';
import { dial, dialDirect } from '../../../electron/engine/upstream/dial.ts';
import { destinationOf } from '../../../electron/engine/upstream/destination.ts';
import {
  afterRequest,
  delay,
  failureFrom,
  granted,
  greeted,
  listen,
  withProxy,
  type Conversation,
  type Script,
} from './scripted-proxy.ts';

const destination = destinationOf('198.51.100.7', 443);
const yes = 'HTTP/1.1 200 OK\r\n\r\n';

function upstream(port: number, kind: UpstreamKind = 'socks5', host = '127.0.0.1'): Upstream {
  return { kind, host, port };
}

/** Says `bytes` as SOCKS5 answers, each part when it is its turn: greeting, then the rest. */
const inTurn =
  (bytes: readonly number[], then: (client: Conversation) => Promise<void> | void): Script =>
  async (client) => {
    await client.read(3);
    await client.write(bytes.slice(0, 2));
    if (bytes.length >= 2) await client.read(10);
    await client.write(bytes.slice(2));
    await then(client);
  };

const dialogue = [...greeted, ...granted];
const everyCut = dialogue.map((_byte, index) => index);

function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

function activeSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => /^(TCP|Timeout)/.test(name)).length;
}

/** Waits until nothing more is open than before; fails with the figures otherwise. */
async function expectNothingLeft(before: { descriptors: number; active: number }): Promise<void> {
  const deadline = performance.now() + 3000;
  while (descriptors() > before.descriptors || activeSockets() > before.active) {
    if (performance.now() > deadline) {
      expect({ descriptors: descriptors(), active: activeSockets() }).toEqual(before);
    }
    await delay(10);
  }
}

describe('a dial fails', () => {
  it('as unreachable when nothing listens', async () => {
    const server = createServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await failureFrom(dial(upstream(port), destination))).toEqual({
      code: 'proxy-unreachable',
      detail: `127.0.0.1:${port}: connection refused`,
    });
  });

  it.each(everyCut)('as closed when the proxy closes after %d bytes', async (cut) => {
    const script = inTurn(dialogue.slice(0, cut), (client) => void client.socket.end());
    const failure = await withProxy(script, (port) => failureFrom(dial(upstream(port), destination)));
    expect(failure.code).toBe('proxy-closed');
    expect(failure.detail).toBe(
      `closed while waiting for the answer to the ${cut < 2 ? 'greeting' : 'request'}`,
    );
  });

  it.each(everyCut)('as timed out when the proxy falls silent after %d bytes', async (cut) => {
    const script = inTurn(dialogue.slice(0, cut), (client) => client.gone());
    const start = performance.now();
    const failure = await withProxy(script, (port) =>
      failureFrom(dial(upstream(port), destination, { deadlineMs: 80 })),
    );
    expect(failure.code).toBe('proxy-timeout');
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it.each([0, 1, 2, 5, 11])('as closed when the proxy resets after %d bytes', async (cut) => {
    const script = inTurn(dialogue.slice(0, cut), (client) => void client.socket.resetAndDestroy());
    const failure = await withProxy(script, (port) => failureFrom(dial(upstream(port), destination)));
    expect(failure.code).toBe('proxy-closed');
  });

  it('not at one byte at a time', async () => {
    const script: Script = async (client) => {
      await client.read(3);
      for (const byte of greeted) await client.write([byte]).then(() => delay(3));
      await client.read(10);
      for (const byte of granted) await client.write([byte]).then(() => delay(3));
    };
    await withProxy(script, async (port) => {
      (await dial(upstream(port), destination, { deadlineMs: 5000 })).socket.destroy();
    });
  });

  it.each(['socks5', 'http'] as const)('at its one deadline when a %s proxy drips', async (kind) => {
    const drip: Script = async (client) => {
      await client.read(3);
      for (const byte of kind === 'http' ? Buffer.from(yes) : Buffer.from(dialogue)) {
        if (client.socket.destroyed) return;
        await client.write([byte]);
        await delay(100);
      }
    };
    const start = performance.now();
    const failure = await withProxy(drip, (port) =>
      failureFrom(dial(upstream(port, kind), destination, { deadlineMs: 350 })),
    );
    expect(failure.code).toBe('proxy-timeout');
    expect(performance.now() - start).toBeGreaterThan(340);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it('at a deadline on the caller’s clock', async () => {
    const options = { deadlineAt: 1000, now: () => 940 };
    const failure = await withProxy(
      () => undefined,
      (port) => failureFrom(dial(upstream(port), destination, options)),
    );
    expect(failure).toMatchObject({
      code: 'proxy-timeout',
      detail: expect.stringContaining('0.06 s') as string,
    });
  });

  it('in time when the connection itself is never answered', async () => {
    // A full backlog: the kernel drops further connection requests, as a black hole would.
    const hole = spawn('python3', [
      '-c',
      `import socket,time
s=socket.socket();s.bind(('127.0.0.1',0));s.listen(0);print(s.getsockname()[1],flush=True);time.sleep(60)`,
    ]);
    try {
      const port = Number(String(((await once(hole.stdout, 'data')) as [Buffer])[0]));
      const fillers = await Promise.all(
        [1, 2, 3].map(() =>
          dialDirect(destinationOf('127.0.0.1', port), { deadlineMs: 100 }).catch(() => undefined),
        ),
      );
      const before = { descriptors: descriptors(), active: activeSockets() };
      const failure = await failureFrom(dial(upstream(port), destination, { deadlineMs: 100 }));
      await expectNothingLeft(before);
      expect(failure).toEqual({
        code: 'proxy-timeout',
        detail: `nothing after 0.1 s, while connecting to 127.0.0.1:${port}`,
      });
      for (const filler of fillers) filler?.socket.destroy();
    } finally {
      hole.kill();
    }
  });

  it('with the reason of its signal, before, while and after connecting, and never listens on', async () => {
    await withProxy(
      (client) => client.gone(),
      async (port) => {
        const reason = new Error('the app has gone');
        await expect(dial(upstream(port), destination, { signal: AbortSignal.abort(reason) })).rejects.toBe(
          reason,
        );
        for (const afterMs of [0, 50]) {
          const controller = new AbortController();
          const dialling = dial(upstream(port), destination, { signal: controller.signal });
          if (afterMs > 0) await delay(afterMs);
          controller.abort(reason);
          await expect(dialling).rejects.toBe(reason);
          expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
        }
      },
    );
  });

  it('not when the signal comes after the success', async () => {
    await withProxy(
      afterRequest((client) => client.write(granted)),
      async (port) => {
        const controller = new AbortController();
        const { socket } = await dial(upstream(port), destination, { signal: controller.signal });
        controller.abort();
        expect(socket.destroyed).toBe(false);
        socket.destroy();
      },
    );
  });
});

describe('a thousand failures', () => {
  const refused: Script = afterRequest((client) => client.write([5, 5, 0, 1, 0, 0, 0, 0, 0, 0]));
  const cases: readonly (readonly [string, UpstreamKind, Script, string])[] = [
    ['refusals', 'socks5', refused, 'proxy-refused'],
    ['greetings of garbage', 'socks5', (client) => client.write('SSH-2.0-x\r\n'), 'proxy-protocol-error'],
    ['early ends', 'socks5', inTurn(greeted, (client) => void client.socket.end()), 'proxy-closed'],
    ['resets', 'socks5', inTurn(greeted, (client) => void client.socket.resetAndDestroy()), 'proxy-closed'],
    ['silences', 'socks5', (client) => client.gone(), 'proxy-timeout'],
    [
      'heads without end',
      'http',
      (client) => client.write(`HTTP/1.1 200 ${'x'.repeat(20_000)}`),
      'proxy-protocol-error',
    ],
    ['sign-ins', 'http', (client) => client.write('HTTP/1.1 407 No\r\n\r\n'), 'proxy-sign-in-refused'],
  ];

  it.each(cases)('leaves nothing: %s', async (_what, kind, script, code) => {
    const before = { descriptors: descriptors(), active: activeSockets() };
    await withProxy(script, async (port) => {
      const fail = async () => {
        const failure = await failureFrom(
          dial(upstream(port, kind), destination, { deadlineMs: code === 'proxy-timeout' ? 50 : 10_000 }),
        );
        expect(failure.code).toBe(code);
      };
      for (let round = 0; round < 20; round += 1) await Promise.all(Array.from({ length: 50 }, fail));
    });
    await expectNothingLeft(before);
  });

  it('leaves nothing: nobody listening', async () => {
    const before = { descriptors: descriptors(), active: activeSockets() };
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(Array.from({ length: 50 }, () => failureFrom(dial(upstream(1), destination))));
    }
    await expectNothingLeft(before);
  });
});
