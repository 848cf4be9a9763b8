/** `--dns fake`: names get addresses of the lane's own and go to the proxy as names. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describePackets, type Capture } from '../world/capture.ts';
import { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { greeting } from '../world/servers/web.ts';
import { until } from '../world/until.ts';
import { World } from '../world/world.ts';
import { LaneShell } from './lane-shell.ts';

const fakeV4 = /^198\.1[89]\.[0-9]+\.[0-9]+$/m;

let world: World;
let product: Product;
let proxy: Proxy;
let capture: Capture;
let lane: LaneShell;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
  proxy = await world.proxy('microsocks');
  capture = await world.capture();
  lane = await LaneShell.open(product, { proxy: proxy.url, isolation: 'rootless' });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const dig = (question: string) => lane.must(`dig +tries=1 +time=3 ${question}`);
const short = (question: string) => dig(`+short ${question}`);

interface Flow {
  readonly proto: string;
  readonly host?: string;
  readonly address: string;
  readonly port: number;
}

/** The flows of the lane, asked for as the window does. */
async function flows(): Promise<Flow[]> {
  const { uid } = world.users['culvert-a'];
  const script = `
import json, socket
s = socket.socket(socket.AF_UNIX); s.connect('/run/user/${uid}/culvert/engine-${lane.running.pid}.sock')
s.sendall(json.dumps({'jsonrpc': '2.0', 'id': 1, 'method': 'flows', 'params': {}}).encode() + bytes([10]))
print(s.makefile().readline())
`;
  const reply = await world.must(['/usr/bin/python3', '-c', script], { user: 'culvert-a' });
  return (JSON.parse(reply) as { result: Flow[] }).result;
}

describe('a name', () => {
  test('goes to the proxy as a name, in the spelling of DNS, and the flow carries it', async () => {
    expect(await lane.must('curl -sS http://By-Name.example.test/')).toBe(greeting);
    // microsocks says "client[4] 192.0.2.10: connected to by-name.example.test:80".
    await until('the proxy to say the name', () =>
      proxy.process.stderr.includes('connected to by-name.example.test:80'),
    );
    const flow = (await flows()).find(({ host }) => host === 'by-name.example.test');
    expect(flow).toMatchObject({ proto: 'tcp', port: 80 });
    expect(flow?.address).toMatch(/^(198\.1[89]|fdc0)/);
  });

  test('keeps its address, whatever its case, and another name has another', async () => {
    const first = await short('one.example.test');
    expect(first).toMatch(fakeV4);
    expect(await short('ONE.Example.test')).toBe(first);
    expect(await short('two.example.test')).not.toBe(first);
  });

  test('is found again from either address', async () => {
    const v4 = await short('back.example.test');
    const v6 = await short('AAAA back.example.test');
    for (const address of [v4, v6]) {
      expect(await short(`-x ${address}`)).toBe('back.example.test.\n');
      expect(await lane.must(`getent hosts ${address}`)).toMatch(/back\.example\.test$/m);
    }
  });

  test('that no proxy may be asked for stays here', async () => {
    await capture.clear();
    await world.internet.forget();
    for (const name of ['printer.local', 'a.invalid', 'use-application-dns.net'])
      expect(await dig(name)).toContain('status: NXDOMAIN');
    expect(await short('localhost')).toBe('127.0.0.1\n');
    expect(await short('AAAA deep.localhost')).toBe('::1\n');
    expect(await dig('-x 8.8.8.8')).toContain('status: NXDOMAIN');
    expect(await dig('-x 192.168.1.1')).toContain('status: NXDOMAIN');
    expect(describePackets(await capture.packets())).toBe('');
    expect(await world.internet.queries()).toEqual([]);
    // The positive control.
    await world.run(['dig', '+tries=1', '+time=3', 'printer.local']);
    expect(await world.internet.queries()).toEqual(['A printer.local']);
  });
});

describe('an answer', () => {
  test('repeats the question letter by letter (0x20)', async () => {
    const said = await dig('eXaMpLe.tEsT');
    expect(said).toMatch(/^;eXaMpLe\.tEsT\.\s+IN\s+A$/m);
    expect(said).toMatch(/^eXaMpLe\.tEsT\.\s+[0-9]+\s+IN\s+A\s+198\.1[89]\./m);
  });

  test.each(['TYPE65', 'TYPE64', 'MX', 'TXT', 'SRV'])(
    'to %s has no record and no address hint',
    async (type) => {
      const said = await dig(`${type} example.test`);
      expect(said).toContain('status: NOERROR');
      expect(said).toMatch(/ANSWER: 0/);
      expect(said).not.toContain('ipv4hint');
    },
  );

  test('speaks EDNS with those who do', async () => {
    expect(await dig('+bufsize=4096 +dnssec +cookie=0123456789abcdef example.test')).toMatch(
      /EDNS: version: 0, flags:.*udp: 1232\n(?!.*COOKIE)/,
    );
    expect(await dig('+noedns example.test')).not.toContain('EDNS');
    expect(await dig('+edns=1 +noednsneg example.test')).toContain('status: BADVERS');
  });

  test('comes after a flood of broken queries as before', async () => {
    const flood = `
import os, random, socket
random.seed(7)
good = bytes.fromhex('123401000001000000000000') + b'\\7example\\4test\\0\\0\\1\\0\\1'
for family, to in ((socket.AF_INET, '8.8.8.8'), (socket.AF_INET6, '::1')):
    u = socket.socket(family, socket.SOCK_DGRAM)
    for n in range(2000):
        bad = bytearray(good if n % 2 else random.randbytes(random.randrange(600)))
        for _ in range(3):
            if bad: bad[random.randrange(len(bad))] = random.randrange(256)
        u.sendto(bytes(bad), (to, 53))
    for n in range(50):
        t = socket.socket(family); t.connect((to, 53)); t.sendall(random.randbytes(300)); t.close()
`;
    await lane.must(`cat > flood.py <<'END'\n${flood}\nEND\n/usr/bin/python3 flood.py; rm flood.py`);
    expect(await short('after-the-flood.example.test')).toMatch(fakeV4);
    expect(await short('@::1 after-the-flood.example.test')).toMatch(fakeV4);
  });
});

test('a fake address without a name is refused at once, and nothing is dialled', async () => {
  await using dante = await world.proxy('dante');
  await using other = await LaneShell.open(product, { proxy: dante.url, isolation: 'rootless' });
  await Promise.all([world.internet.forget(), capture.clear()]);
  const script = `
import socket, time
for family, address in ((socket.AF_INET, '198.19.200.1'), (socket.AF_INET6, 'fdc0:1a7e:f::c613:c801')):
    start = time.monotonic()
    try: socket.create_connection((address, 80), timeout=5).recv(1); print('connected')
    except (ConnectionRefusedError, ConnectionResetError): print('refused')
    u = socket.socket(family, socket.SOCK_DGRAM); u.settimeout(5); u.connect((address, 443))
    try: u.send(b'x'); u.recv(1); print('answered')
    except ConnectionRefusedError: print('refused')
    print(time.monotonic() - start < 1)
`;
  await other.must(`cat > unmapped.py <<'END'\n${script}\nEND`);
  expect(await other.must('/usr/bin/python3 unmapped.py; rm unmapped.py')).toBe(
    'refused\nrefused\nTrue\n'.repeat(2),
  );
  expect(await world.internet.seen()).toEqual([]);
  expect(describePackets(await capture.leaks(dante.exceptions))).toBe('');
});

test('a proxy that cannot carry IPv6 has names without IPv6 addresses, and they work', async () => {
  await using ssh = await world.proxy('ssh');
  const url = ssh.url.replace('socks5:', 'socks4a:');
  await using old = await LaneShell.open(product, { proxy: url, isolation: 'rootless' });
  expect(await old.must('dig +short example.test')).toMatch(fakeV4);
  const said = await old.must('dig AAAA example.test');
  expect(said).toContain('status: NOERROR');
  expect(said).toMatch(/ANSWER: 0/);
  expect(await old.must('curl -sS http://example.test/')).toBe(greeting);
});
