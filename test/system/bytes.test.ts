/** What goes in comes out: every byte, every end, every reset, in both directions, through real proxies. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { internet, ports } from '../world/addresses.ts';
import { contentHash } from '../world/content.ts';
import { isolations, Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { until } from '../world/until.ts';
import { World } from '../world/world.ts';

const gibibyte = 1024 ** 3;

let world: World;
let product: Product;
let proxy: Proxy;
/** Passes resets on, which real proxies do not. */
let mirror: Proxy;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
  proxy = await world.proxy('dante');
  mirror = await world.proxy('mirror');
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** A Python client: `s` is connected to the port of the internet's web server, the rest is the test's. */
function client(port: number, script: string): string[] {
  const head = `
import hashlib, os, socket, sys, time
s = socket.create_connection(('${internet.web4}', ${port}))
def rest():
    parts = []
    while (part := s.recv(65536)): parts.append(part)
    return b''.join(parts)
`;
  return ['/usr/bin/python3', '-c', head + script];
}

describe.each(isolations)('%s', (isolation) => {
  const lane = () => ({ proxy: proxy.url, isolation });
  const exact = () => ({ proxy: mirror.url, isolation });

  test('1 GiB comes down unchanged', async () => {
    const fetch = `curl -sS --fail http://example.test/bytes/${gibibyte} | sha256sum`;
    expect(await product.must(['sh', '-c', fetch], lane())).toBe(`${contentHash(gibibyte)}  -\n`);
  });

  test('1 GiB goes up unchanged, and the answer to its end comes back', async () => {
    const script = `
hash, left, block = hashlib.sha256(), ${gibibyte}, os.urandom(1 << 20)
while left > 0:
    s.sendall(block); hash.update(block); left -= len(block)
s.shutdown(socket.SHUT_WR)
print(rest().decode().strip() == f'${gibibyte} {hash.hexdigest()}')
`;
    expect(await product.must(client(ports.clientEndsFirst, script), lane())).toBe('True\n');
  });

  test('a side that ends first still gets what the other has to say', async () => {
    const clientFirst = `s.sendall(b'question'); s.shutdown(socket.SHUT_WR); print(rest().decode())`;
    expect(await product.must(client(ports.clientEndsFirst, clientFirst), lane())).toMatch(
      /^8 [0-9a-f]{64}\n/,
    );
    await world.internet.forget();
    const serverFirst = `
print(rest().decode(), end='')
time.sleep(0.2); s.sendall(b'said after the end'); s.shutdown(socket.SHUT_WR); s.close()
`;
    expect(await product.must(client(ports.serverEndsFirst, serverFirst), lane())).toBe('first\n');
    await until('the server to have read it', async () =>
      (await world.internet.seen()).find(({ bytes, sha256 }) => bytes === 18 && sha256 !== undefined),
    );
  });

  test('a server that speaks first is heard', async () => {
    expect(await product.must(client(ports.banner, `print(s.recv(100).decode(), end='')`), lane())).toBe(
      '220 this server speaks first\r\n',
    );
  });

  test('a reset is a reset and not an end', async () => {
    const script = `
s.sendall(b'x')
try: print('end', rest())
except ConnectionResetError: print('reset')
`;
    expect(await product.must(client(ports.reset, script), exact())).toBe('reset\n');
  });

  test('the app’s reset reaches the server', async () => {
    await world.internet.forget();
    const script = `
import struct
s.sendall(b'x'); s.recv(1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); s.close()
time.sleep(0.3)
`;
    await product.must(client(ports.echo, script), exact());
    await until('the reset', async () => (await world.internet.seen()).some(({ end }) => end === 'reset'));
  });

  test('what a program wrote before it ended still arrives', async () => {
    await world.internet.forget();
    const script = `s.sendall(b'z' * 3_000_000); os._exit(0)`;
    await product.must(client(ports.discard, script), lane());
    await until('all of it', async () =>
      (await world.internet.seen()).some(({ bytes }) => bytes === 3_000_000),
    );
  });

  test('an engine that is killed looks like a reset to the app, never like an end', async () => {
    const script = `
got = s.recv(65536)
print('flowing', flush=True)
try:
    while s.recv(65536): pass
    print('end')
except ConnectionResetError: print('reset')
start = time.monotonic()
while time.monotonic() < start + 1:
    try: socket.create_connection(('${internet.web4}', ${ports.http}), timeout=1)
    except ConnectionResetError: pass # accepted by the kernel for a listener that was being closed
    except OSError as error:
        print(type(error).__name__, error.errno, time.monotonic() - start < 0.1)
        break
`;
    const log = join(world.users['culvert-a'].home, `killed-${isolation}`);
    const running = product.spawn(
      ['sh', '-c', `"$@" > ${log} 2>&1`, 'sh', ...client(ports.source, script)],
      lane(),
    );
    const said = () => world.run(['cat', log]).then(({ stdout }) => stdout);
    await until('the flow', async () => (await said()).includes('flowing'));
    running.kill('SIGKILL');
    await until('the app to notice', async () => (await said()).split('\n').length > 3);
    expect(await said()).toMatch(/^flowing\nreset\n(ConnectionRefusedError 111|OSError 101) True\n$/);
  });
});
