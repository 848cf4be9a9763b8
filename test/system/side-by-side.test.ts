/** Two apps with two profiles on one engine, at the same time: nothing of the one goes the way of the other. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { host as addresses, internet, ports } from '../world/addresses.ts';
import { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import type { Seen } from '../world/servers/protocol.ts';
import { until } from '../world/until.ts';
import { World } from '../world/world.ts';
import { AppHost } from './app-host.ts';
import { install, put } from './app-stage.ts';
import { serverOf, writeConfig } from './settings.ts';

let world: World;
let host: AppHost;
/** What leaves by the first comes from the internet's own address, by the second from this computer's. */
let first: Proxy;
let second: Proxy;

/** How many connections and datagrams each app makes, eight at a time. */
const times = 60;
/** Bytes of a datagram, by which the server knows whose it is. */
const sizes = { one: 101, two: 202 } as const;
type Name = keyof typeof sizes;

/**
 * Connects and asks over and over, and says how often it was answered. Then it gives the fake address of one more
 * name to the other app, which tries to connect to it.
 */
const script = `
import concurrent.futures, os, socket, sys, time, urllib.error, urllib.request
name, size, own, other = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
def page(n):
    try: urllib.request.urlopen(f'http://{name}-{n}.example.test/{name}/{n}', timeout=20)
    except urllib.error.HTTPError as error: return error.code == 404
# Open to the end, so that each has a port of its own.
kept = []
def datagram(n):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(20); kept.append(s)
    s.connect((f'{name}-{n}.example.test', ${ports.echo})); s.send(bytes(size))
    return len(s.recv(1000)) == size
def wait(path):
    while not os.path.exists(path): time.sleep(0.01)
    return open(path).read()
def write(path, text):
    open(path + '.new', 'w').write(text); os.rename(path + '.new', path)
# Both begin when both are there.
write(own + '.ready', ''); wait(other + '.ready')
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    pages = [pool.submit(page, n) for n in range(${times})]
    datagrams = [pool.submit(datagram, n) for n in range(${times})]
    ends = [[one.exception() or one.result() for one in all] for all in (pages, datagrams)]
answered = [sum(end is True for end in all) for all in ends]
for end in sum(ends, []): end is True or print(repr(end), flush=True)
fakes = [socket.gethostbyname(f'{name}-only-{n}.example.test') for n in range(400 if name == 'one' else 1)]
write(own + '.fake', fakes[-1])
theirs = wait(other + '.fake')
try:
    s = socket.create_connection((theirs, ${ports.http}), timeout=20)
    s.send(f'GET /stolen/{name} HTTP/1.0\\r\\n\\r\\n'.encode()); got = 'connected' if s.recv(100) else 'nothing'
except OSError as error: got = error.strerror
write(own + '.done', f'{answered} {got}')
time.sleep(600)
`;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  const product = Product.install(world);
  first = await world.proxy('dante');
  second = await world.proxy('dante', { at: 'host' });
  const file = put(world, 'load.py', script);
  const at = (name: Name) => join(world.users['culvert-a'].home, `load-${name}`);
  for (const [name, other] of [
    ['one', 'two'],
    ['two', 'one'],
  ] as const)
    install(world, name, `/usr/bin/python3 ${file} ${name} ${sizes[name]} ${at(name)} ${at(other)}`);
  writeConfig(world, {
    profiles: [
      { id: 'first', name: 'First', chain: { servers: [serverOf(first)] } },
      { id: 'second', name: 'Second', chain: { servers: [serverOf(second)] } },
    ],
    apps: { one: 'first', two: 'second' },
  });
  host = await AppHost.start(world, product);
});
afterAll(async () => {
  await host[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

function said(name: Name): string | undefined {
  try {
    return readFileSync(join(world.users['culvert-a'].home, `load-${name}.done`), 'utf8');
  } catch {
    // Not yet.
    return undefined;
  }
}

test('two apps with a profile each share an engine, and no connection, datagram or name', async () => {
  await world.internet.forget();
  const opened = await Promise.all(
    (['one', 'two'] as const).map(async (app) => {
      const { lanes } = await host.call('app.open', { app });
      return [app, lanes[0] ?? ''] as const;
    }),
  );
  const told = await until(
    'both to be done',
    () => {
      const [one, two] = [said('one'), said('two')];
      return one === undefined || two === undefined ? undefined : { one, two };
    },
    90_000,
  );
  // All that each asked for was answered. A fake address of one lane means nothing on the other.
  expect(told.one).toMatch(new RegExp(`^\\[${times}, ${times}\\] `));
  expect(told.two).toMatch(new RegExp(`^\\[${times}, ${times}\\] Connection re(set by peer|fused)$`));

  const seen = await world.internet.seen();
  const peers: Record<Name, readonly string[]> = {
    one: [internet.proxy4, internet.proxy6],
    two: [addresses.v4, addresses.v6],
  };
  for (const name of ['one', 'two'] as const) {
    const pages = seen.filter(({ asked = '' }) => asked.startsWith(`GET /${name}/`));
    expect([name, pages.length, others(pages, peers[name])]).toEqual([name, times, []]);
    const datagrams = seen.filter(({ proto, port, bytes }) => {
      return proto === 'udp' && port === ports.echo && bytes === sizes[name];
    });
    expect([name, datagrams.length, others(datagrams, peers[name])]).toEqual([name, times, []]);
  }
  expect(seen.filter(({ asked }) => asked === 'GET /stolen/two')).toEqual([]);

  // The engine's own list says the same.
  const vias = { one: `socks5://${first.address}:${first.port}`, two: `socks5://127.0.0.1:${second.port}` };
  for (const [name, lane] of opened) {
    const flows = await host.call('flows', { lane });
    expect(new Set(flows.filter(({ via }) => via !== '').map(({ via }) => via))).toEqual(
      new Set([vias[name]]),
    );
    expect(flows.filter(({ host: to = '' }) => !to.startsWith(`${name}-`) && to !== '')).toEqual([]);
  }
});

/** Those that came from elsewhere. */
function others(seen: readonly Seen[], own: readonly string[]): string[] {
  return seen.map(({ peer }) => peer).filter((peer) => !own.includes(peer));
}
