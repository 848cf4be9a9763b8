/** The staged test of chains, against small proxies and servers on the loopback that do what they are told. */
import { createServer as createHttp, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CheckLine, CheckReport, Upstream, UpstreamKind } from '#shared/model.ts';
import { testChain } from '../../../electron/engine/health/chain-test.ts';
import { probeOf } from '../../../electron/engine/health/probe.ts';
import { testProfile } from '../../../electron/engine/health/profile-test.ts';
import { latencyOf } from '../../../electron/shared/latency.ts';
import type { ChainSpec } from '../../../electron/engine/upstream/chain.ts';
import * as v from 'valibot';
import { profile as profileSchema } from '#shared/profile.ts';
import { goodAnswer, tcpServer, type TestServer } from '../dns/dns-server.ts';
import { failureFrom, withProxy } from '../upstream/scripted-proxy.ts';
import { smallProxy } from '../upstream/small-proxy.ts';

let page: Server;
let dns: TestServer;
let answerWith: { status: number; body: string };

beforeAll(async () => {
  page = createHttp((_request, response) => {
    response.writeHead(answerWith.status).end(answerWith.body);
  });
  await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
  dns = await tcpServer((query) => [goodAnswer(query)]);
});
afterAll(async () => {
  page.close();
  await dns.close();
});

const portOf = (server: Server): number => (server.address() as AddressInfo).port;
const seen = { status: 200, body: 'fl=1\nip=198.51.100.4\n' };

/** The page is asked for by a name that only the proxy knows. */
function test(
  upstreams: readonly Upstream[],
  more: Partial<ChainSpec> & { url?: string; signal?: AbortSignal; page?: typeof seen } = {},
): Promise<CheckReport> {
  const { url = `http://page.test:${portOf(page)}/ip`, page: answer = seen, signal, ...spec } = more;
  answerWith = answer;
  const probe = probeOf({ url, resolver: `127.0.0.1:${dns.port}` });
  return testChain(
    { mode: 'strict', upstreams, ...spec },
    { probe, ...(signal === undefined ? {} : { signal }) },
  );
}

const at = (
  { port }: { readonly port: number },
  kind: UpstreamKind = 'socks5',
  more: Partial<Upstream> = {},
) => ({ kind, host: '127.0.0.1', port, ...more }) satisfies Upstream;
const outcomes = ({ lines }: CheckReport): string[] =>
  lines.map(({ stage, outcome }) => `${stage} ${outcome}`);
const line = ({ lines }: CheckReport, stage: CheckLine['stage']) => lines.find((one) => one.stage === stage);

/** A port where nothing listens. */
async function deadPort(): Promise<number> {
  const proxy = await smallProxy();
  await proxy[Symbol.asyncDispose]();
  return proxy.port;
}

describe('one server', () => {
  it.each(['socks5', 'http', 'socks4a'] as const)('of the kind %s passes, stage by stage', async (kind) => {
    await using proxy = await smallProxy();
    const report = await test([at(proxy, kind)]);
    expect(outcomes(report).slice(0, 4)).toEqual(['reach ok', 'sign-in ok', 'web ok', 'exit-address ok']);
    expect(line(report, 'dns')).toMatchObject({ outcome: 'ok' });
    expect(report.exitAddress).toBe('198.51.100.4');
    for (const stage of ['reach', 'web', 'dns'] as const)
      expect(line(report, stage)?.ms).toBeTypeOf('number');
    expect(latencyOf(report)).toBe(line(report, 'web')?.ms);
  });

  it('is asked for nothing to find out that it takes the sign-in, if it speaks SOCKS5', async () => {
    await using proxy = await smallProxy();
    await test([at(proxy)], { url: `http://page.test:${portOf(page)}/ip` });
    expect(proxy.asked[0]).toBe(`page.test:${portOf(page)}`);
    expect(proxy.connections()).toBeGreaterThan(proxy.asked.length);
  });

  it('that listens nowhere ends the test at its first stage', async () => {
    const report = await test([at({ port: await deadPort() })]);
    expect(outcomes(report)).toEqual(['reach failed']);
    expect(report).toMatchObject({ outcome: 'failed' });
    expect(report.lines[0]?.failure?.code).toBe('proxy-unreachable');
    expect(report.lines[0]?.text).toContain('connection refused');
  });

  it('that refuses the password is said to do that, and not to be unreachable', async () => {
    const refusing = withProxy(
      async (client) => {
        await client.read(4);
        await client.write([5, 2]);
        await client.read(3 + 'joe'.length + 'wrong'.length);
        await client.write([1, 1]);
      },
      (port) => test([at({ port }, 'socks5', { user: 'joe', password: 'wrong' })]),
    );
    const report = await refusing;
    expect(outcomes(report)).toEqual(['reach ok', 'sign-in failed']);
    expect(line(report, 'sign-in')?.failure?.code).toBe('proxy-sign-in-refused');
    expect(JSON.stringify(report)).not.toContain('wrong"');
  });

  it('that answers CONNECT with 407 fails at its sign-in', async () => {
    const report = await withProxy(
      async (client) => {
        await client.readUntil('\r\n\r\n');
        await client.write('HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n');
      },
      (port) => test([at({ port }, 'http')]),
    );
    expect(outcomes(report)).toEqual(['reach ok', 'sign-in failed']);
    expect(line(report, 'sign-in')?.text).toContain('407');
  });

  it('that takes the connection and never speaks is given up within seconds', async () => {
    await using proxy = await smallProxy({ isSilent: true });
    const begin = performance.now();
    const report = await test([at(proxy)]);
    expect(performance.now() - begin).toBeLessThan(10_000);
    expect(outcomes(report)).toEqual(['reach ok', 'sign-in failed']);
    expect(line(report, 'sign-in')?.failure?.code).toBe('proxy-timeout');
  });

  it('that will not reach the page works all the same, and the page is what failed', async () => {
    await using proxy = await smallProxy({ refuses: [`page.test:${portOf(page)}`] });
    for (const kind of ['socks5', 'http'] as const) {
      const report = await test([at(proxy, kind)]);
      expect(outcomes(report).slice(0, 3)).toEqual(['reach ok', 'sign-in ok', 'web failed']);
      expect(line(report, 'web')?.failure?.code).toBe('probe-unreachable');
      expect(line(report, 'dns')?.outcome).toBe('ok');
    }
  });

  it('that carries TCP only has its UDP called refused, which is no failure', async () => {
    await using proxy = await smallProxy();
    const report = await test([at(proxy, 'http')]);
    expect(line(report, 'udp')).toMatchObject({ outcome: 'refused' });
    expect(line(report, 'udp')?.text).toContain('UDP will be blocked');
  });
});

describe('the page', () => {
  it.each([
    [{ status: 200, body: 'hello' }, 'web ok'],
    [{ status: 404, body: '198.51.100.4' }, 'web ok'],
  ])('that answers %j tells no address, and none is made up', async (answer, web) => {
    await using proxy = await smallProxy();
    const report = await test([at(proxy)], { page: answer });
    expect(outcomes(report)).toContain(web);
    expect(outcomes(report)).toContain('exit-address unknown');
    expect(report.exitAddress).toBeUndefined();
    expect(report.outcome).toBe('unknown');
  });

  it('that is no web page is one that failed', async () => {
    await using proxy = await smallProxy();
    const report = await withProxy(
      (client) => client.write('SSH-2.0-something\r\n'),
      (port) => test([at(proxy)], { url: `http://page.test:${port}/` }),
    );
    expect(line(report, 'web')?.failure?.code).toBe('probe-unreachable');
    expect(line(report, 'web')?.text).toContain('not HTTP');
  });

  it('without a certificate that can be verified is not believed', async () => {
    await using proxy = await smallProxy();
    const report = await test([at(proxy)], { url: `https://page.test:${portOf(page)}/` });
    expect(line(report, 'web')).toMatchObject({ outcome: 'failed', failure: { code: 'probe-unreachable' } });
    expect(report.exitAddress).toBeUndefined();
  });
});

describe('several servers', () => {
  it('in strict order are reached one through the other, and never by themselves', async () => {
    await using first = await smallProxy();
    await using second = await smallProxy();
    const report = await test([at(first), at(second, 'http')]);
    expect(outcomes(report).slice(0, 4)).toEqual(['reach ok', 'reach ok', 'sign-in ok', 'web ok']);
    expect(first.asked).toContain(`127.0.0.1:${second.port}`);
    expect(first.asked.length).toBeGreaterThanOrEqual(second.connections());
  });

  it('in strict order of which a later one is dead fail where it is', async () => {
    await using first = await smallProxy();
    const report = await test([at(first), at({ port: await deadPort() })]);
    expect(outcomes(report)).toEqual(['reach ok', 'reach failed']);
    expect(report.outcome).toBe('failed');
  });

  it('of a dynamic chain need one that is alive, and the dead one is named', async () => {
    await using alive = await smallProxy();
    const dead = await deadPort();
    const report = await test([at({ port: dead }), at(alive)], { mode: 'dynamic' });
    expect(line(report, 'reach')).toMatchObject({ outcome: 'ok' });
    expect(line(report, 'reach')?.text).toContain(`127.0.0.1:${dead}`);
    expect(line(report, 'web')?.outcome).toBe('ok');
  });

  it('of a dynamic chain are passed over when they are silent, as a connection of an app would', async () => {
    await using silent = await smallProxy({ isSilent: true });
    await using alive = await smallProxy();
    const report = await test([at(silent), at(alive)], { mode: 'dynamic' });
    expect(line(report, 'web')?.outcome).toBe('ok');
    expect(line(report, 'web')?.ms).toBeGreaterThan(4000);
  });

  it('of a random chain that is longer than those alive cannot be used', async () => {
    await using alive = await smallProxy();
    const report = await test([at({ port: await deadPort() }), at(alive)], { mode: 'random', length: 2 });
    expect(outcomes(report)).toEqual(['reach failed']);
    expect(line(report, 'reach')?.failure?.code).toBe('chain-exhausted');
  });

  it('of no server at all are no chain', async () => {
    expect((await failureFrom(test([]))).code).toBe('chain-empty');
  });

  it('are left alone when the user gives up, within a moment', async () => {
    await using proxy = await smallProxy({ isSilent: true });
    const reason = new Error('the user gave up');
    const giveUp = new AbortController();
    const testing = test([at(proxy, 'http')], { signal: giveUp.signal });
    setTimeout(() => giveUp.abort(reason), 100);
    await expect(testing).rejects.toBe(reason);
  });
});

describe('a profile', () => {
  const profileOf = (mode: string, ...ports: number[]) =>
    v.parse(profileSchema, {
      id: 'work',
      name: 'Work',
      chain: {
        mode,
        servers: ports.map((port, index) => ({ id: `s${index}`, kind: 'socks5', host: '127.0.0.1', port })),
      },
    });
  const options = (onLine?: (line: CheckLine, server?: string) => void) => ({
    probe: probeOf({ url: `http://page.test:${portOf(page)}/ip`, resolver: `127.0.0.1:${dns.port}` }),
    passwordOf: () => Promise.resolve(undefined),
    productDir: '/nowhere',
    ...(onLine === undefined ? {} : { onLine }),
  });

  it('that chooses among its servers has each of them tested by itself, and told by its id', async () => {
    answerWith = seen;
    await using alive = await smallProxy();
    const heard = new Set<string | undefined>();
    const profile = profileOf('round-robin', alive.port, await deadPort());
    const { servers, chain } = await testProfile(
      profile,
      options((_line, server) => heard.add(server)),
    );
    expect(servers.map(({ id, report }) => `${id} ${report.outcome === 'failed'}`)).toEqual([
      's0 false',
      's1 true',
    ]);
    expect(line(chain, 'web')?.outcome).toBe('ok');
    expect(heard).toEqual(new Set(['s0', 's1', undefined]));
  });

  it('in strict order never has its second server dialled from here', async () => {
    answerWith = seen;
    await using first = await smallProxy();
    await using second = await smallProxy();
    const { servers } = await testProfile(profileOf('strict', first.port, second.port), options());
    expect(servers).toEqual([]);
    expect(second.connections()).toBeLessThanOrEqual(first.asked.length);
  });
});
