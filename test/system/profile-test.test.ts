/**
 * `culvert profile test` against real proxies: what it says is held against what is known of each, and no packet of it
 * goes anywhere but to the first server.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CheckReport } from '#shared/model.ts';
import { Hostile } from '../hostile/hostile.ts';
import { host, internet } from '../world/addresses.ts';
import { describePackets } from '../world/capture.ts';
import { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import type { Outcome } from '../world/running.ts';
import { World } from '../world/world.ts';
import { outcomes, probe, profileOf, urlServer } from './reports.ts';
import { serverOf, writeConfig } from './settings.ts';

let world: World;
let product: Product;
let hostile: Hostile;
let dante: Proxy;
let microsocks: Proxy;
let tinyproxy: Proxy;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
  hostile = await Hostile.start(world);
  dante = await world.proxy('dante');
  microsocks = await world.proxy('microsocks');
  tinyproxy = await world.proxy('tinyproxy');
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const culvert = (...args: string[]): Promise<Outcome> =>
  world.run([product.culvert, ...args], {
    user: 'culvert-a',
    env: { NODE_EXTRA_CA_CERTS: world.certificates.authority },
  });

interface Tested {
  readonly profiles: readonly {
    readonly profile: string;
    readonly ms?: number;
    readonly chain: CheckReport;
    readonly servers: readonly { readonly id: string; readonly report: CheckReport }[];
  }[];
}

/** The report about the chain of a profile, and the exit status. */
async function testOf(id: string, ...options: string[]) {
  const { stdout, stderr, code } = await culvert('profile', 'test', id, '--json', ...options);
  const [only] = (JSON.parse(stdout || 'null') as Tested | null)?.profiles ?? [];
  if (only === undefined) throw new Error(`nothing was tested: ${stderr}`);
  return { ...only, code, found: outcomes(only.chain) };
}

describe('culvert profile test', () => {
  beforeEach(() => {
    writeConfig(world, {
      probe,
      profiles: [
        profileOf('dante', [serverOf(dante)]),
        profileOf('microsocks', [serverOf(microsocks)]),
        profileOf('tinyproxy', [serverOf(tinyproxy)]),
        profileOf('both', [serverOf(dante), serverOf(tinyproxy)]),
        profileOf('closed', [urlServer(hostile.closedUrl)]),
        profileOf('dead', [urlServer(hostile.deadUrl)]),
        profileOf('wants', [urlServer(hostile.url('HTTP: wants a sign-in'))]),
        profileOf('dynamic', [urlServer(hostile.closedUrl), serverOf(dante)], { mode: 'dynamic' }),
      ],
    });
  });

  test('finds everything in order with a proxy that offers everything', async () => {
    await using capture = await world.capture();
    const { found, chain, code, ms } = await testOf('dante');
    expect(found).toEqual({
      reach: 'ok',
      'sign-in': 'ok',
      web: 'ok',
      'exit-address': 'ok',
      udp: 'ok',
      dns: 'ok',
      ipv6: 'ok',
    });
    expect([internet.proxy4, internet.proxy6]).toContain(chain.exitAddress);
    expect(ms).toBeGreaterThan(0);
    expect(code).toBe(0);
    // Its relay for UDP has a port of its own.
    const others = await capture.packets(
      ({ source, destination }) => ![source, destination].includes(internet.proxy4),
    );
    expect(describePackets(others)).toBe('');
  });

  test('asks for a page over https, and believes a certificate only where it can be verified', async () => {
    const { found, code } = await testOf('dante', '--url', 'https://example.test/peer');
    expect(found).toMatchObject({ web: 'ok', 'exit-address': 'ok' });
    expect(code).toBe(0);
    const other = await testOf('dante', '--url', 'https://other.test/peer');
    expect(other.found).toMatchObject({ web: 'failed' });
    expect(other.chain.lines.find(({ stage }) => stage === 'web')?.text).toContain('certificate');
    expect(other.code).toBe(1);
  });

  test('says “refused” of UDP that a proxy does not offer, and that is no failure', async () => {
    for (const id of ['microsocks', 'tinyproxy']) {
      const { found, code } = await testOf(id);
      expect(found).toMatchObject({ reach: 'ok', 'sign-in': 'ok', web: 'ok', udp: 'refused', dns: 'ok' });
      expect(code).toBe(0);
    }
  });

  test('goes through a chain to its end without meeting the second server from here', async () => {
    await using capture = await world.capture();
    const { found, chain, servers, code } = await testOf('both');
    expect(chain.lines.filter(({ stage }) => stage === 'reach')).toHaveLength(2);
    expect(found).toMatchObject({ reach: 'ok', web: 'ok', udp: 'refused' });
    expect(servers).toEqual([]);
    expect(code).toBe(0);
    expect(describePackets(await capture.leaks(dante.exceptions))).toBe('');
  });

  test('tests the servers of a dynamic chain one by one, then the chain, which works with one of them', async () => {
    const { servers, found, code } = await testOf('dynamic');
    expect(servers.map(({ id, report }) => [id, report.outcome])).toEqual([
      ['s1', 'failed'],
      ['s2', 'ok'],
    ]);
    expect(found).toMatchObject({ reach: 'ok', web: 'ok' });
    expect(code).toBe(0);
  });

  test.each([
    ['closed', 'reach', 'proxy-unreachable'],
    ['dead', 'reach', 'proxy-timeout'],
    ['wants', 'sign-in', 'proxy-sign-in-refused'],
  ])('exits with 4 and stops where the proxy “%s” fails', async (id, stage, failure) => {
    const begin = performance.now();
    const { chain, code } = await testOf(id);
    expect(performance.now() - begin).toBeLessThan(12_000);
    expect(chain.lines.at(-1)).toMatchObject({ stage, outcome: 'failed', failure: { code: failure } });
    expect(code).toBe(4);
  });

  test('signs in with the kept password, and tells a wrong one apart from a dead proxy', async () => {
    await using locked = await world.proxy('dante', { signIn: true });
    const { port, kind, host: address } = serverOf(locked);
    for (const [id, password] of [
      ['right', locked.password ?? ''],
      ['wrong', 'not the password'],
    ] as const) {
      const url = `${kind}://${locked.user}@${address}:${port}`;
      await world.must([product.culvert, 'profile', 'add', '--id', id, '--password-stdin', url], {
        user: 'culvert-a',
        stdin: `${password}\n`,
      });
    }
    const right = await testOf('right');
    expect(right.found).toMatchObject({ 'sign-in': 'ok', web: 'ok', udp: 'ok' });
    expect(right.code).toBe(0);
    const wrong = await testOf('wrong');
    expect(wrong.found).toEqual({ reach: 'ok', 'sign-in': 'failed' });
    expect(wrong.code).toBe(4);
    expect(JSON.stringify(wrong)).not.toContain('not the password');
  });

  test('says that the page cannot be reached where that is all that fails', async () => {
    const { found, chain, code } = await testOf('dante', '--url', `http://${internet.web4}:4444/`);
    expect(found).toMatchObject({ reach: 'ok', 'sign-in': 'ok', web: 'failed', udp: 'ok', dns: 'ok' });
    expect(chain.lines.find(({ stage }) => stage === 'web')?.failure?.code).toBe('probe-unreachable');
    expect(code).toBe(1);
  });

  test('compares with this computer’s own address only when it is told to', async () => {
    const { chain, code } = await testOf('dante', '--compare');
    const line = chain.lines.find(({ stage }) => stage === 'exit-address');
    expect(line).toMatchObject({ outcome: 'ok' });
    expect(line?.text).toBe(
      `others see ${chain.exitAddress} instead of ${chain.exitAddress === internet.proxy4 ? host.v4 : host.v6}`,
    );
    expect(code).toBe(0);
  });

  test('with --all ends with a table, the quickest first and the dead last', async () => {
    const { stdout, code } = await culvert('profile', 'test', '--all');
    const lines = stdout.trimEnd().split('\n');
    expect(lines.some((line) => /^dynamic\/s1 {2}reach .*FAILED/.test(line))).toBe(true);
    const rows = lines.slice(-8).map((line) => line.split('\t'));
    expect(
      rows
        .slice(0, 5)
        .map(([id]) => id)
        .sort(),
    ).toEqual(['both', 'dante', 'dynamic', 'microsocks', 'tinyproxy']);
    expect(rows.slice(5).map(([id, result]) => `${id} ${result}`)).toEqual([
      'closed failed',
      'dead failed',
      'wants failed',
    ]);
    const times = rows.slice(0, 5).map(([, , ms]) => Number(ms));
    expect(times).toEqual([...times].sort((one, other) => one - other));
    expect(code).toBe(4);
  });
});
