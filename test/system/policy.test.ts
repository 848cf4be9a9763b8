/**
 * Profiles at work: what a running lane does when its profile, its rules or its proxies change, and the ways out
 * that a profile can name. Each is seen at the other end: in the proxies' words, or in what the servers heard.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { internet, ports } from '../world/addresses.ts';
import { describePackets, type Capture } from '../world/capture.ts';
import { contentHash } from '../world/content.ts';
import { isolations, Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { greeting } from '../world/servers/web.ts';
import { until } from '../world/until.ts';
import { World } from '../world/world.ts';
import { LaneShell } from './lane-shell.ts';
import { serverOf, writeConfig } from './settings.ts';

let world: World;
let product: Product;
let one: Proxy;
let two: Proxy;
let capture: Capture;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
  one = await world.proxy('microsocks');
  two = await world.proxy('microsocks');
  await world.hostServers();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});
beforeEach(async () => {
  writeConfig(world, { profiles: [profileOne(), profileTwo()] });
  capture = await world.capture();
});
/** Whatever a test did, no packet went beside the proxies. */
afterEach(async () => {
  const leaks = await capture.leaks([...one.exceptions, ...two.exceptions, ...allowed.splice(0)]);
  await capture[Symbol.asyncDispose]();
  expect(describePackets(leaks.slice(0, 10))).toBe('');
});
/** Where the rules of a test lead to besides. */
const allowed: { address: string; port: number }[] = [];

const profileOne = (more: object = {}) => ({
  id: 'one',
  name: 'One',
  chain: { servers: [serverOf(one)] },
  ...more,
});
const profileTwo = () => ({ id: 'two', name: 'Two', chain: { servers: [serverOf(two)] } });

interface Lane {
  readonly id: string;
  readonly via: string;
  readonly health: string;
  readonly profile: { readonly id?: string; readonly name: string };
  readonly notes: readonly string[];
}

async function laneOf(shell: LaneShell): Promise<Lane> {
  const text = await world.must([product.culvert, 'ps', '--json'], { user: 'culvert-a' });
  const { lanes } = JSON.parse(text) as { lanes: Lane[] };
  const found = lanes.find(({ id }) => id.startsWith(`${shell.running.pid}-`));
  if (found === undefined) throw new Error(`no such lane in ${text}`);
  return found;
}

const isHealth = (shell: LaneShell, health: string) =>
  until(`the lane to be ${health}`, async () => (await laneOf(shell)).health === health, 5_000);

async function switchTo(shell: LaneShell, profile: string, ...options: string[]): Promise<string> {
  const { id } = await laneOf(shell);
  return world.must([product.culvert, 'switch', id, profile, ...options], { user: 'culvert-a' });
}

interface Flow {
  readonly host?: string;
  readonly address: string;
  readonly port: number;
  readonly via: string;
  readonly state: string;
  readonly rule?: string;
  readonly serverName?: string;
}

/** The flows of a shell's engine, asked for as the window does. */
async function flowsOf(shell: LaneShell): Promise<Flow[]> {
  const { uid } = world.users['culvert-a'];
  const script = `
import json, socket
s = socket.socket(socket.AF_UNIX); s.connect('/run/user/${uid}/culvert/engine-${shell.running.pid}.sock')
s.sendall(json.dumps({'jsonrpc': '2.0', 'id': 1, 'method': 'flows', 'params': {}}).encode() + bytes([10]))
print(s.makefile().readline())
`;
  const reply = await world.must(['/usr/bin/python3', '-c', script], { user: 'culvert-a' });
  return (JSON.parse(reply) as { result: Flow[] }).result;
}

const flowTo = async (shell: LaneShell, name: string) =>
  (await flowsOf(shell)).find(({ host, address }) => host === name || address === name);

/** What a proxy has said of a destination: microsocks names it. */
const said = ({ process }: Proxy, destination: string) =>
  process.stderr.includes(`connected to ${destination}:`);

/** A line for a lane's shell: a connection that stays open. */
const listenTo = (name: string) =>
  `/usr/bin/python3 -c 'import socket; s = socket.create_connection(("${name}", ${ports.banner})); [0 for _ in iter(lambda: s.recv(65536), b"")]' &\n`;

const fetch = (name: string) => `curl -sS --max-time 5 http://${name}/`;

describe.each(isolations)('a running lane (%s)', (isolation) => {
  test('follows another profile at once, and its open connections are closed', async () => {
    const [before, open] = [`before-${isolation}.example.test`, `open-${isolation}.example.test`];
    await using lane = await LaneShell.open(product, { profile: 'one', isolation });
    expect(await lane.must(fetch(before))).toBe(greeting);
    expect([said(one, before), said(two, before)]).toEqual([true, false]);
    lane.running.write(listenTo(open));
    await until('the connection to be open', async () => (await flowTo(lane, open))?.state === 'open');

    expect(await switchTo(lane, 'two')).toMatch(/now through two; 1 connection closed/);
    expect((await flowTo(lane, open))?.state).toBe('closed');
    expect((await laneOf(lane)).profile).toMatchObject({ id: 'two', name: 'Two' });
    // The same destination as before, within the second for which a decision is remembered.
    expect(await lane.must(fetch(before))).toBe(greeting);
    expect(said(two, before)).toBe(true);
  });
});

test('--keep leaves open connections as they are', async () => {
  await using lane = await LaneShell.open(product, { profile: 'one' });
  lane.running.write(listenTo('kept.example.test'));
  await until(
    'the connection to be open',
    async () => (await flowTo(lane, 'kept.example.test'))?.state === 'open',
  );
  await switchTo(lane, 'two', '--keep');
  expect(await lane.must(fetch('after.example.test'))).toBe(greeting);
  expect(said(two, 'after.example.test')).toBe(true);
  expect((await flowTo(lane, 'kept.example.test'))?.state).toBe('open');
  lane.running.write('kill $!\n');
});

test('no network is a profile like others, and there is a way back from it', async () => {
  await using lane = await LaneShell.open(product, { profile: 'one' });
  await switchTo(lane, 'none');
  expect((await lane.run(fetch('nowhere.example.test'))).output).toMatch(/reset|refused/i);
  expect((await flowTo(lane, 'nowhere.example.test'))?.state).toBe('refused');
  await switchTo(lane, 'one');
  expect(await lane.must(fetch('somewhere.example.test'))).toBe(greeting);
});

test('a profile that is edited while it is used is followed, and a broken edit changes nothing', async () => {
  await using lane = await LaneShell.open(product, { profile: 'one' });
  expect(await lane.must(fetch('a.example.test'))).toBe(greeting);
  writeConfig(world, { profiles: [profileOne({ chain: { servers: [serverOf(two)] } }), profileTwo()] });
  await until('the lane to go the other way', async () => {
    await lane.must(fetch('edited.example.test'));
    return said(two, 'edited.example.test');
  });
  writeConfig(world, { profiles: [profileOne({ chain: { servers: [{ id: 's1', kind: 'socks6' }] } })] });
  await until('the lane to tell', async () =>
    (await laneOf(lane)).notes.some((note) => note.includes('kind')),
  );
  expect(await lane.must(fetch('still.example.test'))).toBe(greeting);
  expect(said(two, 'still.example.test')).toBe(true);
});

describe('rules', () => {
  const rules = [
    { id: 'no-ads', match: { to: ['.ads.example.test'] }, action: 'block' },
    {
      id: 'by-two',
      match: { to: ['other.example.test', '203.0.113.0/24'] },
      action: 'profile',
      profile: 'two',
    },
    { id: 'plain', match: { to: [internet.web4], ports: ['80'] }, action: 'direct' },
    { id: 'python', match: { processes: ['python3*'], to: ['*.process.example.test'] }, action: 'block' },
    { id: 'by-name', match: { to: ['by-sni.example.test'] }, action: 'block' },
  ];

  test('send each flow the way that the first one that matches says, and it is told with the flow', async () => {
    writeConfig(world, { profiles: [profileOne(), profileTwo()], rules });
    await using lane = await LaneShell.open(product, { profile: 'one' });
    expect((await lane.run(fetch('x.ads.example.test'))).code).not.toBe(0);
    expect(await flowTo(lane, 'x.ads.example.test')).toMatchObject({
      state: 'refused',
      rule: 'no-ads',
      via: 'blocked',
    });

    expect(await lane.must(fetch('other.example.test'))).toBe(greeting);
    expect([said(one, 'other.example.test'), said(two, 'other.example.test')]).toEqual([false, true]);
    expect((await flowTo(lane, 'other.example.test'))?.rule).toBe('by-two');

    allowed.push({ address: internet.web4, port: 80 });
    expect(await lane.must(fetch(internet.web4))).toBe(greeting);
    expect(await flowTo(lane, internet.web4)).toMatchObject({ rule: 'plain', via: 'direct' });
    expect(await capture.packets(({ destination }) => destination === internet.web4)).not.toHaveLength(0);

    expect(await lane.must(fetch('rest.example.test'))).toBe(greeting);
    const rest = await flowTo(lane, 'rest.example.test');
    expect([rest?.rule, rest?.via]).toEqual([undefined, `socks5://${one.address}:${one.port}`]);
  });

  test('on processes ask who it is: one program is refused, another one is not', async () => {
    writeConfig(world, { profiles: [profileOne()], rules: rules.filter(({ id }) => id === 'python') });
    await using lane = await LaneShell.open(product, { profile: 'one' });
    const python = `/usr/bin/python3 -c "import urllib.request; print(urllib.request.urlopen('http://a.process.example.test/').read())"`;
    expect((await lane.run(python)).output).toMatch(/reset|refused/i);
    expect(await lane.must(fetch('b.process.example.test'))).toBe(greeting);
  });

  test('on names apply to TLS connections to bare addresses by the name in their first bytes', async () => {
    writeConfig(world, { profiles: [profileOne()], rules: rules.filter(({ id }) => id === 'by-name') });
    await using lane = await LaneShell.open(product, { profile: 'one' });
    const tls = (name: string) =>
      `curl -sSk --max-time 5 --resolve ${name}:443:${internet.web4} https://${name}/`;
    expect((await lane.run(tls('by-sni.example.test'))).code).not.toBe(0);
    expect(await lane.must(tls('free.example.test'))).toBe(greeting);
    const named = (await flowsOf(lane)).filter(({ serverName }) => serverName !== undefined);
    expect(named.map(({ serverName, state, rule }) => [serverName, state, rule])).toEqual(
      expect.arrayContaining([
        ['by-sni.example.test', 'refused', 'by-name'],
        ['free.example.test', expect.stringMatching(/open|closed/), undefined],
      ]),
    );
  });
});

describe('when the proxy goes away', () => {
  test('the lane says so, nothing goes anywhere, and the first connection after its return works', async () => {
    const proxy = await world.proxy('microsocks');
    writeConfig(world, { profiles: [{ ...profileOne(), chain: { servers: [serverOf(proxy)] } }] });
    await using lane = await LaneShell.open(product, { profile: 'one' });
    expect(await lane.must(fetch('here.example.test'))).toBe(greeting);
    await isHealth(lane, 'reachable');
    await proxy.kill();
    allowed.push(...proxy.exceptions);
    expect((await lane.run(fetch('gone.example.test'))).code).not.toBe(0);
    await isHealth(lane, 'unreachable');
    await using back = await world.proxy('microsocks', { port: proxy.port });
    const since = performance.now();
    await isHealth(lane, 'reachable');
    expect(performance.now() - since).toBeLessThan(2000);
    expect(await lane.must(fetch('back.example.test'))).toBe(greeting);
    expect(said(back, 'back.example.test')).toBe(true);
  });

  test('a profile with a second chain goes on with that one, whether the first refuses or says nothing', async () => {
    const first = await world.proxy('microsocks');
    const silent = { id: 's1', kind: 'socks5', host: '203.0.113.200', port: 1080 };
    const failing = (server: object) => ({
      ...profileOne({ chain: { servers: [server] } }),
      failure: { policy: 'failover', profile: 'two' },
    });
    writeConfig(world, { profiles: [failing(serverOf(first)), profileTwo()] });
    await using lane = await LaneShell.open(product, { profile: 'one' });
    expect(await lane.must(fetch('first.example.test'))).toBe(greeting);
    expect(said(first, 'first.example.test')).toBe(true);
    await first.kill();
    allowed.push(...first.exceptions, { address: silent.host, port: silent.port });
    expect(await lane.must(fetch('second.example.test'))).toBe(greeting);
    expect(said(two, 'second.example.test')).toBe(true);

    await world.shell(
      `nft add table inet quiet
      nft add chain inet quiet in '{ type filter hook input priority 0; }'
      nft add rule inet quiet in ip daddr ${silent.host} drop`,
      'internet',
    );
    writeConfig(world, { profiles: [failing(silent), profileTwo()] });
    await until(
      'the lane to have the new chain',
      async () => (await laneOf(lane)).via.includes(silent.host) || (await laneOf(lane)).health === 'unknown',
    );
    const { output } = await lane.run(`time -p ${fetch('third.example.test')}`);
    expect(output).toContain(greeting.trim());
    expect(said(two, 'third.example.test')).toBe(true);
    expect(Number(/^real ([0-9.]+)/m.exec(output)?.[1])).toBeLessThan(3);
    await world.shell('nft delete table inet quiet', 'internet');
  });
});

describe('ways out', () => {
  test('a chain of several kinds carries TCP to a name', async () => {
    await using http = await world.proxy('tinyproxy');
    await using squid = await world.proxy('squid', { signIn: true });
    const chain = { servers: [serverOf(one, 's1'), serverOf(http, 's2'), serverOf(two, 's3')] };
    writeConfig(world, { profiles: [profileOne({ chain })] });
    await using lane = await LaneShell.open(product, { profile: 'one' });
    expect(await lane.must(fetch('chained.example.test'))).toBe(greeting);
    expect(said(two, 'chained.example.test')).toBe(true);
    expect(said(one, `${http.address}`)).toBe(true);
    expect((await flowTo(lane, 'chained.example.test'))?.via).toMatch(/socks5:.* → http:.* → socks5:/);
    const given = [one.url, squid.url].flatMap((url) => ['--proxy', url]);
    const run = [product.culvert, 'run', ...given, '--', 'sh', '-c', fetch('given.example.test')];
    expect(await world.must(run, { user: 'culvert-a' })).toBe(greeting);
  });

  test('an HTTPS proxy is one like others: large downloads are whole', async () => {
    await using tls = await world.proxy('stunnel');
    // All that a download is made of is more than a capture can keep.
    await capture[Symbol.asyncDispose]();
    capture = await world.capture({ only: `not tcp port ${tls.port}` });
    const env = { NODE_EXTRA_CA_CERTS: world.certificates.authority };
    writeConfig(world, { profiles: [profileOne({ chain: { servers: [serverOf(tls)] } })] });
    await using lane = await LaneShell.open(product, { profile: 'one', env });
    allowed.push(...tls.exceptions);
    expect(await lane.must(fetch('by-tls.example.test'))).toBe(greeting);
    const down = 'curl -sS --max-time 20 http://by-tls.example.test/bytes/30000000 | sha256sum';
    expect(await lane.must(down)).toContain(contentHash(30_000_000));
    const up = `head -c 20000000 /dev/zero | curl -sS --max-time 20 -T - http://by-tls.example.test/hash`;
    expect(await lane.must(up)).toMatch(/^20000000 [0-9a-f]{64}/);
    // What breaks behind it must not look like an end.
    const cut = lane.run(`curl -sS --max-time 20 http://cut.example.test/bytes/9000000000 | wc -c`);
    await until(
      'the download to run',
      async () => (await flowTo(lane, 'cut.example.test'))?.state === 'open',
    );
    await tls.kill();
    expect((await cut).output).toMatch(/curl: \((18|56)\)/);
  });

  test('UDP goes through a chain of SOCKS5 servers, the way that a rule says, or is refused at once', async () => {
    await using first = await world.proxy('dante');
    await using last = await world.proxy('dante');
    await using http = await world.proxy('tinyproxy');
    const chain = { servers: [serverOf(first, 's1'), serverOf(last, 's2')] };
    const mixed = {
      id: 'mixed',
      name: 'Mixed',
      chain: { servers: [serverOf(first, 's1'), serverOf(http, 's2')] },
    };
    const rules = [
      { id: 'silent', match: { to: ['1.1.1.1'], protocol: 'udp' }, action: 'block' },
      {
        id: 'plain',
        match: { to: ['8.8.8.8'], ports: [String(ports.echo)], protocol: 'udp' },
        action: 'direct',
      },
    ];
    writeConfig(world, { profiles: [profileOne({ chain }), mixed], rules });
    await capture[Symbol.asyncDispose]();
    const relays = [first, last].map(({ address }) => `not host ${address}`).join(' and ');
    capture = await world.capture({ only: relays });
    await using lane = await LaneShell.open(product, { profile: 'one' });
    const echo = (address: string) => `/usr/bin/python3 -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5); s.connect(("${address}", ${ports.echo}))
begin = time.monotonic()
try:
    s.send(b"hello"); print(s.recv(100))
except OSError as error: print(error.strerror, round(time.monotonic() - begin))'`;
    await world.internet.forget();
    expect(await lane.must(echo('203.0.113.7'))).toContain("b'hello'");
    const [seen] = (await world.internet.seen()).filter(({ port }) => port === ports.echo);
    expect(seen?.peer).toContain(last.address);
    expect((await flowTo(lane, '203.0.113.7'))?.via).toMatch(/socks5:.* → socks5:/);
    expect(await lane.must(echo('1.1.1.1'))).toMatch(/refused [01]\n/);
    expect(await flowTo(lane, '1.1.1.1')).toMatchObject({ state: 'refused', rule: 'silent' });
    expect(await lane.must(echo('8.8.8.8'))).toContain("b'hello'");
    expect(await flowTo(lane, '8.8.8.8')).toMatchObject({ rule: 'plain', via: 'direct' });
    expect(await capture.packets(({ destination }) => destination === '8.8.8.8')).not.toHaveLength(0);
    await capture[Symbol.asyncDispose]();
    capture = await world.capture({ only: relays });
    await switchTo(lane, 'mixed');
    expect(await lane.must(echo('203.0.113.7'))).toMatch(/refused [01]\n/);
  });

  test('egress names the interface that everything leaves by; one that is not there refuses with a sentence', async () => {
    writeConfig(world, { profiles: [profileOne({ egress: 'eth0' }), { ...profileTwo(), egress: 'none0' }] });
    await using lane = await LaneShell.open(product, { profile: 'one' });
    expect(await lane.must(fetch('by-eth0.example.test'))).toBe(greeting);
    await switchTo(lane, 'two');
    expect((await lane.run(fetch('by-none0.example.test'))).code).not.toBe(0);
    expect((await laneOf(lane)).notes.join('\n')).toMatch(/interface/);
    writeConfig(world, { profiles: [profileOne({ egress: 'lan0' })] });
    await switchTo(lane, 'one');
    expect(await lane.must(fetch('by-lan0.example.test'))).toBe(greeting);
    expect(said(one, 'by-lan0.example.test')).toBe(true);
    // The host's own route to the proxy leads out of the other interface.
    const sent = await capture.packets((packet) => packet.sent && packet.destinationPort === one.port);
    expect(new Set(sent.map(({ iface }) => iface))).toEqual(new Set(['eth0', 'lan0']));
  });

  test('a port of this computer’s loopback is open to the app only where the profile says so', async () => {
    await using lane = await LaneShell.open(product, { profile: 'one' });
    const local = `curl -sS --max-time 3 http://127.0.0.1:${ports.http}/`;
    expect((await lane.run(local)).code).not.toBe(0);
    writeConfig(world, { profiles: [profileOne({ hostAccess: { loopbackPorts: [ports.http] } })] });
    allowed.push({ address: '127.0.0.1', port: ports.http });
    await until('the port to be open', async () => (await lane.run(local)).output === greeting);
    expect((await lane.run(`curl -sS --max-time 3 http://127.0.0.1:${ports.https}/`)).code).not.toBe(0);
    writeConfig(world, { profiles: [profileOne()] });
    await until('the port to be shut', async () => (await lane.run(local)).code !== 0);
  });
});
