/** Chains of real proxies of several kinds, in every mode, with dead ones among them; and UDP through two of them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Upstream } from '#shared/model.ts';
import type { ChainMode } from '#shared/profile.ts';
import { internet, ports } from '../world/addresses.ts';
import { describePackets } from '../world/capture.ts';
import { Product } from '../world/product.ts';
import type { Proxy, ProxyKind } from '../world/proxies.ts';
import { World } from '../world/world.ts';
import { ask, drive, upstreamOf, type DriverAnswer, type DriverRequest } from './upstream-drive.ts';

let world: World;
let product: Product;
const proxies = new Map<ProxyKind, Proxy>();
const kinds = [
  'dante',
  'microsocks',
  'ssh',
  'tinyproxy',
  'squid-digest',
  'privoxy',
  'stunnel',
  'shadowsocks',
] as const;
/** A port at the proxies' address where nothing listens. */
const dead: Upstream = { kind: 'socks5', host: internet.proxy4, port: 1 };
const say = 'through all of them';

beforeAll(async () => {
  world = await World.create();
  product = Product.install(world);
  for (const kind of kinds) proxies.set(kind, await world.proxy(kind, { signIn: kind === 'squid-digest' }));
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

function proxy(kind: ProxyKind): Proxy {
  const found = proxies.get(kind);
  if (found === undefined) throw new Error(`no ${kind}`);
  return found;
}

function request(
  mode: ChainMode,
  upstreams: Upstream[],
  more: Partial<DriverRequest> = {},
  length?: number,
): DriverRequest {
  const spec = { mode, upstreams, ...(length === undefined ? {} : { length }) };
  return { spec, host: 'example.test', port: ports.echo, say, ...more };
}

const trusting = () => ({ NODE_EXTRA_CA_CERTS: world.certificates.authority });
const serversIn = ({ via = '' }: DriverAnswer): string[] =>
  via.split(' → ').map((server) => server.split(':').at(-1) ?? '');
const portOf = (kind: ProxyKind): string => String(proxy(kind).port);

describe('a strict chain', () => {
  const paths: ProxyKind[][] = [
    ['dante', 'microsocks'],
    ['tinyproxy', 'dante'],
    ['ssh', 'tinyproxy'],
    ['shadowsocks', 'microsocks'],
    ['squid-digest', 'privoxy'],
    ['dante', 'squid-digest', 'microsocks'],
    ['stunnel', 'dante', 'tinyproxy'],
    ['microsocks', 'stunnel', 'dante'],
    ['privoxy', 'microsocks', 'stunnel'],
    ['ssh', 'squid-digest', 'stunnel'],
  ];

  test.each(paths.map((path) => ({ path, title: path.join(' → ') })))(
    '$title carries a name, IPv4 and IPv6; only the first is contacted from here',
    async ({ path }) => {
      const upstreams = path.map((kind) => upstreamOf(proxy(kind)));
      const exceptions = path.slice(0, 1).flatMap((kind) => proxy(kind).exceptions);
      await using capture = await world.capture();
      const hosts = ['example.test', internet.web4, internet.web6];
      const requests = hosts.map((host) => request('strict', upstreams, { host }));
      const answers = await drive(world, product, requests, trusting());
      expect(answers.map(({ got, failure }) => got ?? failure)).toEqual(hosts.map(() => say));
      expect(answers[0]?.kind).toBe(path.includes('stunnel') ? 'stream' : 'socket');
      expect(describePackets(await capture.leaks(exceptions))).toBe('');
    },
  );

  test('goes through proxies that are given by name, which only the one before looks up', async () => {
    await world.shell(`echo '${internet.proxy4} second.test' >> /etc/hosts`, 'internet');
    const upstreams = [upstreamOf(proxy('dante')), upstreamOf(proxy('tinyproxy'), { host: 'second.test' })];
    await using capture = await world.capture();
    expect((await ask(world, product, request('strict', upstreams))).got).toBe(say);
    expect(describePackets(await capture.leaks(proxy('dante').exceptions))).toBe('');
  });

  test('goes by SOCKS4a in front and in between', async () => {
    const asSocks4 = upstreamOf(proxy('dante'), { kind: 'socks4' });
    const asSocks4a = upstreamOf(proxy('ssh'), { kind: 'socks4a' });
    const answer = await ask(
      world,
      product,
      request('strict', [asSocks4a, asSocks4, upstreamOf(proxy('microsocks'))]),
    );
    expect(answer.got ?? answer.failure).toBe(say);
  });

  test.each([0, 1, 2])('with server %i dead fails and names it', async (at) => {
    const upstreams = [upstreamOf(proxy('dante')), upstreamOf(proxy('tinyproxy'))];
    upstreams.splice(at, 0, dead);
    const { failure, ms } = await ask(world, product, request('strict', upstreams));
    expect(failure?.code).toMatch(at === 0 ? /^proxy-unreachable$/ : /^proxy-refused$/);
    expect(failure?.detail).toContain(`server ${at + 1} of 3, ${internet.proxy4}:1`);
    expect(ms).toBeLessThan(2000);
  });
});

describe('with a dead server among three', () => {
  const upstreams = (): Upstream[] => [upstreamOf(proxy('dante')), dead, upstreamOf(proxy('tinyproxy'))];

  test('dynamic goes through the other two', async () => {
    const answers = await drive(
      world,
      product,
      Array(3).fill(request('dynamic', upstreams())) as DriverRequest[],
    );
    for (const answer of answers) {
      expect(answer.got).toBe(say);
      expect(serversIn(answer)).toEqual([portOf('dante'), portOf('tinyproxy')]);
    }
  });

  test('random finds the two that live, in either order', async () => {
    const requests = Array(12).fill(request('random', upstreams(), {}, 2)) as DriverRequest[];
    const answers = await drive(world, product, requests);
    for (const answer of answers) {
      expect(answer.got).toBe(say);
      expect(serversIn(answer).toSorted()).toEqual([portOf('dante'), portOf('tinyproxy')].toSorted());
    }
  });

  test('round-robin takes the living in turn', async () => {
    const requests = Array(4).fill(request('round-robin', upstreams(), {}, 1)) as DriverRequest[];
    const answers = await drive(world, product, requests);
    expect(answers.map((answer) => answer.got)).toEqual(Array(4).fill(say));
    const [dante, tinyproxy] = [portOf('dante'), portOf('tinyproxy')];
    expect(answers.flatMap(serversIn)).toEqual([dante, tinyproxy, dante, tinyproxy]);
  });

  test('three that live are not there', async () => {
    const answers = await drive(world, product, [
      request('random', upstreams(), {}, 3),
      request('round-robin', upstreams(), {}, 3),
      request('dynamic', [dead, { ...dead, port: 2 }]),
    ]);
    expect(answers.map(({ failure }) => failure?.code)).toEqual(Array(3).fill('chain-exhausted'));
  });
});

test('a destination that the last one cannot reach is refused once, and nobody is dead for it', async () => {
  const upstreams = [upstreamOf(proxy('dante')), upstreamOf(proxy('microsocks'))];
  const modes: ChainMode[] = ['strict', 'dynamic', 'random', 'round-robin'];
  for (const mode of modes) {
    const [refused, after] = await drive(world, product, [
      request(mode, upstreams, { host: internet.web4, port: 4 }, 2),
      request(mode, upstreams, {}, 2),
    ]);
    expect([mode, refused?.failure?.code]).toEqual([mode, 'proxy-refused']);
    expect(after && serversIn(after)).toHaveLength(2);
  }
});

describe('UDP', () => {
  const datagram = (upstreams: Upstream[], host: string, mode: ChainMode = 'strict', length?: number) =>
    request(mode, upstreams, { protocol: 'udp', host }, length);

  test('goes through dante and dante, both ways, to IPv4 and IPv6', async () => {
    await using second = await world.proxy('dante');
    const upstreams = [upstreamOf(proxy('dante')), upstreamOf(second)];
    const answers = await drive(world, product, [
      datagram(upstreams, internet.web4),
      datagram(upstreams, internet.web6),
      datagram(upstreams, 'example.test'),
    ]);
    expect(answers.map(({ got, failure }) => got ?? failure)).toEqual([say, say, say]);
    expect(answers.map(({ layers }) => layers)).toEqual([1, 1, 1]);
  });

  test('goes through three, one of them given by name', async () => {
    await using second = await world.proxy('dante');
    await using third = await world.proxy('dante');
    await world.shell(`echo '${internet.proxy4} udp.test' >> /etc/hosts`, 'internet');
    const upstreams = [
      upstreamOf(proxy('dante')),
      upstreamOf(second, { host: 'udp.test' }),
      upstreamOf(third),
    ];
    expect(await ask(world, product, datagram(upstreams, internet.web4))).toMatchObject({
      got: say,
      layers: 2,
    });
  });

  test('goes through the one that lives of a dynamic chain, and through one at random', async () => {
    const answers = await drive(world, product, [
      datagram([dead, upstreamOf(proxy('dante'))], internet.web4, 'dynamic'),
      datagram([dead, upstreamOf(proxy('dante'))], internet.web4, 'random', 1),
    ]);
    for (const answer of answers) expect(answer).toMatchObject({ got: say, layers: 0 });
  });

  const pathsWithout: ProxyKind[][] = [['dante', 'tinyproxy'], ['dante', 'microsocks'], ['stunnel']];

  test.each(pathsWithout.map((path) => ({ path, title: path.join(' → ') })))(
    'is not offered by $title',
    async ({ path }) => {
      const upstreams = path.map((kind) => upstreamOf(proxy(kind)));
      const { failure } = await ask(world, product, datagram(upstreams, internet.web4), trusting());
      expect(failure?.code).toBe('udp-not-offered');
    },
  );
});
