import { describe, expect, it } from 'vitest';
import { importText } from '../../../electron/engine/import/index.ts';
import { canary, decide, entriesOf, expectSound, fixture, profileOf, refusalOf } from './texts.ts';

const proxies = `proxies:
  - {name: A, type: socks5, server: 192.0.2.1, port: 1080}
  - {name: B, type: http, server: 192.0.2.2, port: 3128}
  - {name: S, type: ss, server: 192.0.2.3, port: 8388, password: ${canary}}
`;
const read = (text: string) => importText(`${proxies}${text}`, { name: 'home.yaml' });
const tokyo = 'tokyo';

describe('a configuration of Clash', () => {
  const result = importText(fixture('clash.txt'));

  it('becomes a profile for each proxy that speaks SOCKS5 or HTTP', () => {
    expect(result.kind).toBe('clash');
    expectSound(result);
    expect(
      result.profiles.map(({ id, chain: { servers } }) => [id, servers[0]?.kind, servers[0]?.port]),
    ).toEqual([
      [tokyo, 'socks5', 1080],
      ['paris', 'https', 443],
      ['noudp', 'socks5', 1080],
    ]);
    expect(profileOf(result, 'noudp').udp).toBe('block');
    expect(profileOf(result, tokyo).udp).toBe('allow');
  });

  it('reads what an anchor brings, and a password of digits as it is written', () => {
    expect(profileOf(result, tokyo).chain.servers[0]).toMatchObject({ user: 'joe', host: '192.0.2.41' });
    expect(result.secrets).toEqual([
      { profile: tokyo, server: 'server-1', password: '0123456' },
      { profile: 'paris', server: 'server-1', password: canary },
    ]);
    expect(JSON.stringify({ ...result, secrets: [] })).not.toContain(canary);
  });

  it('says of the others why not', () => {
    expect(entriesOf(result, 15)[0]).toMatch(
      /^skipped: proxy Old: ss is not a SOCKS or HTTP proxy; run its client/,
    );
    expect(entriesOf(result, 16)[0]).toMatch(/^skipped: proxy Wrapped: SOCKS5 inside of TLS/);
    expect(entriesOf(result, 21)[0]).toMatch(/^invalid: proxy NoPort: the port/);
    expect(entriesOf(result, 14)[1]).toMatch(/^note: proxy Paris: its certificate will be verified/);
  });

  it.each([
    [{ host: 'exact.example' }, 'direct', undefined],
    [{ host: 'not.exact.example' }, undefined, undefined],
    [{ host: 'a.corp.example' }, 'direct', undefined],
    [{ host: 'corp.example' }, 'direct', undefined],
    [{ host: 'my-tracker-1.example' }, 'block', undefined],
    [{ address: '10.1.2.3' }, 'direct', undefined],
    [{ address: '2001:db8::1' }, 'profile', 'paris'],
    [{ host: 'x.example', port: 22 }, 'profile', 'noudp'],
    [{ host: 'x.example', port: 8050 }, 'profile', 'noudp'],
    [{ host: 'x.example', process: 'a-very-long-pro' }, 'profile', 'paris'],
    [{ host: 'x.example', protocol: 'udp' as const }, 'block', undefined],
    [{ host: 'dead.example' }, undefined, undefined],
    [{ host: 'late.example' }, undefined, undefined],
  ])('has rules that decide about %j', (facts, action, profile) => {
    const verdict = decide(result, { ...facts, profile: tokyo });
    expect([verdict?.action, verdict?.profile]).toEqual([action, profile]);
    expect(decide(result, { ...facts, profile: 'paris' })).toBeUndefined();
  });

  it('says of the other rules why not', () => {
    expect(entriesOf(result, 52)[0]).toContain(
      'skipped: GEOIP,CN,DIRECT: there is no list of the addresses of countries',
    );
    expect(entriesOf(result, 53)[0]).toMatch(/^skipped: RULE-SET/);
    expect(entriesOf(result, 54)[0]).toMatch(/none of its proxies was taken$/);
    expect(entriesOf(result, 55)[0]).toContain('for everything else: the profile “tokyo”');
    expect(entriesOf(result, 56)[0]).toContain('the rule for everything stands before it');
  });

  it('never lets a group mean DIRECT because its proxies were left out', () => {
    const groups =
      'proxy-groups:\n  - {name: G, type: fallback, proxies: [S, DIRECT]}\n  - {name: D, type: select, proxies: [DIRECT, A]}\n';
    const grouped = read(
      `${groups}rules:\n  - DOMAIN,g.example,G\n  - DOMAIN,d.example,D\n  - MATCH,DIRECT\n`,
    );
    expect(entriesOf(grouped, 9)[0]).toMatch(/^skipped/);
    expect(decide(grouped, { host: 'd.example', profile: 'a' })?.action).toBe('direct');
    expect(grouped.rules.at(-1)).toMatchObject({ isOff: true, action: 'direct' });
    expect(decide(grouped, { host: 'g.example', profile: 'a' })).toBeUndefined();
    expect(profileOf(grouped, 'a').action).toBe('proxy');
  });

  it('ends at groups that contain each other', () => {
    const groups =
      'proxy-groups:\n  - {name: G, proxies: [H]}\n  - {name: H, proxies: [G, B]}\nrules:\n  - MATCH,G\n';
    expect(entriesOf(read(groups), 9)[0]).toContain('the profile “b”');
  });

  it('puts rules whose last is DIRECT under a profile of their own', () => {
    const result = read(
      'rules:\n  - DOMAIN-SUFFIX,work.example,A\n  - IP-CIDR,10.0.0.0/8,B\n  - MATCH,DIRECT\n',
    );
    expect(profileOf(result, 'home').action).toBe('direct');
    expect(decide(result, { host: 'x.work.example', profile: 'home' })).toMatchObject({
      action: 'profile',
      profile: 'a',
    });
    expect(entriesOf(result, 0)[0]).toContain('only what an app addresses by number');
  });

  it('sends what no rule names through a proxy, where Clash would go direct', () => {
    const result = read('rules:\n  - DOMAIN,x.example,B\n');
    expect(entriesOf(result, 0)[0]).toContain('goes through the proxy of this profile');
    expect(decide(result, { host: 'x.example', profile: 'b' })?.action).toBe('proxy');
  });

  it('reads the same as JSON', () => {
    const { kind, profiles } = importText(
      '{"proxies": [{"name": "A", "type": "socks5", "server": "192.0.2.1", "port": 1}]}',
    );
    expect([kind, profiles.map(({ id }) => id)]).toEqual(['clash', ['a']]);
  });

  it.each([
    ['proxies: [', 'line 1: this is not well-formed YAML'],
    [`proxies: ${'['.repeat(50)}`, 'deeper than 32'],
    [`proxies:\n${'- '.repeat(5000)}`, 'deeper than 32'],
    [
      Array.from({ length: 300 }, (_, depth) => `${' '.repeat(depth)}proxies:`).join('\n'),
      'indented too far',
    ],
    ['proxies: !!js/function "x"', 'tags'],
    ['%YAML 1.1\n---\nproxies: []', 'directives'],
    ['proxies: []\n---\nproxies: []\n---\n', 'more than one'],
    ['proxies: *nothing', 'YAML'],
    ['a: &a [*a, *a]\nproxies: *a', 'deeper than 32'],
    [`rules: []\nx: ${'*a '.repeat(3000)}`, 'aliases'],
    ['hello: world', 'no proxies, groups or rules'],
  ])('%s is refused', (text, reason) => {
    expect(refusalOf(text, { kind: 'clash' })).toContain(reason);
  });

  it('ends at aliases that stand for ever more', () => {
    const levels = Array.from(
      { length: 20 },
      (_, at) => `a${at + 1}: &a${at + 1} [${Array(9).fill(`*a${at}`).join(',')}]`,
    );
    expect(refusalOf(`a0: &a0 x\n${levels.join('\n')}\nproxies: *a20\n`)).toContain('values');
  });
});
