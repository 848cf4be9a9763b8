/** Connections from sockets that somebody else makes: bound to an interface, and never from any other. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CulvertError } from '#shared/failure.ts';
import { Native } from '../../../electron/engine/native.ts';
import { ChainDialler } from '../../../electron/engine/upstream/chain.ts';
import { dial, dialDirect } from '../../../electron/engine/upstream/dial.ts';
import { destinationOf } from '../../../electron/engine/upstream/destination.ts';
import { afterRequest, delay, failureFrom, granted, listen, withProxy } from './scripted-proxy.ts';

let native: Native;
let server: Server;
let port = 0;
const families: number[] = [];

/** The interface to which the socket of a connection is bound is not told by Node; here the maker is watched. */
function socketFor(family: 4 | 6): number {
  families.push(family);
  return native.tcpSocketOn(family, 'lo');
}

beforeAll(async () => {
  native = new Native(join(import.meta.dirname, '../../../dist'));
  server = createServer((socket) => socket.on('error', () => undefined).end('hello'));
  port = await listen(server);
});
afterAll(() => {
  native.stopWatching();
  server.close();
});

async function readAll(socket: Socket): Promise<string> {
  let got = '';
  socket.on('data', (chunk: Buffer) => (got += chunk.toString()));
  socket.resume();
  await once(socket, 'end');
  socket.destroy();
  return got;
}

describe('a connection from a bound socket', () => {
  it('is made directly, to an address and to a name, whose addresses are tried in turn', async () => {
    for (const host of ['127.0.0.1', 'localhost']) {
      families.length = 0;
      const { socket, early } = await dialDirect(destinationOf(host, port), { socketFor });
      expect(early.toString() + (await readAll(socket))).toBe('hello');
      expect(families.at(-1)).toBe(4);
    }
  });

  it('leaves later bytes to the kernel', async () => {
    await withProxy(
      afterRequest(async (client) => {
        await client.write(granted);
        await delay(30);
        await client.write(Buffer.alloc(1000));
      }),
      async (proxyPort) => {
        const upstream = { kind: 'socks5', host: '127.0.0.1', port: proxyPort } as const;
        const { socket, early } = await dial(upstream, destinationOf('192.0.2.1', 80), { socketFor });
        const { bytesRead } = socket;
        await delay(80);
        expect([socket.bytesRead - bytesRead, early.length]).toEqual([0, 0]);
        socket.destroy();
      },
    );
  });

  it('is refused as any other', async () => {
    const closed = createServer();
    const closedPort = await listen(closed);
    await new Promise((resolve) => closed.close(resolve));
    const failure = await failureFrom(dialDirect(destinationOf('127.0.0.1', closedPort), { socketFor }));
    expect(failure).toEqual({
      code: 'destination-unreachable',
      detail: `127.0.0.1:${closedPort}: connection refused`,
    });
  });

  it('is not made at all when the interface is not there', async () => {
    const chain = new ChainDialler(
      { mode: 'dynamic', upstreams: [{ kind: 'socks5', host: '127.0.0.1', port }], egress: 'nowhere0' },
      { tcpSocketOn: (family, device) => native.tcpSocketOn(family, device) },
    );
    const failure = await failureFrom(chain.dial(destinationOf('192.0.2.1', 80)));
    expect(failure).toMatchObject({ code: 'egress-missing' });
  });

  it('can be given up while it is under way, or while its name is looked up', async () => {
    for (const host of ['192.0.2.77', 'localhost']) {
      const controller = new AbortController();
      const signal = controller.signal;
      const dialled = dialDirect(destinationOf(host, 9), { socketFor, signal });
      controller.abort(new Error('enough'));
      await expect(dialled).rejects.toThrow('enough');
    }
  });

  it('passes on whatever the maker of sockets throws', async () => {
    const failure = await failureFrom(
      dialDirect(destinationOf('127.0.0.1', port), {
        socketFor: () => {
          throw new CulvertError('engine-limit', { detail: 'EMFILE' });
        },
      }),
    );
    expect(failure.code).toBe('engine-limit');
  });
});
