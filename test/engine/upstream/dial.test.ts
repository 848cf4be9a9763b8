/** What a dial hands over: the socket, unread, and every byte. */
import { once } from 'node:events';
import { createServer, Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Upstream, UpstreamKind } from '#shared/model.ts';
import { dial, dialDirect } from '../../../electron/engine/upstream/dial.ts';
import { destinationOf } from '../../../electron/engine/upstream/destination.ts';
import {
  afterRequest,
  delay,
  failureFrom,
  granted,
  listen,
  withProxy,
  type Script,
} from './scripted-proxy.ts';

const destination = destinationOf('198.51.100.7', 443);
const yes = 'HTTP/1.1 200 OK\r\n\r\n';

function upstream(port: number, kind: UpstreamKind = 'socks5', host = '127.0.0.1'): Upstream {
  return { kind, host, port };
}

/** Reads what comes on a dialled socket until it ends. */
async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.resume();
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

describe('a dialled socket', () => {
  it('has no listener of ours and is not reading', async () => {
    await withProxy(
      afterRequest((client) => client.write(granted)),
      async (port) => {
        const { socket } = await dial(upstream(port), destination);
        const untouched = new Socket();
        for (const event of [...socket.eventNames(), 'connect', 'error', 'end', 'close', 'data'] as const) {
          expect([event, socket.listenerCount(event)]).toEqual([event, untouched.listenerCount(event)]);
        }
        expect(socket.isPaused()).toBe(true);
        expect(socket.allowHalfOpen).toBe(true);
        socket.destroy();
      },
    );
  });

  it.each(['socks5', 'http'] as const)(
    'behind %s leaves later bytes to the kernel until it is resumed',
    async (kind) => {
      const late = Buffer.alloc(50_000, 'late ');
      const script: Script = async (client) => {
        await (kind === 'http' ? client.readUntil('\r\n\r\n') : afterRequest(() => undefined)(client));
        await client.write(kind === 'http' ? yes : granted);
        await delay(30);
        await client.write(late);
        client.socket.end();
      };
      await withProxy(script, async (port) => {
        const { socket, early } = await dial(upstream(port, kind), destination);
        const bytesRead = socket.bytesRead;
        await delay(100);
        expect(socket.bytesRead).toBe(bytesRead);
        expect(early.length).toBe(0);
        expect((await readAll(socket)).equals(late)).toBe(true);
        socket.destroy();
      });
    },
  );

  it('loses none of 100 KiB that come right with the answer', async () => {
    const data = Buffer.from(Array.from({ length: 100 * 1024 }, (_, index) => (index * 7) % 251));
    await withProxy(
      afterRequest(async (client) => {
        await client.write(Buffer.concat([Buffer.from(granted), data]));
        client.socket.end();
      }),
      async (port) => {
        const { socket, early } = await dial(upstream(port), destination);
        expect(early.length).toBeGreaterThan(0);
        expect(early.length).toBeLessThan(16 * 1024);
        socket.unshift(early);
        expect((await readAll(socket)).equals(data)).toBe(true);
        socket.destroy();
      },
    );
  });

  it('loses no byte wherever the segments of answer and data are cut', async () => {
    const kinds = fc.constantFrom<UpstreamKind>('socks5', 'http');
    await fc.assert(
      fc.asyncProperty(
        kinds,
        fc.uint8Array({ maxLength: 40 }),
        fc.array(fc.nat(), { maxLength: 4 }),
        async (kind, data, cuts) => {
          const whole = Buffer.concat([Buffer.from(kind === 'http' ? yes : Buffer.from(granted)), data]);
          const places = [...new Set([0, ...cuts.map((cut) => cut % whole.length), whole.length])].sort(
            (a, b) => a - b,
          );
          const answer: Script = async (client) => {
            for (const [index, place] of places.slice(1).entries()) {
              await client.write(whole.subarray(places[index], place));
              await delay(1);
            }
            client.socket.end();
          };
          const script: Script =
            kind === 'http'
              ? async (client) => (await client.readUntil('\r\n\r\n'), answer(client))
              : afterRequest(answer);
          await withProxy(script, async (port) => {
            const { socket, early } = await dial(upstream(port, kind), destination);
            expect(Buffer.concat([early, await readAll(socket)])).toEqual(Buffer.from(data));
            socket.destroy();
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('carries an end of the app’s while the other direction stays open', async () => {
    await withProxy(
      afterRequest(async (client) => {
        await client.write(granted);
        const got = await client.read(100);
        await client.write(Buffer.concat([Buffer.from('got '), got]));
        client.socket.end();
      }),
      async (port) => {
        const { socket } = await dial(upstream(port), destination);
        socket.end('bye');
        expect((await readAll(socket)).toString()).toBe('got bye');
      },
    );
  });
});

describe('a proxy given by name', () => {
  it('is reached at whichever of its addresses answers', async () => {
    await withProxy(
      afterRequest((client) => client.write([...granted, 1])),
      async (port) => {
        const { socket, early } = await dial(upstream(port, 'socks5', 'localhost'), destination);
        expect([...early]).toEqual([1]);
        socket.destroy();
      },
    );
  });

  it('that does not exist is unreachable, and the message says so', async () => {
    const failure = await failureFrom(dial(upstream(1080, 'socks5', 'no-such-proxy.invalid'), destination));
    expect(failure.code).toBe('proxy-unreachable');
    expect(failure.detail).toMatch(
      /^no-such-proxy\.invalid:1080: the name (was not found|could not be looked up)$/,
    );
  });
});

describe('a direct dial', () => {
  it('connects to an address and to a name, and reads nothing', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('speaks first');
    });
    const port = await listen(server);
    for (const host of ['127.0.0.1', 'localhost']) {
      const { socket, early } = await dialDirect(destinationOf(host, port));
      await delay(30);
      expect([early.length, socket.bytesRead]).toEqual([0, 0]);
      expect((await readAll(socket)).toString()).toBe('speaks first');
      socket.destroy();
    }
    await new Promise((resolve) => server.close(resolve));
  });

  it('that fails is no fault of a proxy', async () => {
    expect(await failureFrom(dialDirect(destinationOf('127.0.0.1', 1)))).toEqual({
      code: 'destination-unreachable',
      detail: '127.0.0.1:1: connection refused',
    });
    const unchecked = { host: 'a b', port: 1, kind: 'name' } as const;
    expect((await failureFrom(dialDirect(unchecked))).code).toBe('host-name-invalid');
  });
});
