/**
 * Nothing on the host changes, whatever dies, and the host may be set up as strangely as it likes.
 * Everything is looked at in the world's own host namespace, byte by byte.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { internet, ports } from '../world/addresses.ts';
import { compile } from '../world/artefact.ts';
import { describePackets } from '../world/capture.ts';
import { isolations, Product, type TestedIsolation } from '../world/product.ts';
import type { Proxy, ProxyKind, ProxyOptions } from '../world/proxies.ts';
import { greeting } from '../world/servers/web.ts';
import { until } from '../world/until.ts';
import { World } from '../world/world.ts';

const probe = compile('test/world/probe.c');
/** Connects again and again and tells each result on a line. */
const persistent = `
import socket, time, sys
s = socket.create_connection(('${internet.web4}', ${ports.echo}))
s.sendall(b'x'); s.recv(1)
print('flowing', flush=True)
try: s.recv(1)
except OSError as error: pass
print('lost', flush=True)
end = time.monotonic() + 60
while time.monotonic() < end:
    start = time.monotonic()
    try: socket.create_connection(('${internet.web4}', ${ports.http}), timeout=5); result = 'connected'
    except OSError as error: result = 'refused'
    print(result, round((time.monotonic() - start) * 1000), flush=True)
    time.sleep(0.05)
`;

let world: World;
let product: Product;
let proxy: Proxy;
let state: string;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
  proxy = await world.proxy('dante');
  state = await world.hostState();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** The processes of this world, and of no other, whose command line has the word. */
async function processesOf(word: string): Promise<number[]> {
  const { stdout } = await world.run(['pgrep', '-f', word]);
  const own = new Set(world.pids());
  return stdout
    .split('\n')
    .map(Number)
    .filter((pid) => own.has(pid));
}

async function helperOf(isolation: TestedIsolation): Promise<number> {
  const mode = isolation === 'rootless' ? 'rootless' : 'privileged';
  const found = await until('the helper', async () => (await processesOf(`helper.cjs ${mode}`)).at(-1));
  return found;
}

/** Two seconds are what a lane may take to go (issue: "within 2 s"). */
async function expectNothingLeft(namespaces: Set<string>): Promise<void> {
  const left = () => ({
    processes: world.leftovers(),
    namespaces: [...world.netNamespaces()].filter((name) => !namespaces.has(name)),
  });
  const isGone = () => left().processes.length + left().namespaces.length === 0;
  await until('everything to be gone', isGone, 2000).catch(() => undefined);
  expect(left()).toEqual({ processes: [], namespaces: [] });
  expect(await world.hostState()).toBe(state);
}

describe.each(isolations)('%s', (isolation) => {
  const lane = () => ({ proxy: proxy.url, isolation });

  test('the host is byte-identical before, during and after', async () => {
    const namespaces = world.netNamespaces();
    await using running = product.spawn(['sh', '-c', 'echo started; read line; echo over'], lane());
    await running.says(/started/);
    expect(await world.hostState()).toBe(state);
    running.child.stdin?.end('\n');
    expect((await running.ended).code).toBe(0);
    await expectNothingLeft(namespaces);
  });

  type Parts = Record<'engine' | 'helper' | 'supervisor', number>;
  const deaths: [string, (parts: Parts) => number[]][] = [
    ['the engine', ({ engine }) => [engine]],
    ['the helper, then the engine', ({ engine, helper }) => [helper, engine]],
    ['the engine, then the helper', ({ engine, helper }) => [engine, helper]],
    ['all, the supervisor first', ({ engine, helper, supervisor }) => [supervisor, engine, helper]],
    ['all, the supervisor last', ({ engine, helper, supervisor }) => [helper, engine, supervisor]],
  ];
  test.each(deaths)(
    'after kill -9 of %s nothing is left but the app, without network',
    async (_name, order) => {
      const namespaces = world.netNamespaces();
      await using capture = await world.capture();
      const running = product.spawn(['/usr/bin/python3', '-u', '-c', persistent], lane());
      // The app goes on writing when the process that was started has been killed.
      const said = (pattern: RegExp) =>
        until(String(pattern), () => pattern.exec(running.stdout) ?? undefined);
      await said(/flowing/);
      const supervisor = (await processesOf('culvert-launch')).at(-1) ?? 0;
      const parts = { engine: running.pid, helper: await helperOf(isolation), supervisor };
      for (const pid of order(parts)) process.kill(pid, 'SIGKILL');
      const refused = await said(/lost\n(?:connected [0-9]+\n)?refused ([0-9]+)\n/);
      expect(Number(refused[1])).toBeLessThanOrEqual(100);
      // The positive control: the connection to the proxy has been seen by it.
      expect(await capture.packets()).not.toEqual([]);
      await capture.clear();
      const before = running.stdout.length;
      await until('ten refusals', () => /(?:refused [0-9]+\n){10}/.test(running.stdout.slice(before)));
      expect(describePackets(await capture.packets())).toBe('');
      expect(await world.hostState()).toBe(state);
      for (const pid of await processesOf('create_connection')) process.kill(pid, 'SIGKILL');
      await expectNothingLeft(namespaces);
    },
  );

  test('an app outlives its helper with its network', async () => {
    const namespaces = world.netNamespaces();
    const fetch = 'echo started; read line; curl -sS http://example.test/';
    await using running = product.spawn(['sh', '-c', fetch], lane());
    await running.says(/started/);
    process.kill(await helperOf(isolation), 'SIGKILL');
    running.child.stdin?.end('\n');
    const { stdout, code } = await running.ended;
    expect([stdout, code]).toEqual([`started\n${greeting}`, 0]);
    await expectNothingLeft(namespaces);
  });
});

/** Set-ups of hosts on which others stumble, each with the way back. */
const hosts: [string, string][] = [
  [
    'with a MASQUERADE rule on its loopback',
    `nft add table ip odd
     nft 'add chain ip odd post { type nat hook postrouting priority 100; }'
     nft add rule ip odd post oifname lo masquerade`,
  ],
  [
    'with drop policies as ufw sets them',
    `nft add table inet odd
     nft 'add chain inet odd in { type filter hook input priority 0; policy drop; }'
     nft 'add chain inet odd through { type filter hook forward priority 0; policy drop; }'
     nft add rule inet odd in ct state established,related accept
     nft add rule inet odd in iifname lo accept`,
  ],
  ['with route_localnet on', 'sysctl -qw net.ipv4.conf.all.route_localnet=1'],
  ['with route_localnet off', 'sysctl -qw net.ipv4.conf.all.route_localnet=0'],
];

/** The host's own loopback, where such rules bite, and the internet; with a sign-in and by ssh as well. */
const nearAndFar: [ProxyKind, ProxyOptions][] = [
  ['dante', { at: 'host', signIn: true }],
  ['microsocks', {}],
  ['ssh', {}],
];
/** One that asks the resolver of the system, and one that is linked statically. */
const fetches = [
  ['curl', '-sS', 'http://example.test/'],
  ['busybox', 'wget', '-q', '-O', '-', 'http://example.test/'],
];

describe.each(hosts)('on a host %s', (_name, change) => {
  test.each(isolations)('everything works as ever (%s)', async (isolation) => {
    await using odd = await World.create({ sudo: true });
    const installed = Product.install(odd);
    await odd.shell(change);
    const before = await odd.hostState();
    for (const [kind, options] of nearAndFar) {
      await using near = await odd.proxy(kind, options);
      await using capture = await odd.capture();
      const lane = { proxy: near.url, isolation };
      for (const fetch of fetches) expect(await installed.must(fetch, lane)).toBe(greeting);
      const said = await installed.must([probe, 'tcp', internet.web4, '80'], lane);
      expect(said).toMatch(/^connected/);
      // What a proxy on the host sends is on the host's interfaces too.
      if (!('at' in options)) expect(describePackets(await capture.leaks(near.exceptions))).toBe('');
    }
    expect(await odd.hostState()).toBe(before);
  });
});
