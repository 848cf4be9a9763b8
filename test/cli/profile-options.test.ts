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
])('%o is refused', (options, reason) => {
  expect(() => withOptions(work, options)).toThrow(reason);
});
