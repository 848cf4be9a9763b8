/** The ways out that a profile can name: chains, HTTPS, UDP through several servers, interfaces, open ports. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ports } from '../world/addresses.ts';
import { contentHash } from '../world/content.ts';
import { greeting } from '../world/servers/web.ts';
import { until } from '../world/until.ts';
import { LaneShell } from './lane-shell.ts';
import { fetchPage, PolicyStage, said } from './policy-stage.ts';
import { serverOf, writeConfig } from './settings.ts';

let stage: PolicyStage;

beforeAll(async () => {
  stage = await PolicyStage.open();
});
afterAll(async () => {
  await stage.world[Symbol.asyncDispose]();
});
beforeEach(() => stage.begin());
afterEach(() => stage.expectNoLeaks());

test('a chain of several kinds carries TCP to a name', async () => {
  await using http = await stage.world.proxy('tinyproxy');
  await using squid = await stage.world.proxy('squid', { signIn: true });
  const chain = { servers: [serverOf(stage.one, 's1'), serverOf(http, 's2'), serverOf(stage.two, 's3')] };
  writeConfig(stage.world, { profiles: [stage.profileOne({ chain })] });
  await using lane = await LaneShell.open(stage.product, { profile: 'one' });
  expect(await lane.must(fetchPage('chained.example.test'))).toBe(greeting);
  expect(said(stage.two, 'chained.example.test')).toBe(true);
  expect(said(stage.one, http.address)).toBe(true);
  expect((await stage.flowTo(lane, 'chained.example.test'))?.via).toMatch(/socks5:.* → http:.* → socks5:/);
  const given = [stage.one.url, squid.url].flatMap((url) => ['--proxy', url]);
  const run = [stage.product.culvert, 'run', ...given, '--', 'sh', '-c', fetchPage('given.example.test')];
  expect(await stage.world.must(run, { user: 'culvert-a' })).toBe(greeting);
});

test('an HTTPS proxy is one like others: large downloads are whole', async () => {
  await using tls = await stage.world.proxy('stunnel');
  // All that a download is made of is more than a capture can keep.
  await stage.captureAnew(`not tcp port ${tls.port}`);
  const env = { NODE_EXTRA_CA_CERTS: stage.world.certificates.authority };
  writeConfig(stage.world, { profiles: [stage.profileOne({ chain: { servers: [serverOf(tls)] } })] });
  await using lane = await LaneShell.open(stage.product, { profile: 'one', env });
  stage.allowed.push(...tls.exceptions);
  expect(await lane.must(fetchPage('by-tls.example.test'))).toBe(greeting);
  const down = 'curl -sS --max-time 20 http://by-tls.example.test/bytes/30000000 | sha256sum';
  expect(await lane.must(down)).toContain(contentHash(30_000_000));
  const up = `head -c 20000000 /dev/zero | curl -sS --max-time 20 -T - http://by-tls.example.test/hash`;
  expect(await lane.must(up)).toMatch(/^20000000 [0-9a-f]{64}/);
  // What breaks behind it must not look like an end.
  const cut = lane.run(`curl -sS --max-time 20 http://cut.example.test/bytes/9000000000 | wc -c`);
  await until(
    'the download to run',
    async () => (await stage.flowTo(lane, 'cut.example.test'))?.state === 'open',
  );
  await tls.kill();
  expect((await cut).output).toMatch(/curl: \((18|56)\)/);
});

test('UDP goes through a chain of SOCKS5 servers, the way that a rule says, or is refused at once', async () => {
  await using first = await stage.world.proxy('dante');
  await using last = await stage.world.proxy('dante');
  await using http = await stage.world.proxy('tinyproxy');
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
  writeConfig(stage.world, { profiles: [stage.profileOne({ chain }), mixed], rules });
  const relays = [first, last].map(({ address }) => `not host ${address}`).join(' and ');
  await stage.captureAnew(relays);
  await using lane = await LaneShell.open(stage.product, { profile: 'one' });
  const echo = (address: string) => `/usr/bin/python3 -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5); s.connect(("${address}", ${ports.echo}))
begin = time.monotonic()
try:
    s.send(b"hello"); print(s.recv(100))
except OSError as error: print(error.strerror, round(time.monotonic() - begin))'`;
  await stage.world.internet.forget();
  expect(await lane.must(echo('203.0.113.7'))).toContain("b'hello'");
  const [seen] = (await stage.world.internet.seen()).filter(({ port }) => port === ports.echo);
  expect(seen?.peer).toContain(last.address);
  expect((await stage.flowTo(lane, '203.0.113.7'))?.via).toMatch(/socks5:.* → socks5:/);
  expect(await lane.must(echo('1.1.1.1'))).toMatch(/refused [01]\n/);
  expect(await stage.flowTo(lane, '1.1.1.1')).toMatchObject({ state: 'refused', rule: 'silent' });
  expect(await lane.must(echo('8.8.8.8'))).toContain("b'hello'");
  expect(await stage.flowTo(lane, '8.8.8.8')).toMatchObject({ rule: 'plain', via: 'direct' });
  expect(await stage.capture.packets(({ destination }) => destination === '8.8.8.8')).not.toHaveLength(0);
  await stage.captureAnew(relays);
  await stage.switchTo(lane, 'mixed');
  expect(await lane.must(echo('203.0.113.7'))).toMatch(/refused [01]\n/);
});

test('egress names the interface that everything leaves by; one that is not there refuses with a sentence', async () => {
  writeConfig(stage.world, {
    profiles: [stage.profileOne({ egress: 'eth0' }), { ...stage.profileTwo(), egress: 'none0' }],
  });
  await using lane = await LaneShell.open(stage.product, { profile: 'one' });
  expect(await lane.must(fetchPage('by-eth0.example.test'))).toBe(greeting);
  await stage.switchTo(lane, 'two');
  expect((await lane.run(fetchPage('by-none0.example.test'))).code).not.toBe(0);
  expect((await stage.laneOf(lane)).notes.join('\n')).toMatch(/interface/);
  writeConfig(stage.world, { profiles: [stage.profileOne({ egress: 'lan0' })] });
  await stage.switchTo(lane, 'one');
  expect(await lane.must(fetchPage('by-lan0.example.test'))).toBe(greeting);
  expect(said(stage.one, 'by-lan0.example.test')).toBe(true);
  // The host's own route to the proxy leads out of the other interface.
  const sent = await stage.capture.packets(
    (packet) => packet.sent && packet.destinationPort === stage.one.port,
  );
  expect(new Set(sent.map(({ iface }) => iface))).toEqual(new Set(['eth0', 'lan0']));
});

test('a port of this computer’s loopback is open to the app only where the profile says so', async () => {
  await using lane = await LaneShell.open(stage.product, { profile: 'one' });
  const local = `curl -sS --max-time 3 http://127.0.0.1:${ports.http}/`;
  expect((await lane.run(local)).code).not.toBe(0);
  writeConfig(stage.world, { profiles: [stage.profileOne({ hostAccess: { loopbackPorts: [ports.http] } })] });
  stage.allowed.push({ address: '127.0.0.1', port: ports.http });
  await until('the port to be open', async () => (await lane.run(local)).output === greeting);
  expect((await lane.run(`curl -sS --max-time 3 http://127.0.0.1:${ports.https}/`)).code).not.toBe(0);
  writeConfig(stage.world, { profiles: [stage.profileOne()] });
  await until('the port to be shut', async () => (await lane.run(local)).code !== 0);
});
