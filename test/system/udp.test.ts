/** UDP on a lane: through SOCKS5 or from the host namespace, full cone, or refused at once. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { host, internet, ports } from '../world/addresses.ts';
import { describePackets } from '../world/capture.ts';
import { isolations, Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { World } from '../world/world.ts';

let world: World;
let product: Product;
let proxy: Proxy;
/** A second, independent server of UDP ASSOCIATE. */
let second: Proxy;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
  proxy = await world.proxy('dante');
  second = await world.proxy('shadowsocks');
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** A Python client: `u` is an unconnected socket of the family with a time-out. */
function client(family: 4 | 6, script: string): string[] {
  const head = `
import socket, time, errno, os, struct
u = socket.socket(socket.AF_INET${family === 6 ? '6' : ''}, socket.SOCK_DGRAM)
u.settimeout(3)
def ask(data, to, size=70000):
    u.sendto(data, to)
    return u.recvfrom(size)
`;
  return ['/usr/bin/python3', '-c', head + script];
}

const echo4 = `('${internet.web4}', ${ports.echo})`;
const echo6 = `('${internet.web6}', ${ports.echo})`;

/**
 * Proxied flows, and those of a direct profile, behave alike; the largest datagram is what SOCKS5's header
 * leaves of IPv4's 65,507 bytes, and what shadowsocks takes.
 */
const ways: [string, () => string, number][] = [
  ['through dante', () => proxy.url, 65_497],
  ['through shadowsocks', () => second.url, 1350],
  ['direct', () => 'direct', 65_507],
];

describe.each(ways)('%s', (_name, url, largest) => {
  const lane = () => ({ proxy: url(), options: ['--quiet'] });

  test.each([
    ['IPv4', 4, echo4, internet.web4],
    ['IPv6', 6, echo6, internet.web6],
  ] as const)(
    'a datagram of %s comes back from where it was sent to',
    async (_family, family, to, address) => {
      const script = `data, peer = ask(b'hello', ${to}); print(data.decode(), peer[0], peer[1])`;
      expect(await product.must(client(family, script), lane())).toBe(`hello ${address} ${ports.echo}\n`);
    },
  );

  test(`datagrams from no byte to ${largest}`, async () => {
    const sizes = [0, 1, 1200, 9000, 60_000, largest].filter((size) => size <= largest);
    const script = `
for size in ${JSON.stringify(sizes)}:
    sent = os.urandom(size)
    data, _ = ask(sent, ${echo4})
    print(size, data == sent)
`;
    expect(await product.must(client(4, script), lane())).toBe(
      sizes.map((size) => `${size} True\n`).join(''),
    );
  });

  test('one socket talks to many peers, and each answers as itself', async () => {
    const peers = [internet.web4, internet.dns4, '203.0.113.7', '8.8.8.8', '1.1.1.1', '10.1.2.3'];
    const script = `
for peer in ${JSON.stringify(peers)}:
    data, source = ask(peer.encode(), (peer, ${ports.echo}))
    print(data.decode() == source[0] == peer)
`;
    expect(await product.must(client(4, script), lane())).toBe('True\n'.repeat(peers.length));
  });

  test('an answer from a peer that was not written to is delivered (full cone)', async () => {
    const script = `data, peer = ask(b'hello', ('${internet.web4}', ${ports.otherPeer})); print(data.decode(), peer)`;
    const port = ports.otherPeer + 1;
    expect(await product.must(client(4, script), lane())).toContain(`('${internet.web4}', ${port})`);
  });

  test('a connected socket and names work; the answer comes from the address that the name had', async () => {
    const script = `
address = socket.getaddrinfo('example.test', ${ports.echo}, socket.AF_INET, socket.SOCK_DGRAM)[0][4]
u.connect(address); u.send(b'by name'); print(u.recv(100).decode(), u.getpeername() == address)
`;
    expect(await product.must(client(4, script), lane())).toBe('by name True\n');
  });

  test('two names of one server, asked from one port in turn, each answer as themselves', async () => {
    const script = `
names = [socket.gethostbyname(name) for name in ('one.example.test', 'two.example.test')]
print(len(set(names)))
for name in names + names + names[::-1]:
    data, peer = ask(name.encode(), (name, ${ports.echo}))
    print(data.decode() == peer[0] == name)
`;
    expect(await product.must(client(4, script), lane())).toBe(
      `${url() === 'direct' ? 1 : 2}\n${'True\n'.repeat(6)}`,
    );
  });
});

test('nothing leaves but the connection to the proxy and its datagrams', async () => {
  await using capture = await world.capture();
  await product.must(client(4, `print(ask(b'hello', ${echo4}))`), { proxy: proxy.url });
  const strange = (await capture.packets()).filter(
    ({ source, destination }) => ![source, destination].includes(proxy.address),
  );
  expect(describePackets(strange)).toBe('');
  // The positive control: the same outside of a lane is seen.
  await world.must(client(4, `print(ask(b'hello', ${echo4}))`));
  expect(describePackets(await capture.packets())).toContain(host.v4);
});

/** Why UDP cannot go, and the words of it. */
const refusals: [string, () => Promise<{ url: string; options: string[] }>][] = [
  ['an HTTP proxy', async () => ({ url: (await world.proxy('tinyproxy')).url, options: [] })],
  ['a SOCKS4 proxy', () => Promise.resolve({ url: 'socks4a://203.0.113.5:9', options: [] })],
  [
    'a proxy that refuses ASSOCIATE',
    async () => ({ url: (await world.proxy('microsocks')).url, options: [] }),
  ],
  ['--udp block', () => Promise.resolve({ url: proxy.url, options: ['--udp', 'block'] })],
];

describe.each(refusals)('with %s', (_name, make) => {
  test.each([
    ['IPv4', 4, echo4],
    ['IPv6', 6, echo6],
  ] as const)('UDP over %s is refused within 100 ms, and nothing leaves', async (_family, family, to) => {
    const { url, options } = await make();
    await using capture = await world.capture();
    const script = `
u.connect(${to})
took = []
for attempt in range(3):
    start = time.monotonic()
    try:
        u.send(b'hello'); u.recv(10); print('answered')
    except ConnectionRefusedError: took.append(time.monotonic() - start)
    except TimeoutError: print('silent')
print(len(took), all(seconds < 0.1 for seconds in took[1:]), took[0] < 1)
`;
    expect(await product.must(client(family, script), { proxy: url, options })).toBe('3 True True\n');
    const strange = (await capture.packets()).filter(({ proto }) => proto === 'udp');
    expect(describePackets(strange)).toBe('');
  });
});

test.each(isolations)('a lane of either kind carries UDP (%s)', async (isolation) => {
  expect(
    await product.must(client(4, `print(ask(b'hello', ${echo4})[0])`), { proxy: proxy.url, isolation }),
  ).toBe("b'hello'\n");
});

test('a refusal of UDP is one line on the lane', async () => {
  await using socks = await world.proxy('microsocks');
  const script = `
import sys
for attempt in range(3):
    try: u.connect(${echo4}); u.send(b'x'); u.recv(1)
    except ConnectionRefusedError: pass
print('refused', flush=True); sys.stdin.readline()
`;
  await using running = product.spawn(client(4, script), { proxy: socks.url });
  await running.says(/refused/);
  const { lanes } = JSON.parse(
    await world.must([product.culvert, 'ps', '--json'], { user: 'culvert-a' }),
  ) as {
    lanes: { notes: string[] }[];
  };
  expect(lanes.map(({ notes }) => notes)).toEqual([['UDP refused: the proxy does not offer it']]);
  running.child.stdin?.end('\n');
  expect((await running.ended).code).toBe(0);
});
