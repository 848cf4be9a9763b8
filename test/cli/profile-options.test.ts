import { describe, expect, test } from 'vitest';
import { withOptions } from '../../electron/cli/profile-options.ts';
import { newProfile, serversOf } from '../../electron/engine/profiles/new-profile.ts';
import type { Upstream } from '../../electron/shared/model.ts';

const proxy: Upstream = { kind: 'socks5', host: '192.0.2.1', port: 1080, user: 'me', password: 'hunter2' };
const work = newProfile('Work', [proxy]);

test('a new profile has its servers, and no password in them', () => {
  expect(work.chain.servers).toEqual([
    { id: 's1', kind: 'socks5', host: '192.0.2.1', port: 1080, user: 'me' },
  ]);
  expect(JSON.stringify(work)).not.toContain('hunter2');
});

test('without a proxy it goes out directly, with names of this computer', () => {
  expect(newProfile('Straight', [])).toMatchObject({ action: 'direct', dns: { mode: 'host' } });
});

test('servers that come later get ids that are free', () => {
  const others = [
    { id: 's1', kind: 'socks5', host: 'a.test', port: 1 },
    { id: 's3', kind: 'socks5', host: 'b.test', port: 1 },
  ] as const;
  expect(serversOf([proxy, proxy], others).map(({ id }) => id)).toEqual(['s2', 's4']);
});

test('no option changes nothing', () => {
  expect(withOptions(work, {})).toEqual(work);
});

test('each option changes its own part', () => {
  const changed = withOptions(work, {
    name: 'Office',
    colour: '#ff0000',
    letter: 'O',
    udp: 'block',
    ipv6: 'block',
    egress: 'eth0',
    lan: 'direct',
    hostPort: ['8080, 9090', '8080'],
    failover: 'home',
    isolation: 'rootless',
    resolver: '192.0.2.53',
  });
  expect(changed).toMatchObject({
    name: 'Office',
    colour: '#ff0000',
    letter: 'O',
    udp: 'block',
    ipv6: 'block',
    egress: 'eth0',
    hostAccess: { lan: 'direct', loopbackPorts: [8080, 9090] },
    failure: { policy: 'failover', profile: 'home' },
    isolation: 'rootless',
    dns: { mode: 'remote', resolver: '192.0.2.53' },
  });
  const back = withOptions(changed, { egress: false, hostPort: false, failover: false });
  expect(back).not.toHaveProperty('egress');
  expect(back).toMatchObject({ hostAccess: { loopbackPorts: [] }, failure: { policy: 'block' } });
});

describe('a chain', () => {
  test('keeps its length only where its mode has one', () => {
    const random = withOptions(work, { chain: 'random', chainLength: '1' });
    expect(random.chain).toMatchObject({ mode: 'random', length: 1 });
    expect(withOptions(random, { chain: 'round-robin' }).chain).toMatchObject({ length: 1 });
    expect(withOptions(random, { chain: 'strict' }).chain).not.toHaveProperty('length');
    expect(withOptions(random, { chainLength: '2' }).chain).toMatchObject({ mode: 'random', length: 2 });
  });

  test('has no length in an order that takes all', () => {
    expect(() => withOptions(work, { chainLength: '2' })).toThrow(/--chain-length goes with/);
  });
});

describe('when the proxy fails', () => {
  test('connections are refused, or the user is asked, or another chain is taken', () => {
    const asks = withOptions(work, { onFailure: 'ask' });
    expect(asks.failure).toEqual({ policy: 'ask' });
    expect(withOptions(asks, { name: 'Other' }).failure).toEqual({ policy: 'ask' });
    expect(withOptions(asks, { failover: 'home' }).failure).toEqual({ policy: 'failover', profile: 'home' });
    expect(withOptions(asks, { onFailure: 'block' }).failure).toEqual({ policy: 'block' });
    expect(withOptions(asks, { failover: false }).failure).toEqual({ policy: 'block' });
  });
});

describe('servers', () => {
  const secure: Upstream = { kind: 'https', host: 'proxy.example', port: 443 };
  const mixed = newProfile('Mixed', [proxy, secure]);
  const hex = 'ab'.repeat(32);

  test('are given a time limit, all of them, and lose it', () => {
    const limited = withOptions(mixed, { timeout: '2500' });
    expect(limited.chain.servers.map(({ timeoutMs }) => timeoutMs)).toEqual([2500, 2500]);
    expect(withOptions(limited, {})).toEqual(limited);
    expect(withOptions(limited, { timeout: false })).toEqual(mixed);
  });

  test.each([hex, hex.toUpperCase(), `SHA256:${hex}`, hex.replaceAll(/(..)(?=.)/g, '$1:')])(
    'that show a certificate are accepted by its fingerprint %s, and verified again',
    (fingerprint) => {
      const accepted = withOptions(mixed, { fingerprint });
      expect(accepted.chain.servers.map((server) => server.fingerprint)).toEqual([undefined, hex]);
      expect(withOptions(accepted, { timeout: '500' }).chain.servers[1]).toMatchObject({ fingerprint: hex });
      expect(withOptions(accepted, { fingerprint: false })).toEqual(mixed);
    },
  );

  test('are named where several show one', () => {
    const two = newProfile('Two', [secure, { ...secure, host: 'other.example' }]);
    expect(() => withOptions(two, { fingerprint: hex })).toThrow(/--server s1\|s2/);
    const named = withOptions(two, { fingerprint: hex, server: 's2' });
    expect(named.chain.servers.map(({ fingerprint }) => fingerprint)).toEqual([undefined, hex]);
  });
});

test('names follow the action: looked up here only where nothing else is', () => {
  const direct = withOptions(work, { action: 'direct' });
  expect(direct.dns).toEqual({ mode: 'host' });
  expect(withOptions(direct, { action: 'proxy' }).dns).toEqual({ mode: 'fake' });
  expect(withOptions(direct, { name: 'Other' }).dns).toEqual({ mode: 'host' });
  expect(() => withOptions(work, { dns: 'host' })).toThrow(/around the proxy/);
});

test.each([
  [{ udp: 'maybe' }, /--udp is one of/],
  [{ lan: 'open' }, /--lan is one of/],
  [{ hostPort: ['80-90'] }, /--host-port is a port/],
  [{ hostPort: ['0'] }, /--host-port is a port/],
  [{ resolver: '192.0.2.53', dns: 'remote=192.0.2.54' }, /exclude one another/],
  [{ resolver: '192.0.2.53', dns: 'fake' }, /takes no address/],
  [{ action: 'profile' }, /--action is one of/],
  [{ onFailure: 'direct' }, /--on-failure is one of block, ask/],
  [{ onFailure: 'ask', failover: 'home' }, /exclude one another/],
  [{ fingerprint: 'ab'.repeat(32) }, /for an https proxy/],
  [{ timeout: '99' }, /from 100 to 60000/],
  [{ timeout: 'soon' }, /from 100 to 60000/],
])('%o is refused', (options, reason) => {
  expect(() => withOptions(work, options)).toThrow(reason);
});
