/**
 * Proxies that refuse, vanish, lie or dally: the app hears of it in time, as a failed connection and never as
 * an end, and a thousand of each leave nothing behind in the engine.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Hostile } from '../hostile/hostile.ts';
import { internet, ports } from '../world/addresses.ts';
import { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import type { Running } from '../world/running.ts';
import { until } from '../world/until.ts';
import { World } from '../world/world.ts';

let world: World;
let product: Product;
let hostile: Hostile;
let dante: Proxy;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
  hostile = await Hostile.start(world);
  dante = await world.proxy('dante', { signIn: true });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** Reads numbers; for each it connects that often, some at a time, and tells how it went and the longest time. */
const client = (atOnce: number) => `
import asyncio, collections, resource, sys, time
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
async def one(gate):
    async with gate:
        start = time.monotonic()
        try:
            reader, writer = await asyncio.open_connection('${internet.web4}', ${ports.http})
            writer.write(b'GET / HTTP/1.0\\r\\n\\r\\n')
            result = 'answered' if await reader.read() else 'end'
            writer.close()
        except ConnectionResetError: result = 'reset'
        except OSError as error: result = error.strerror
        return result, time.monotonic() - start
async def many(count):
    gate = asyncio.Semaphore(${atOnce})
    results = await asyncio.gather(*(one(gate) for _ in range(count)))
    print(dict(collections.Counter(result for result, _ in results)), round(max(seconds for _, seconds in results), 1), flush=True)
for line in sys.stdin: asyncio.run(many(int(line)))
`;

/** In an engine whose young generation has one size: V8 lets it grow in steps that would hide what is left behind. */
function startClient(proxy: string, atOnce: number): Running {
  const env = { NODE_OPTIONS: '--max-semi-space-size=1' };
  return product.spawn(['/usr/bin/python3', '-c', client(atOnce)], { proxy, env });
}

/** Connects `count` times; answers what the client said of them. */
async function connect(running: Running, count: number): Promise<string> {
  const heard = running.stdout.length;
  running.write(`${count}\n`);
  const said = () => /^.*\n/.exec(running.stdout.slice(heard))?.[0];
  return until(`${count} connections`, said, 100_000);
}

const wrongPassword = () => dante.url.replace(encodeURIComponent(dante.password ?? ''), 'wrong');

/** Which proxy, and how long a connection may take, in seconds: the deadline is 15. Those that take it begin first. */
const proxies: [string, () => string, number][] = [
  ['is not reachable', () => hostile.deadUrl, 16],
  [
    'takes the connection and never speaks',
    () => hostile.url('SOCKS5: takes the connection and never speaks'),
    16,
  ],
  [
    'says one byte a second',
    () => hostile.url('SOCKS5: replies one byte a second, for longer than the deadline'),
    16,
  ],
  ['refuses the connection', () => hostile.closedUrl, 1],
  ['refuses the password', wrongPassword, 5],
  ['refuses the destination', () => hostile.url('SOCKS5: refuses with code 4'), 1],
  ['sends garbage', () => hostile.url('SOCKS5: replies with garbage'), 5],
  [
    'closes in the middle of its reply',
    () => hostile.url('SOCKS5: closes after 5 bytes of a reply with an IPv4 address'),
    1,
  ],
  ['sends without end', () => hostile.url('SOCKS5: sends without end from the start'), 5],
  ['dies in the middle', () => hostile.url('SOCKS5: dies in the middle of what it carries'), 1],
];

function held(pid: number) {
  return {
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    rssKiB: Number(/^VmRSS:\s+([0-9]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]),
  };
}

test('the app hears of each failure in time, and it is a reset', async () => {
  const heard = await Promise.all(
    proxies.map(async ([name, url]) => {
      await using running = startClient(url(), 1);
      const said = /^\{'reset': 1\} ([0-9.]+)\n$/.exec(await connect(running, 1));
      return [name, Number(said?.[1])] as const;
    }),
  );
  for (const [index, [name, took]] of heard.entries())
    expect([name, took <= (proxies[index]?.[2] ?? 0)]).toEqual([name, true]);
});

describe.concurrent('a proxy that', () => {
  test.each(proxies)('%s: nothing is left after a thousand', async (_name, url, seconds) => {
    // Those that take the whole deadline all at once, the others as a busy program would.
    await using running = startClient(url(), seconds > 10 ? 1000 : 100);
    const said = /^\{'reset': 1000\} /;
    // The first two thousand bring what is kept for good: code, pools, the list of ended flows.
    for (let round = 0; round < 2; round += 1) expect(await connect(running, 1000)).toMatch(said);
    const before = held(running.pid);
    expect(await connect(running, 1000)).toMatch(said);
    await until('the descriptors to be closed', () => held(running.pid).descriptors <= before.descriptors);
    expect(held(running.pid).rssKiB - before.rssKiB).toBeLessThan(6 * 1024);
    running.child.stdin?.end();
    expect((await running.ended).code).toBe(0);
  });
});

test('a proxy that dies in the middle of a connection resets it, and is used again when it is back', async () => {
  await using proxy = await world.proxy('microsocks', { port: 4000 });
  const script = `
import socket, sys
def get():
    s = socket.create_connection(('${internet.web4}', ${ports.source}))
    return s, s.recv(1000)
s, data = get(); print('flowing', len(data) > 0, flush=True)
try:
    while s.recv(65536): pass
    print('end', flush=True)
except ConnectionResetError: print('reset', flush=True)
for line in sys.stdin:
    try: print('again', len(get()[1]) > 0, flush=True)
    except ConnectionResetError: print('still reset', flush=True)
`;
  await using running = product.spawn(['/usr/bin/python3', '-c', script], { proxy: proxy.url });
  await running.says(/flowing True/);
  await proxy.kill();
  // A dying microsocks ends its connections; only with unread data is it a reset.
  await running.says(/reset|end/);
  running.write('\n');
  await running.says(/still reset/);
  await using back = await world.proxy('microsocks', { port: 4000 });
  running.write('\n');
  await running.says(/again True/);
  running.child.stdin?.end();
  expect((await running.ended).code).toBe(0);
  expect(back.port).toBe(4000);
});
