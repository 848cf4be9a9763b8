/**
 * Connections of real apps through a real proxy, as `culvert connections`, `close` and `traffic` show them.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ports } from '../world/addresses.ts';
import { isolations, Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import type { Outcome, Running } from '../world/running.ts';
import { until } from '../world/until.ts';
import { World, type UserName } from '../world/world.ts';
import { LaneShell } from './lane-shell.ts';
import { serverOf, writeConfig } from './settings.ts';

let world: World;
let product: Product;
let proxy: Proxy;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
  proxy = await world.proxy('microsocks');
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});
beforeEach(() => {
  for (const user of ['culvert-a', 'culvert-b'] as const)
    writeConfig(
      world,
      {
        profiles: [
          { id: 'one', name: 'One', chain: { servers: [serverOf(proxy)] } },
          { id: 'two', name: 'Two', chain: { servers: [serverOf(proxy)] } },
        ],
        rules: [
          { id: 'no-ads', match: { to: ['.ads.test'] }, action: 'block' },
          { id: 'by-two', match: { to: ['.two.test'] }, action: 'profile', profile: 'two' },
        ],
      },
      user,
    );
});

interface Connection {
  readonly id: number;
  readonly lane: string;
  readonly app?: string;
  readonly profile?: { readonly id?: string };
  readonly process?: string;
  readonly pid?: number;
  readonly host?: string;
  readonly port: number;
  readonly proto: string;
  readonly rule?: string;
  readonly via: string;
  readonly state: string;
  readonly bytesDown: number;
  readonly firstByteMs?: number;
  readonly failure?: { readonly code: string };
}

const culvert = (args: readonly string[], user: UserName = 'culvert-a'): Promise<Outcome> =>
  world.run([product.culvert, ...args], { user });

const follow = (args: readonly string[]): Running =>
  world.spawn([product.culvert, 'connections', '--follow', ...args], { user: 'culvert-a' });

async function listed(query: readonly string[], user?: UserName): Promise<Connection[]> {
  const { stdout, stderr, code } = await culvert(['connections', '--json', ...query], user);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return (JSON.parse(stdout) as { schema: 1; connections: Connection[] }).connections;
}

/** What holds connections is ended with its lane's shell. */
const settings = { profile: 'one', options: ['--no-wait'] };

/** A line for a lane's shell: connections of one process that stay open, and say `still N` when they are asked. */
const holdOpen = (names: readonly string[]) =>
  `/usr/bin/python3 -c '
import socket, sys
for name in sys.argv[1:]:
    s = socket.create_connection((name, ${ports.banner})); s.recv(1); globals().setdefault("held", []).append(s)
print("connected", flush=True)
import select
while held:
    for s in select.select(held, [], [])[0]:
        try: data = s.recv(65536)
        except ConnectionResetError: data = b""
        if not data: held.remove(s); print("left", len(held), flush=True)
' ${names.join(' ')} &\n`;

describe.each(isolations)('connections (%s)', (isolation) => {
  test('are listed with the app, the process, the profile and the rule that are theirs', async () => {
    await using lane = await LaneShell.open(product, { ...settings, isolation });
    lane.running.write(holdOpen(['plain.test', 'a.two.test']));
    await lane.running.says(/connected\n/);
    expect((await lane.run('curl -4 -sS --max-time 5 http://x.ads.test/')).code).not.toBe(0);

    const [plain, two, ...more] = await listed([]);
    expect(more).toEqual([]);
    expect(plain).toMatchObject({
      ...{
        host: 'plain.test',
        port: ports.banner,
        proto: 'tcp',
        state: 'open',
        app: 'sh',
        process: 'python3',
      },
      profile: { id: 'one' },
      via: `socks5://${proxy.address}:${proxy.port}`,
    });
    expect(plain).not.toHaveProperty('rule');
    expect(plain?.bytesDown).toBeGreaterThan(0);
    expect(plain?.firstByteMs).toBeGreaterThanOrEqual(0);
    expect(two).toMatchObject({ host: 'a.two.test', rule: 'by-two', process: 'python3', pid: plain?.pid });
    const comm = await world.must(['cat', `/proc/${plain?.pid ?? 0}/comm`], { user: 'culvert-a' });
    if (isolation === 'helper') expect(comm).toBe('python3\n');

    expect((await listed(['--closed', 'error:*'])).map(({ host, rule }) => [host, rule])).toEqual([
      ['x.ads.test', 'no-ads'],
    ]);
    const hosts = async (...query: string[]) => (await listed(query)).map(({ host }) => host);
    expect(await hosts('rule:by-two process:python*')).toEqual(['a.two.test']);
    expect(await hosts('-rule:*', 'profile:one')).toEqual(['plain.test']);
    expect(await hosts('state:refused')).toEqual(['x.ads.test']);
    expect(await hosts('--all', '.test')).toEqual(['plain.test', 'a.two.test', 'x.ads.test']);
    expect(await hosts('-port:443', '--lane', plain?.lane ?? '')).toEqual(['plain.test', 'a.two.test']);
    expect((await culvert(['connections', '--lane', '1-1'])).code).toBe(3);
    const { stdout } = await culvert(['connections', 'plain']);
    expect(stdout.split('\t').slice(0, 7)).toEqual([
      ...['open', 'sh', 'python3', 'plain.test', String(ports.banner), 'tcp', 'One'],
    ]);
  });

  test('are closed when the query takes them, and no others', async () => {
    await using lane = await LaneShell.open(product, { ...settings, isolation });
    lane.running.write(holdOpen(['keep.test', 'a.close.test', 'b.close.test']));
    await lane.running.says(/connected\n/);
    expect(await culvert(['close', 'host:.close.test', 'proto:udp'])).toMatchObject({
      ...{ code: 3, stdout: '0 connections closed\n' },
      stderr: expect.stringMatching(/^culvert: nothing was closed — .+ — .+\n$/) as string,
    });
    expect(await culvert(['close', 'host:.close.test', 'process:python3'])).toMatchObject({
      ...{ code: 0, stdout: '2 connections closed\n', stderr: '' },
    });
    await lane.running.says(/left 1\n/);
    expect((await listed([])).map(({ host }) => host)).toEqual(['keep.test']);
    expect((await culvert(['close', '--all'])).stdout).toBe('1 connection closed\n');
    await lane.running.says(/left 0\n/);
    expect(await listed([])).toEqual([]);
  });
});

test.each(['http', 'socks5'] as const)(
  'a connection that waits for a proxy (%s) is closed as an open one is, and then closed, not refused',
  async (kind) => {
    const mute = world.spawn(
      [
        '/usr/bin/python3',
        '-uc',
        "import socket, time; s = socket.create_server(('192.0.2.10', 0)); print(s.getsockname()[1]); time.sleep(999)",
      ],
      { user: 'culvert-b' },
    );
    const [, port] = await mute.says(/^([0-9]+)\n/);
    const server = { id: 's1', kind, host: '192.0.2.10', port: Number(port) };
    writeConfig(world, { profiles: [{ id: 'one', name: 'One', chain: { servers: [server] } }] });
    await using lane = await LaneShell.open(product, settings);
    lane.running.write('curl -sS --max-time 60 http://waiting.test/; echo "curl $?"\n');
    const [waiting] = await until('it to wait', async () => {
      const found = await listed(['state:dialling']);
      return found.length > 0 && found;
    });
    expect(waiting).toMatchObject({ host: 'waiting.test', app: 'sh', profile: { id: 'one' } });
    expect((await culvert(['close', 'host:waiting.test'])).stdout).toBe('1 connection closed\n');
    await lane.running.says(/curl (35|52|56)\n/);
    const [closed] = await listed(['--all']);
    expect(closed).toMatchObject({ host: 'waiting.test', state: 'closed' });
    expect(closed).not.toHaveProperty('failure');
    await mute.end();
  },
);

test('two users see and close only their own', async () => {
  await using own = await LaneShell.open(product, settings);
  await using theirs = await LaneShell.open(product, { ...settings, user: 'culvert-b' });
  for (const [lane, name] of [[own, 'own.test'] as const, [theirs, 'theirs.test'] as const]) {
    lane.running.write(holdOpen([name]));
    await lane.running.says(/connected\n/);
  }
  expect((await listed([])).map(({ host }) => host)).toEqual(['own.test']);
  expect((await listed([], 'culvert-b')).map(({ host }) => host)).toEqual(['theirs.test']);
  expect((await culvert(['close', 'host:theirs.test'])).code).toBe(3);
  expect((await culvert(['close', '--all'])).stdout).toBe('1 connection closed\n');
  await own.running.says(/left 0\n/);
  expect((await listed([], 'culvert-b')).map(({ state }) => state)).toEqual(['open']);
});

describe('followed connections', () => {
  const changes = ({ stdout }: Running): Connection[] =>
    stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { schema: 1; connection: Connection }).connection);

  test('are told from their beginning to their end, also of engines that begin later; the last engine ends it', async () => {
    const seen = (host: string, state: string) => () =>
      changes(following).some((one) => one.host === host && one.state === state);
    const following = follow(['--json', 'host:*.follow.test']);
    const one = await LaneShell.open(product, settings);
    one.running.write(holdOpen(['a.follow.test', 'ignored.test']));
    await until('the first to be told', seen('a.follow.test', 'open'), 10_000);
    const two = await LaneShell.open(product, { ...settings, profile: 'two' });
    two.running.write(holdOpen(['b.follow.test']));
    await until('one of a later engine to be told', seen('b.follow.test', 'open'), 10_000);
    expect((await culvert(['close', 'host:a.follow.test'])).code).toBe(0);
    await until('its end to be told', seen('a.follow.test', 'closed'), 10_000);
    expect(changes(following).find(({ host }) => host === 'b.follow.test')).toMatchObject({
      ...{ app: 'sh', process: 'python3', profile: { id: 'two' } },
    });
    await one[Symbol.asyncDispose]();
    await two[Symbol.asyncDispose]();
    expect(await following.ended).toMatchObject({ code: 0, stderr: '' });
    expect(seen('b.follow.test', 'closed')()).toBe(true);
    expect(changes(following).some(({ host }) => host === 'ignored.test')).toBe(false);
  });

  test('end when nobody reads them any more', async () => {
    await using lane = await LaneShell.open(product, settings);
    const script = `${product.culvert} connections --follow | head -n 1; echo "status \${PIPESTATUS[0]}"`;
    const piped = world.spawn(['bash', '-c', script], { user: 'culvert-a' });
    lane.running.write(holdOpen(['first.test']));
    await piped.says(/first\.test/);
    // What is written next meets a closed pipe.
    for (const name of ['second.test', 'third.test'])
      await lane.must(`curl -sS --max-time 5 http://${name}/`);
    await piped.says(/status 0/);
    expect((await piped.ended).stderr).toBe('');
  });
});

test('traffic is what went through, by lane, app and profile, and how fast it goes', async () => {
  await using lane = await LaneShell.open(product, settings);
  await lane.must('curl -sS --max-time 20 -o /dev/null http://bytes.test/bytes/5000000');
  const watching = world.spawn([product.culvert, 'traffic', '--watch', '--json'], { user: 'culvert-a' });
  // Faster than buffers of the kernel could hold all of it, so that it goes on for as long as it is looked at.
  lane.running.write(
    'curl -sS --limit-rate 50M --max-time 60 -o /dev/null http://bytes.test/bytes/9000000000 &\n',
  );
  interface Traffic {
    readonly lanes: { readonly bytesDown: number; readonly downPerSecond: number }[];
    readonly apps: { readonly app: string; readonly lanes: number }[];
    readonly profiles: { readonly profile: string; readonly bytesDown: number }[];
  }
  const lines = () =>
    watching.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Traffic);
  await until('a rate', () => (lines().at(-1)?.lanes[0]?.downPerSecond ?? 0) > 1_000_000, 10_000);
  await watching.end();
  const once = async () => JSON.parse((await culvert(['traffic', '--json'])).stdout) as Traffic;
  const { lanes, apps, profiles } = await until(
    'a rate in one look',
    async () => {
      const traffic = await once();
      return (traffic.lanes[0]?.downPerSecond ?? 0) > 500_000 && traffic;
    },
    10_000,
  );
  expect(lanes[0]?.bytesDown).toBeGreaterThan(5_000_000);
  expect(apps).toMatchObject([{ app: 'sh', lanes: 1 }]);
  expect(profiles).toMatchObject([{ profile: 'one', bytesDown: lanes[0]?.bytesDown }]);
  expect((await culvert(['traffic', '--by', 'profile'])).stdout).toMatch(/^one\t1\t/);
  expect((await culvert(['traffic', '--by', 'colour'])).code).toBe(2);
  lane.running.write('kill $!\n');
});
