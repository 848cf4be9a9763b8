import { describe, expect, test } from 'vitest';
import { parse } from 'valibot';
import { builtIns, config as configSchema, type Config, type Profile } from '#shared/profile.ts';
import { LanePolicy, type PolicyFacts } from '../../electron/engine/lane-policy.ts';
import { FailoverWay } from '../../electron/engine/ways/failover-way.ts';
import { Ways } from '../../electron/engine/ways/ways.ts';

const server = (host: string) => ({ id: 's1', kind: 'socks5', host, port: 1080 });

function configOf(profile: object, rules: object[] = []): Config {
  const other = { id: 'other', name: 'Other', chain: { servers: [server('192.0.2.2')] } };
  const own = { id: 'own', name: 'Own', chain: { servers: [server('192.0.2.1')] }, ...profile };
  return parse(configSchema, { version: 1, profiles: [own, other], rules });
}

const ways = () => new Ways({ tcpSocketOn: () => -1 });

async function policyOf(profile: object, rules: object[] = [], id = 'own'): Promise<LanePolicy> {
  const config = configOf(profile, rules);
  const found = config.profiles.find((one) => one.id === id) ?? builtIns.none;
  return make(found, config);
}

function make(profile: Profile, config: Config): Promise<LanePolicy> {
  const source = { config, passwordOf: () => Promise.resolve(undefined) };
  return LanePolicy.make({ profile, apps: ['firefox'], isAdHoc: false }, source, ways());
}

const to = (address: string, more: Partial<PolicyFacts> = {}): PolicyFacts => ({
  protocol: 'tcp',
  address,
  port: 443,
  ...more,
});

/** The decision in a word: where it leads, or why not. */
function decided(policy: LanePolicy, facts: PolicyFacts): string {
  const decision = policy.decide(facts);
  if (decision.kind === 'way') return decision.way.via;
  return decision.kind === 'refused' ? decision.failure.code : decision.kind;
}

const own = 'socks5://192.0.2.1:1080';

test('without rules everything goes the way of the profile', async () => {
  const policy = await policyOf({});
  expect(decided(policy, to('203.0.113.1'))).toBe(own);
  expect(decided(policy, { protocol: 'udp', host: 'a.example', port: 443 })).toBe(own);
  expect(policy.head).toEqual({ id: 'own', name: 'Own', colour: '#5b6ee1', letter: 'O' });
});

test('the built-in profiles refuse everything, and lead everything out', async () => {
  const config = configOf({});
  expect(decided(await make(builtIns.none, config), to('203.0.113.1'))).toBe('blocked-by-profile');
  expect(decided(await make(builtIns.direct, config), to('203.0.113.1'))).toBe('direct');
  expect((await make(builtIns.none, config)).via).toBe('blocked');
});

describe('rules', () => {
  const rules = [
    { id: 'r1', match: { to: ['blocked.example'] }, action: 'block' },
    { id: 'r2', match: { to: ['203.0.113.0/24'] }, action: 'profile', profile: 'other' },
    { id: 'r3', match: { apps: ['firefox'], ports: ['25'] }, action: 'direct' },
    { id: 'r4', match: { to: ['elsewhere.example'], profiles: ['other'] }, action: 'block' },
    { id: 'r5', isOff: true, match: {}, action: 'direct' },
  ];

  test('decide first, each in its own way, and are named', async () => {
    const policy = await policyOf({}, rules);
    expect(policy.decide({ protocol: 'tcp', host: 'blocked.example', port: 80 })).toMatchObject({
      kind: 'refused',
      failure: { code: 'blocked-by-rule' },
      rule: 'r1',
    });
    expect(policy.decide(to('203.0.113.9'))).toMatchObject({ kind: 'way', rule: 'r2', lasts: true });
    expect(decided(policy, to('203.0.113.9'))).toBe('socks5://192.0.2.2:1080');
    expect(decided(policy, to('198.51.100.1', { port: 25 }))).toBe('direct');
  });

  test.each(['direct', 'block'])(
    'send through the proxy what they name, also where all else is to go %s',
    async (action) => {
      const rules = [{ id: 'r1', match: { to: ['203.0.113.0/24'] }, action: 'proxy' }];
      const policy = await policyOf({ action, dns: { mode: 'host' } }, rules);
      expect(decided(policy, to('203.0.113.9'))).toBe(own);
      expect(decided(policy, to('198.51.100.1'))).toBe(action === 'direct' ? 'direct' : 'blocked-by-profile');
      expect([...policy.ways].map(({ via }) => via)).toContain(own);
      const off = [{ id: 's1', kind: 'socks5', host: '192.0.2.1', port: 1080, isOff: true }];
      const empty = await policyOf({ action, dns: { mode: 'host' }, chain: { servers: off } }, rules);
      expect(decided(empty, to('203.0.113.9'))).not.toBe('direct');
    },
  );

  test('that say “through the proxy” mean its own way where a profile has no proxy', async () => {
    const config = configOf({}, [{ id: 'r1', match: {}, action: 'proxy' }]);
    expect(decided(await make(builtIns.direct, config), to('203.0.113.1'))).toBe('direct');
    expect(decided(await make(builtIns.none, config), to('203.0.113.1'))).toBe('blocked-by-profile');
  });

  test('of other profiles, and those that are off, take no part', async () => {
    const policy = await policyOf({}, rules);
    expect(decided(policy, { protocol: 'tcp', host: 'elsewhere.example', port: 80 })).toBe(own);
    expect(decided(policy, to('198.51.100.1'))).toBe(own);
  });

  test('on processes want to know who it is; what they say then is not remembered for others', async () => {
    const policy = await policyOf({}, [{ id: 'r1', match: { processes: ['curl'] }, action: 'block' }]);
    expect(decided(policy, to('198.51.100.1'))).toBe('process-wanted');
    expect(decided(policy, to('198.51.100.1', { process: 'curl' }))).toBe('blocked-by-rule');
    expect(policy.decide(to('198.51.100.1', { process: 'git' }))).toMatchObject({
      kind: 'way',
      lasts: false,
    });
    expect(policy.decide(to('198.51.100.1', { process: null }))).toMatchObject({ kind: 'way', lasts: false });
  });

  test('to a profile that does not exist are refused when the lane is made', async () => {
    await expect(
      policyOf({}, [{ id: 'r1', match: {}, action: 'profile', profile: 'nobody' }]),
    ).rejects.toMatchObject({ failure: { code: 'profile-unknown' } });
  });
});

describe('settings of a profile', () => {
  test('UDP and IPv6 can be turned off', async () => {
    const policy = await policyOf({ udp: 'block', ipv6: 'block' });
    expect(decided(policy, to('198.51.100.1', { protocol: 'udp' }))).toBe('destination-blocked');
    expect(decided(policy, to('2001:db8::1'))).toBe('destination-blocked');
    expect(decided(policy, to('198.51.100.1'))).toBe(own);
    expect(policy.carriesIpv6).toBe(false);
  });

  test.each([
    ['profile', own, own],
    ['direct', 'direct', 'direct'],
    ['block', 'destination-blocked', 'destination-blocked'],
  ])('the local network: %s', async (lan, v4, v6) => {
    const policy = await policyOf({ hostAccess: { lan } });
    expect(decided(policy, to('192.168.1.20'))).toBe(v4);
    expect(decided(policy, to('fd00::1'))).toBe(v6);
    expect(decided(policy, to('198.51.100.1'))).toBe(own);
    expect(decided(policy, { protocol: 'tcp', host: 'printer.example', port: 631 })).toBe(own);
  });

  test('a second chain is one behind the first, never the open net', async () => {
    const policy = await policyOf({ failure: { policy: 'failover', profile: 'other' } });
    expect(policy.own).toBeInstanceOf(FailoverWay);
    policy.own?.settled({ code: 'proxy-unreachable' });
    expect(policy.via).toBe('socks5://192.0.2.2:1080');
    policy.own?.settled({ code: 'proxy-unreachable' });
    expect(policy.health.health).toBe('unreachable');
    expect([...policy.ways].filter(({ via }) => via === 'direct')).toHaveLength(1);
    expect(decided(policy, to('198.51.100.1'))).not.toBe('direct');
  });

  test('a profile that wants to be asked says so while its chain is lost', async () => {
    const policy = await policyOf({ failure: { policy: 'ask' } });
    expect(policy.asks).toBe(false);
    policy.own?.settled({ code: 'proxy-timeout' });
    expect(policy.asks).toBe(true);
    policy.own?.settled(undefined);
    expect(policy.asks).toBe(false);
  });

  test('some addresses can stand for others', async () => {
    const rewrites = [
      { from: '198.51.100.7:80', to: '203.0.113.7:8080' },
      { from: '198.51.100.8', to: '203.0.113.8' },
    ];
    const policy = await policyOf({ rewrites });
    const rewritten = (host: string, port: number) => policy.rewrite({ host, port, kind: 'ipv4' });
    expect(rewritten('198.51.100.7', 80)).toEqual({ host: '203.0.113.7', port: 8080, kind: 'ipv4' });
    expect(rewritten('198.51.100.7', 81)).toEqual({ host: '198.51.100.7', port: 81, kind: 'ipv4' });
    expect(rewritten('198.51.100.8', 81)).toEqual({ host: '203.0.113.8', port: 81, kind: 'ipv4' });
    await expect(policyOf({ rewrites: [{ from: 'a.example', to: '1.2.3.4' }] })).rejects.toMatchObject({
      failure: { code: 'rule-invalid' },
    });
  });
});
