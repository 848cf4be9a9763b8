/** What an app has left to send when it ends, to a peer that is slow: the real pump, and a proxy that dallies. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { FakePool } from '../../../electron/engine/dns/fake-pool.ts';
import { FlowTable } from '../../../electron/engine/flows.ts';
import { Native } from '../../../electron/engine/native.ts';
import { Meanings } from '../../../electron/engine/relay/meanings.ts';
import { TcpFlows } from '../../../electron/engine/relay/tcp-flows.ts';
import { TcpRelay } from '../../../electron/engine/relay/tcp.ts';
import { ProxyWay } from '../../../electron/engine/ways/proxy-way.ts';
import { Native as Minting } from '../../../electron/helper/native.ts';

/** More than all socket buffers on the way hold (tcp_wmem, tcp_rmem). */
const bytes = 48 << 20;
const stillMs = 1000;
const product = join(import.meta.dirname, '../../../dist');
const native = new Native(product);
const table = new FlowTable(
  () => 0,
  () => undefined,
);
const flows = new TcpFlows(native.flows, table, 1, 1000);
const unsent = () => Promise.resolve({ ipv4: [], ipv6: [] });

let proxy: Server;
let relay: TcpRelay;
let app: Socket;
/** What has come through the proxy, and how it ended. */
let arrived: number;
let end: string | undefined;
/** Whether the proxy reads what it is to carry. */
let reads: boolean;

afterAll(() => {
  native.stopWatching();
});

/** A SOCKS5 server (RFC 1928) that takes half a mebibyte in 20 milliseconds, or nothing. */
async function carry(socket: Socket): Promise<void> {
  socket.on('end', () => (end ??= 'end'));
  socket.on('error', () => (end ??= 'reset'));
  const take = async (size: number) => {
    while (socket.readableLength < size && end === undefined) {
      socket.read(0);
      await once(socket, 'readable');
    }
    socket.read(size);
  };
  await take(3);
  socket.write(Uint8Array.of(5, 0));
  await take(10);
  socket.write(Uint8Array.of(5, 0, 0, 1, 127, 0, 0, 1, 0, 80));
  while (end === undefined) {
    await delay(20);
    for (let size = 0; reads && size < 1 << 19;) {
      const part = socket.read() as Buffer | null;
      if (part === null) break;
      size += part.length;
      arrived += part.length;
    }
  }
}

beforeEach(async () => {
  [arrived, end, reads] = [0, undefined, true];
  proxy = createServer({ pauseOnConnect: true, highWaterMark: 1 << 19 }, (socket) => void carry(socket));
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const upstream = {
    kind: 'socks5',
    host: '127.0.0.1',
    port: (proxy.address() as AddressInfo).port,
  } as const;
  const way = new ProxyWay({ mode: 'strict', upstreams: [upstream] }, {});
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address() as AddressInfo;
  await new Promise((resolve) => free.close(resolve));
  relay = new TcpRelay(native.flows, flows, new Minting(product).mintStub(4, true, port), {
    lane: 'one',
    interception: 'tproxy',
    meanings: new Meanings(new FakePool({ now: () => 0 })),
    judge: () => ({
      wantsServerName: false,
      decide: () => ({ kind: 'way', way, lasts: true }),
      rewrite: (destination) => destination,
    }),
    processOf: () => Promise.resolve(null),
    socketPair: () => native.socketPair(),
    onDns: (stream) => stream.destroy(),
    onRefused: () => undefined,
  });
  app = connect({ port, host: '127.0.0.1' });
  app.on('error', () => undefined);
  app.end(Buffer.alloc(bytes));
  const states = () => table.openFlows('one').map(({ state }) => state);
  await expect.poll(states, { timeout: 10_000 }).toEqual(['open']);
});
afterEach(() => {
  relay.close();
  app.destroy();
  proxy.close();
});

/** libuv takes a hang-up behind data for an end, whatever the kernel says of it. */
async function expectCut(): Promise<void> {
  reads = true;
  await expect.poll(() => end, { timeout: 10_000 }).toBeDefined();
  expect(arrived).toBeLessThan(bytes);
}

test('is waited for as long as it moves', async () => {
  await flows.drain('one', { stillMs, unsent });
  relay.close();
  await expect.poll(() => end, { timeout: 10_000 }).toBe('end');
  expect(arrived).toBe(bytes);
});

test('is given up when it has not moved for a while', async () => {
  reads = false;
  await flows.drain('one', { stillMs, unsent });
  relay.close();
  await expectCut();
});

test('is given up at once when nobody waits any longer', async () => {
  reads = false;
  await flows.drain('one', { stillMs: 1_000_000, unsent, cut: AbortSignal.timeout(50) });
  relay.close();
  await expectCut();
});
