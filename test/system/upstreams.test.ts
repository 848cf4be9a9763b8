/** Single upstreams against real proxies: sign-in by Basic and Digest, TLS, IPv6, and the interface to leave by. */
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Upstream } from '#shared/model.ts';
import { host, internet, ports } from '../world/addresses.ts';
import { describePackets } from '../world/capture.ts';
import { Product } from '../world/product.ts';
import { World } from '../world/world.ts';
import { ask, drive, upstreamOf, type DriverRequest } from './upstream-drive.ts';

let world: World;
let product: Product;

beforeAll(async () => {
  world = await World.create();
  product = Product.install(world);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const say = 'both ways';

/** One connection through one upstream to a server that echoes; it ends when its client has. */
function through(upstream: Upstream, more: Partial<DriverRequest> = {}): DriverRequest {
  return {
    spec: { mode: 'strict', upstreams: [upstream] },
    host: 'example.test',
    port: ports.echo,
    say,
    ...more,
  };
}

describe.each(['squid', 'squid-digest'] as const)('%s with a sign-in', (kind) => {
  test('lets the right password in, by name and by number, also fifty times and more', async () => {
    await using proxy = await world.proxy(kind, { signIn: true });
    const upstream = upstreamOf(proxy);
    const hosts = ['example.test', internet.web4, internet.web6];
    const answers = await drive(world, product, [
      ...hosts.map((to) => through(upstream, { host: to })),
      through(upstream, { times: 70 }),
      ...Array.from({ length: 60 }, () => through(upstream)),
    ]);
    expect(answers.map(({ got, failure }) => got ?? failure)).toEqual(answers.map(() => say));
  });

  test('refuses a wrong one and none, and says how it is signed in to', async () => {
    await using proxy = await world.proxy(kind, { signIn: true });
    const { kind: scheme, host: at, port } = upstreamOf(proxy);
    const bare: Upstream = { kind: scheme, host: at, port };
    const wrong = upstreamOf(proxy, { password: 'wrong' });
    const answers = await drive(world, product, [through(wrong), through(bare)]);
    for (const { failure } of answers) {
      expect(failure?.code).toBe('proxy-sign-in-refused');
      expect(failure?.detail).toContain(kind === 'squid' ? 'it offers Basic' : 'it offers Digest');
    }
  });
});

test('squid with Digest never hears the password', async () => {
  await using proxy = await world.proxy('squid-digest', { signIn: true });
  const capture = world.spawn([
    'tcpdump',
    '-i',
    'eth0',
    '-U',
    '-A',
    '-l',
    '-n',
    'tcp',
    'port',
    String(proxy.port),
  ]);
  await capture.says(/listening on/);
  const answer = await ask(world, product, through(upstreamOf(proxy)));
  expect(answer.got).toBe(say);
  await capture.says(/Proxy-Authorization: Digest/);
  await capture.end();
  expect(capture.stdout).not.toMatch(/Authorization: Basic/);
  expect(capture.stdout).not.toContain(proxy.password);
});

test('privoxy carries names and numbers', async () => {
  await using proxy = await world.proxy('privoxy');
  const answers = await drive(world, product, [
    through(upstreamOf(proxy)),
    through(upstreamOf(proxy), { host: internet.web4 }),
  ]);
  expect(answers.map(({ got, failure }) => got ?? failure)).toEqual([say, say]);
});

describe('stunnel in front of a proxy', () => {
  const trusting = () => ({ NODE_EXTRA_CA_CERTS: world.certificates.authority });
  const fingerprint = () =>
    createHash('sha256')
      .update(new X509Certificate(readFileSync(world.certificates.certificate)).raw)
      .digest('hex');

  test('is verified by the authority that the user added, for its address and for its name', async () => {
    await using proxy = await world.proxy('stunnel');
    await world.shell(`echo '${internet.proxy4} proxy.test' >> /etc/hosts`);
    await using capture = await world.capture();
    for (const at of [proxy.address, 'proxy.test']) {
      const answer = await ask(world, product, through(upstreamOf(proxy, { host: at })), trusting());
      expect(answer).toMatchObject({ got: say, kind: 'stream' });
    }
    expect(describePackets(await capture.leaks(proxy.exceptions))).toBe('');
  });

  test('is refused without it, and for a name that is not in the certificate, with what was seen', async () => {
    await using proxy = await world.proxy('stunnel');
    await world.shell(`echo '${internet.proxy4} elsewhere.invalid' >> /etc/hosts`);
    const elsewhere = upstreamOf(proxy, { host: 'elsewhere.invalid' });
    const unknown = await ask(world, product, through(upstreamOf(proxy)));
    const other = await ask(world, product, through(elsewhere), trusting());
    for (const { failure } of [unknown, other]) {
      expect(failure?.code).toBe('certificate-refused');
      expect(failure?.detail).toContain(`SHA-256 ${fingerprint()}`);
    }
    expect(unknown.failure?.detail).toMatch(/^its authority is not known here/);
    expect(other.failure?.detail).toMatch(/^not for elsewhere\.invalid/);
  });

  test('is accepted by its fingerprint, and refused by another', async () => {
    await using proxy = await world.proxy('stunnel');
    const right = await ask(world, product, through(upstreamOf(proxy, { fingerprint: fingerprint() })));
    expect(right.got).toBe(say);
    const wrong = await ask(world, product, through(upstreamOf(proxy, { fingerprint: 'ab'.repeat(32) })));
    expect(wrong.failure?.code).toBe('certificate-refused');
  });

  test('passes a sign-in on', async () => {
    await using proxy = await world.proxy('stunnel', { signIn: true });
    const right = await ask(world, product, through(upstreamOf(proxy)), trusting());
    expect(right.got).toBe(say);
    const wrong = upstreamOf(proxy, { password: 'wrong' });
    const { failure } = await ask(world, product, through(wrong), trusting());
    expect(failure?.code).toBe('proxy-sign-in-refused');
  });
});

test.each(['dante', 'microsocks', 'tinyproxy', 'squid', 'privoxy'] as const)(
  '%s is reached at an IPv6 address',
  async (kind) => {
    await using proxy = await world.proxy(kind, { family: 6 });
    await using capture = await world.capture();
    const answer = await ask(world, product, through(upstreamOf(proxy)));
    expect(answer.got ?? answer.failure).toBe(say);
    expect(describePackets(await capture.leaks(proxy.exceptions))).toBe('');
  },
);

describe('a chain with an interface to leave by', () => {
  const on = (upstream: Upstream, egress: string): DriverRequest => {
    return through(upstream, { spec: { mode: 'strict', upstreams: [upstream], egress } });
  };

  // The routes of the host prefer eth0; behind lan0 the same proxy can be reached.
  test.each([
    ['eth0', 'lan0', host.v4],
    ['lan0', 'eth0', host.lan4],
  ])('leaves by %s, with its address, and by no other', async (egress, other, address) => {
    await using proxy = await world.proxy('microsocks');
    await world.shell(`echo '${internet.proxy4} proxy.test' >> /etc/hosts`);
    const watch = world.spawn(['tcpdump', '-i', 'any', '-l', '-n', 'tcp', 'port', String(proxy.port)]);
    await watch.says(/listening on/);
    for (const at of [proxy.address, 'proxy.test']) {
      const answer = await ask(world, product, on(upstreamOf(proxy, { host: at }), egress));
      expect(answer.got ?? answer.failure).toBe(say);
    }
    await watch.says(new RegExp(`${egress} +Out +IP ${address.replaceAll('.', '\\.')}\\.[0-9]+ > .*\\[S\\]`));
    await watch.end();
    expect(watch.stdout).not.toContain(`${other} `);
  });

  test('is refused when that is not there, and nothing leaves', async () => {
    await using proxy = await world.proxy('microsocks');
    await using capture = await world.capture();
    const answer = await ask(world, product, on(upstreamOf(proxy), 'wg-none'));
    expect(answer.failure?.code).toBe('egress-missing');
    expect(describePackets(await capture.leaks([]))).toBe('');
  });
});
