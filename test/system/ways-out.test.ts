/** The ways out that a profile can name: chains, HTTPS, UDP through several servers, interfaces, open ports. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { host, internet, ports } from '../world/addresses.ts';
import { contentHash } from '../world/content.ts';
import { greeting } from '../world/servers/web.ts';
import { until } from '../world/until.ts';
import { LaneShell } from './lane-shell.ts';
import { fetchPage, hears, PolicyStage } from './policy-stage.ts';
import { probe } from './reports.ts';
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
  await hears(stage.two, 'chained.example.test');
  await hears(stage.one, http.address);
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

test('an HTTPS proxy that cannot be verified is accepted by the fingerprint that was told of it, and by no other', async () => {
  await using tls = await stage.world.proxy('stunnel');
  stage.allowed.push(...tls.exceptions);
  writeConfig(stage.world, { probe, profiles: [stage.profileOne({ chain: { servers: [serverOf(tls)] } })] });
  const culvert = (...args: string[]) =>
    stage.world.run([stage.product.culvert, 'profile', ...args], { user: 'culvert-a' });
  await using lane = await LaneShell.open(stage.product, { profile: 'one' });
  expect((await lane.run(fetchPage('unknown.example.test'))).code).not.toBe(0);
  const tested = await culvert('test', 'one');
  expect(tested.code).toBe(4);
  const [, seen = ''] = /SHA-256 ([0-9a-f]{64})/.exec(tested.stdout) ?? [];

  expect((await culvert('edit', 'one', '--fingerprint', seen)).code).toBe(0);
  await until(
    'it to be accepted',
    async () => (await lane.run(fetchPage('known.example.test'))).output === greeting,
  );
  expect((await culvert('test', 'one')).stdout).toMatch(/^one +web +ok /m);

  expect((await culvert('edit', 'one', '--fingerprint', 'ab'.repeat(32))).code).toBe(0);
  await until('it to be refused', async () => (await lane.run(fetchPage('other.example.test'))).code !== 0);
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
  await hears(stage.one, 'by-lan0.example.test');
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

test('the local network is reached through the proxy, directly, or not at all, as the profile says', async () => {
  const there = (lan: string) => stage.profileOne({ hostAccess: { lan } });
  await using lane = await LaneShell.open(stage.product, { profile: 'one' });
  const peer = () => lane.run(`curl -sS --max-time 5 http://${internet.lan4}/peer`);
  const sentThere = () => stage.capture.packets(({ destination }) => destination === internet.lan4);

  expect((await peer()).code).toBe(0);
  await hears(stage.one, internet.lan4);
  expect(await sentThere()).toEqual([]);

  writeConfig(stage.world, { profiles: [there('block')] });
  await until('the local network to be shut', async () => (await peer()).code !== 0);
  expect(await stage.flowTo(lane, internet.lan4)).toBeDefined();
  expect(await sentThere()).toEqual([]);

  stage.allowed.push({ address: internet.lan4, port: ports.http });
  writeConfig(stage.world, { profiles: [there('direct')] });
  await until('the local network to be open', async () => (await peer()).output === `${host.lan4}\n`);
  expect(new Set((await sentThere()).map(({ iface }) => iface))).toEqual(new Set(['lan0']));
  // All else still goes through the proxy.
  expect(await lane.must(fetchPage(internet.web4))).toBe(greeting);
  await hears(stage.one, internet.web4);
});

test('one app goes out directly by another interface, TCP and UDP, and not at all while that is not there', async () => {
  const direct = (egress: string) => ({
    ...{ id: 'out', name: 'Out', action: 'direct', dns: { mode: 'host' }, egress },
  });
  const rules = [{ id: 'plain', match: { to: [internet.web4], profiles: ['one'] }, action: 'direct' }];
  writeConfig(stage.world, {
    profiles: [direct('lan0'), stage.profileOne({ egress: 'lan0' }), stage.profileTwo()],
    rules,
  });
  await stage.captureAnew(`not port ${ports.echo}`);
  await using lane = await LaneShell.open(stage.product, { profile: 'out' });
  const fetchPeer = `curl -sS --max-time 5 http://${internet.web4}/peer`;
  const sent = () => stage.capture.packets((packet) => packet.sent && packet.destination === internet.web4);
  stage.allowed.push({ address: internet.web4, port: ports.http });

  expect(await lane.must(fetchPeer)).toBe(`${host.lan4}\n`);
  await stage.world.internet.forget();
  const echo = (size: number) => `/usr/bin/python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5); s.connect(("203.0.113.7", ${ports.echo}))
s.send(bytes(${size})); print(len(s.recv(1000)))'`;
  expect(await lane.must(echo(77))).toBe('77\n');
  const seen = (await stage.world.internet.seen()).filter(
    ({ proto, bytes }) => proto === 'udp' && bytes === 77,
  );
  expect(seen.map(({ peer }) => peer)).toEqual([host.lan4]);

  // The same by a rule of a profile whose proxy is dialled from there.
  await stage.switchTo(lane, 'one');
  expect(await lane.must(fetchPeer)).toBe(`${host.lan4}\n`);
  expect(await stage.flowTo(lane, internet.web4)).toMatchObject({ via: 'direct (lan0)' });
  expect(new Set((await sent()).map(({ iface }) => iface))).toEqual(new Set(['lan0']));

  // The host's own route would lead there; without the interface nothing does.
  writeConfig(stage.world, { profiles: [direct('none0')] });
  await stage.captureAnew();
  await stage.switchTo(lane, 'out');
  expect((await lane.run(fetchPeer)).code).not.toBe(0);
  expect((await lane.run(echo(78))).code).not.toBe(0);
  expect((await stage.laneOf(lane)).notes.join('\n')).toMatch(
    /the interface that the profile names as the way out is not there/,
  );
  expect(await stage.capture.packets(({ destination }) => destination === internet.web4)).toEqual([]);
  stage.allowed.splice(0);
});

test('a second chain sends its datagrams by its own interface, not by that of the first', async () => {
  await using first = await stage.world.proxy('dante');
  await using second = await stage.world.proxy('dante');
  const failing = {
    ...stage.profileOne({ chain: { servers: [serverOf(first)] } }),
    failure: { policy: 'failover', profile: 'two' },
  };
  const other = { ...stage.profileTwo(), chain: { servers: [serverOf(second)] }, egress: 'lan0' };
  writeConfig(stage.world, { profiles: [failing, other] });
  await stage.captureAnew('udp');
  stage.allowed.push(...first.exceptions, ...second.exceptions);
  await using lane = await LaneShell.open(stage.product, { profile: 'one' });
  await first.kill();
  const echo = `/usr/bin/python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5); s.connect(("203.0.113.7", ${ports.echo}))
s.send(b"hello"); print(s.recv(100))'`;
  await until('a datagram to come back', async () => (await lane.run(echo)).output.includes("b'hello'"));
  const sent = await stage.capture.packets(
    ({ sent: isSent, destination }) => isSent && destination === second.address,
  );
  expect(new Set(sent.map(({ iface }) => iface))).toEqual(new Set(['lan0']));
  // What was seen is what was looked for; TCP was not looked at.
  await stage.captureAnew();
});
