/** IPv6 over TCP: relayed where the upstream can, else refused at once, so that programs fall back. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { internet, ports } from '../world/addresses.ts';
import { describePackets } from '../world/capture.ts';
import { Product } from '../world/product.ts';
import { greeting } from '../world/servers/web.ts';
import { World } from '../world/world.ts';

let world: World;
let product: Product;

beforeAll(async () => {
  world = await World.create();
  product = Product.install(world);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const curl = ['curl', '-sS', '--max-time', '5'];

test.each(['dante', 'microsocks', 'tinyproxy'] as const)(
  'an IPv6 literal and a name go through %s',
  async (kind) => {
    await using proxy = await world.proxy(kind);
    await using capture = await world.capture();
    const lane = { proxy: proxy.url };
    expect(await product.must([...curl, `http://[${internet.web6}]/`], lane)).toBe(greeting);
    expect(await product.must([...curl, '-6', 'http://example.test/'], lane)).toBe(greeting);
    expect(describePackets(await capture.leaks(proxy.exceptions))).toBe('');
  },
);

test('directly, from the host namespace', async () => {
  const lane = { proxy: 'direct', options: ['--quiet'] };
  expect(await product.must([...curl, `http://[${internet.web6}]/`], lane)).toBe(greeting);
  expect(await product.must([...curl, '-6', 'http://example.test/'], lane)).toBe(greeting);
});

test('an IPv4-mapped address is the IPv4 address that it means', async () => {
  await using proxy = await world.proxy('dante');
  await world.internet.forget();
  const script = `
import socket
s = socket.socket(socket.AF_INET6); s.connect(('::ffff:${internet.web4}', ${ports.banner})); print(s.recv(3).decode())
`;
  expect(await product.must(['/usr/bin/python3', '-c', script], { proxy: proxy.url })).toBe('220\n');
  expect((await world.internet.seen()).map(({ address }) => address)).toEqual([internet.web4]);
});

test('an upstream that cannot carry IPv6 refuses a literal at once, and a name comes by IPv4', async () => {
  // ssh -D speaks SOCKS4a as well, which has no IPv6 addresses.
  await using proxy = await world.proxy('ssh');
  await using capture = await world.capture();
  const url = proxy.url.replace('socks5:', 'socks4a:');
  const script = `
import socket, time
start = time.monotonic()
try:
    s = socket.create_connection(('${internet.web6}', ${ports.http}), 5); s.sendall(b'x'); s.recv(1); print('answered')
except (ConnectionResetError, ConnectionRefusedError): print('refused', time.monotonic() - start < 0.1)
s = socket.create_connection(('example.test', ${ports.banner})); print(s.recv(3).decode(), s.family.name)
`;
  expect(await product.must(['/usr/bin/python3', '-c', script], { proxy: url })).toBe(
    'refused True\n220 AF_INET\n',
  );
  expect(describePackets(await capture.leaks(proxy.exceptions))).toBe('');
});
