/** Connections through several proxies: which ones, what they are asked for, and whose fault a failure is. */
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Upstream, UpstreamKind } from '#shared/model.ts';
import type { ChainMode } from '#shared/profile.ts';
import { ChainDialler, type ChainSpec } from '../../../electron/engine/upstream/chain.ts';
import { destinationOf } from '../../../electron/engine/upstream/destination.ts';
import { failureFrom, listen } from './scripted-proxy.ts';
import { smallProxy, type SmallProxy } from './small-proxy.ts';
import { serveTarget, type Target } from './target.ts';

let target: Target;

beforeAll(async () => {
  target = await serveTarget();
});
afterAll(() => target.server.close());

function upstream(
  proxy: { readonly port: number },
  kind: UpstreamKind = 'socks5',
  host = '127.0.0.1',
): Upstream {
  return { kind, host, port: proxy.port };
}

/** A port where nothing listens. */
async function deadPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Says something through the chain and reads it back; answers the way that it went. */
async function converse(chain: ChainDialler, host = 'example.test', port = target.port): Promise<string> {
  const { socket, early, via } = await chain.dial(destinationOf(host, port), { deadlineMs: 4000 });
  let got = early.toString();
  socket.on('data', (chunk: Buffer) => (got += chunk.toString()));
  socket.resume();
  socket.write(' and last');
  await expect.poll(() => got).toBe('speaks first and last');
  socket.destroy();
  return via;
}

async function withProxies(count: number, test: (proxies: SmallProxy[]) => Promise<void>): Promise<void> {
  const proxies = await Promise.all(Array.from({ length: count }, () => smallProxy()));
  try {
    await test(proxies);
  } finally {
    for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
  }
}

const address = ({ port }: { readonly port: number }): string => `127.0.0.1:${port}`;

describe('a strict chain', () => {
  it.each([
    ['socks5', 'socks5', 'socks5'],
    ['http', 'socks4a', 'socks5'],
    ['socks4', 'http', 'http'],
    ['socks5', 'http', 'socks4a'],
  ] as const)('goes %s, %s, %s, each asked for the next and the last for the name', async (...kinds) => {
    await withProxies(3, async ([one, two, three]) => {
      if (one === undefined || two === undefined || three === undefined) throw new Error('too few');
      const upstreams = [upstream(one, kinds[0]), upstream(two, kinds[1]), upstream(three, kinds[2])];
      const via = await converse(new ChainDialler({ mode: 'strict', upstreams }));
      expect([one.asked, two.asked, three.asked]).toEqual([
        [address(two)],
        [address(three)],
        [`example.test:${target.port}`],
      ]);
      expect(via).toBe(upstreams.map(({ kind, port }) => `${kind}://127.0.0.1:${port}`).join(' → '));
    });
  });

  it('asks for the next server by the name that the user wrote', async () => {
    await withProxies(2, async ([one, two]) => {
      if (one === undefined || two === undefined) throw new Error('too few');
      const upstreams = [upstream(one), upstream(two, 'http', 'second.example.test')];
      await converse(new ChainDialler({ mode: 'strict', upstreams }));
      expect(one.asked).toEqual([`second.example.test:${two.port}`]);
    });
  });

  it.each([0, 1, 2])('names server %i when that is the dead one', async (dead) => {
    await withProxies(2, async (alive) => {
      const upstreams = alive.map((proxy) => upstream(proxy));
      upstreams.splice(dead, 0, upstream({ port: await deadPort() }));
      const chain = new ChainDialler({ mode: 'strict', upstreams });
      const failure = await failureFrom(chain.dial(destinationOf('example.test', target.port)));
      expect(failure.code).toBe(dead === 0 ? 'proxy-unreachable' : 'proxy-refused');
      expect(failure.detail).toContain(`server ${dead + 1} of 3, 127.0.0.1:${upstreams[dead]?.port}`);
    });
  });

  it('tries a server that was dead again at once', async () => {
    await using one = await smallProxy();
    const chain = new ChainDialler({ mode: 'strict', upstreams: [upstream({ port: await deadPort() })] });
    await failureFrom(chain.dial(destinationOf('example.test', target.port)));
    const again = await failureFrom(chain.dial(destinationOf('example.test', target.port)));
    expect(again.code).toBe('proxy-unreachable');
    expect(await converse(new ChainDialler({ mode: 'strict', upstreams: [upstream(one)] }))).toContain(
      'socks5',
    );
  });

  it('does not let SOCKS4 at the end resolve a name here', async () => {
    await withProxies(2, async ([one, two]) => {
      if (one === undefined || two === undefined) throw new Error('too few');
      const chain = new ChainDialler({ mode: 'strict', upstreams: [upstream(one), upstream(two, 'socks4')] });
      expect(chain.carriesNames).toBe(false);
      const failure = await failureFrom(chain.dial(destinationOf('example.test', target.port)));
      expect(failure).toMatchObject({ code: 'proxy-refused' });
      expect(failure.detail).toMatch(/^SOCKS4 cannot carry names.*server 2 of 2/);
      expect(one.connections()).toBe(0);
    });
  });
});

describe('a dynamic chain', () => {
  it('passes the dead over, remembers them for a while and asks them again after it', async () => {
    let now = 0;
    await withProxies(2, async ([one, three]) => {
      if (one === undefined || three === undefined) throw new Error('too few');
      const upstreams = [upstream(one), upstream({ port: await deadPort() }), upstream(three)];
      const chain = new ChainDialler({ mode: 'dynamic', upstreams }, { now: () => now });
      const via = `socks5://${address(one)} → socks5://${address(three)}`;
      expect(await converse(chain)).toBe(via);
      expect(one.connections()).toBe(2);
      expect(await converse(chain)).toBe(via);
      expect(one.connections()).toBe(3);
      now += 5_001;
      expect(await converse(chain)).toBe(via);
      expect(one.connections()).toBe(5);
      now += 5_001;
      expect(await converse(chain)).toBe(via);
      expect(one.connections()).toBe(6);
    });
  });

  it('is exhausted when nobody is alive, and says why', async () => {
    const upstreams = [upstream({ port: await deadPort() }), upstream({ port: await deadPort() })];
    const chain = new ChainDialler({ mode: 'dynamic', upstreams });
    const failure = await failureFrom(chain.dial(destinationOf('example.test', target.port)));
    expect(failure.code).toBe('chain-exhausted');
    expect(failure.detail).toMatch(
      /^0 of 1 needed; can't reach the proxy: .*connection refused; server 2 of 2/,
    );
  });

  it('comes back as soon as a server does, although all were dead a moment ago', async () => {
    const port = await deadPort();
    const chain = new ChainDialler({ mode: 'dynamic', upstreams: [upstream({ port })] }, { now: () => 0 });
    await failureFrom(chain.dial(destinationOf('example.test', target.port), { deadlineMs: 4000 }));
    const server = createServer((socket) => socket.on('error', () => undefined).end());
    await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve));
    const failure = await failureFrom(chain.dial(destinationOf('example.test', target.port)));
    expect(failure.detail).toContain('closed');
    await new Promise((resolve) => server.close(resolve));
  });

  it('passes over a server that takes connections and says nothing', async () => {
    await using silent = await smallProxy({ isSilent: true });
    await using alive = await smallProxy();
    const upstreams = [{ ...upstream(silent), timeoutMs: 200 }, upstream(alive)];
    const chain = new ChainDialler({ mode: 'dynamic', upstreams });
    expect(await converse(chain)).toBe(`socks5://${address(alive)}`);
  });
});

describe('patience', () => {
  it.each([{}, { timeoutMs: 200 }])(
    'passes over a server that the one before cannot reach in time',
    async (more) => {
      await using two = await smallProxy();
      await using one = await smallProxy({ hangsAt: [address(two)] });
      const upstreams = [{ ...upstream(one), ...more }, upstream(two)];
      const chain = new ChainDialler({ mode: 'dynamic', upstreams }, { patienceMs: 200 });
      expect(await converse(chain)).toBe(`socks5://${address(one)}`);
    },
  );

  it('is not for the destination, which has the whole time', async () => {
    await using one = await smallProxy({ hangsAt: ['192.0.2.1:80'] });
    const chain = new ChainDialler({ mode: 'dynamic', upstreams: [upstream(one)] }, { patienceMs: 100 });
    const begin = performance.now();
    const failure = await failureFrom(chain.dial(destinationOf('192.0.2.1', 80), { deadlineMs: 500 }));
    expect(failure.detail).toMatch(/^nothing after 0.5 s/);
    expect(performance.now() - begin).toBeGreaterThan(450);
  });
});

describe('a refused destination', () => {
  const modes: ChainMode[] = ['strict', 'dynamic', 'random', 'round-robin'];

  it.each(modes)('is final in the mode %s and makes nobody dead', async (mode) => {
    await using one = await smallProxy({ refuses: ['192.0.2.1:80'] });
    await using two = await smallProxy({ refuses: ['192.0.2.1:80'] });
    const chain = new ChainDialler({ mode, upstreams: [upstream(one), upstream(two, 'http')] });
    const failure = await failureFrom(chain.dial(destinationOf('192.0.2.1', 80)));
    expect(failure.code).toBe('proxy-refused');
    const asked = [...one.asked, ...two.asked].filter((entry) => entry === '192.0.2.1:80');
    expect(asked).toHaveLength(1);
    const servers = mode === 'strict' || mode === 'dynamic' ? 2 : 1;
    expect((await converse(chain)).split(' → ')).toHaveLength(servers);
  });

  it('is one too when the last server never comes back from it', async () => {
    await using one = await smallProxy({ hangsAt: ['192.0.2.1:80'] });
    await using two = await smallProxy();
    const upstreams = [{ ...upstream(one), timeoutMs: 200 }, upstream(two)];
    const chain = new ChainDialler({ mode: 'round-robin', upstreams });
    const failure = await failureFrom(chain.dial(destinationOf('192.0.2.1', 80)));
    expect(failure.code).toBe('proxy-timeout');
    expect(two.connections()).toBe(0);
    await converse(chain);
    expect(await converse(chain)).toBe(`socks5://${address(one)}`);
  });
});

describe('random and round-robin', () => {
  it('random replaces the dead one by another', async () => {
    await withProxies(2, async ([one, two]) => {
      if (one === undefined || two === undefined) throw new Error('too few');
      const upstreams = [upstream({ port: await deadPort() }), upstream(one), upstream(two)];
      const chain = new ChainDialler({ mode: 'random', length: 2, upstreams }, { random: () => 0 });
      expect(await converse(chain)).toBe(`socks5://${address(two)} → socks5://${address(one)}`);
    });
  });

  it('round-robin gives each connection the next servers, also side by side', async () => {
    await withProxies(3, async (proxies) => {
      const upstreams = proxies.map((proxy) => upstream(proxy));
      const chain = new ChainDialler({ mode: 'round-robin', length: 1, upstreams });
      const ways = await Promise.all(Array.from({ length: 6 }, () => converse(chain)));
      for (const proxy of proxies)
        expect(ways.filter((way) => way === `socks5://${address(proxy)}`)).toHaveLength(2);
    });
  });

  it('is exhausted when more servers are wanted than there are', async () => {
    await using one = await smallProxy();
    const chain = new ChainDialler({ mode: 'random', length: 2, upstreams: [upstream(one)] });
    expect((await failureFrom(chain.dial(destinationOf('example.test', 80)))).code).toBe('chain-exhausted');
    expect(one.connections()).toBe(0);
  });
});

describe('a chain', () => {
  it('of nobody is empty', async () => {
    const chain = new ChainDialler({ mode: 'dynamic', upstreams: [] });
    expect((await failureFrom(chain.dial(destinationOf('example.test', 80)))).code).toBe('chain-empty');
    expect((await failureFrom(chain.associate())).code).toBe('chain-empty');
  });

  it('has one deadline for all of its paths', async () => {
    await using one = await smallProxy({ isSilent: true });
    await using two = await smallProxy({ isSilent: true });
    const chain = new ChainDialler({ mode: 'dynamic', upstreams: [upstream(one), upstream(two)] });
    const begin = performance.now();
    const failure = await failureFrom(chain.dial(destinationOf('example.test', 80), { deadlineMs: 300 }));
    expect(failure.code).toBe('proxy-timeout');
    expect(performance.now() - begin).toBeLessThan(600);
  });

  it('rejects with the reason of its signal and makes nobody dead for it', async () => {
    await using one = await smallProxy({ isSilent: true });
    const controller = new AbortController();
    const chain = new ChainDialler({ mode: 'dynamic', upstreams: [upstream(one)] });
    const dialled = chain.dial(destinationOf('example.test', 80), { signal: controller.signal });
    controller.abort(new Error('the lane closes'));
    await expect(dialled).rejects.toThrow('the lane closes');
  });

  it.each([
    [{ mode: 'strict', upstreams: ['socks5', 'http'] }, false, true, true],
    [{ mode: 'strict', upstreams: ['socks4', 'socks5'] }, false, true, true],
    [{ mode: 'strict', upstreams: ['socks5', 'socks4'] }, false, false, false],
    [{ mode: 'strict', upstreams: ['socks5', 'socks5'] }, true, true, true],
    [{ mode: 'dynamic', upstreams: ['socks5', 'socks4a'] }, true, false, true],
    [{ mode: 'random', length: 2, upstreams: ['socks5', 'http'] }, false, true, true],
    [{ mode: 'round-robin', upstreams: ['socks5', 'http'] }, true, true, true],
  ] as const)('knows what %j can carry', (shape, udp, ipv6, names) => {
    const upstreams = shape.upstreams.map((kind) => upstream({ port: 1 }, kind));
    const spec: ChainSpec = { ...shape, upstreams };
    const { carriesUdp, carriesIpv6, carriesNames } = new ChainDialler(spec);
    expect([carriesUdp, carriesIpv6, carriesNames]).toEqual([udp, ipv6, names]);
  });

  it('will not dial from any interface when it is to use one', () => {
    expect(() => new ChainDialler({ mode: 'strict', upstreams: [], egress: 'wg0' })).toThrow('bound sockets');
  });
});
