import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { importText } from '../../../electron/engine/import/index.ts';
import { canary, decide, entriesOf, expectSound, fixture, profileOf } from './texts.ts';

const list = '[ProxyList]\nsocks5 192.0.2.1 1080\nsocks5 192.0.2.2 1080\n';
const read = (text: string) => importText(text, { name: 'proxychains.conf' });
const only = (text: string) => profileOf(read(text), 'proxychains');

describe('a proxychains.conf with every documented option', () => {
  const result = read(fixture('proxychains.conf'));
  const profile = profileOf(result, 'proxychains');

  it('becomes one profile with the chain', () => {
    expect(result.kind).toBe('proxychains');
    expectSound(result);
    expect(result.profiles).toHaveLength(1);
    expect(profile.chain.mode).toBe('round-robin');
    expect(profile.chain.length).toBe(2);
    expect(profile.chain.servers.map(({ kind, host, port, user }) => [kind, host, port, user])).toEqual([
      ['socks5', '192.0.2.21', 1080, 'joe'],
      ['http', '192.0.2.22', 8080, 'joe'],
      ['socks4a', '192.0.2.23', 1080, undefined],
      ['socks5', '2001:db8::24', 1080, undefined],
      ['socks5', '192.0.2.25', 1080, undefined],
      ['socks5', '192.0.2.26', 1080, 'joe'],
    ]);
  });

  it('keeps the passwords apart', () => {
    expect(result.secrets.map(({ server, password }) => [server, password])).toEqual([
      ['server-1', canary],
      ['server-2', canary],
      ['server-6', canary],
    ]);
    expect(JSON.stringify({ ...result, secrets: [] })).not.toContain(canary);
  });

  it('adds up the two time-outs for each server', () => {
    expect(profile.chain.servers.map(({ timeoutMs }) => timeoutMs)).toEqual(Array(6).fill(23_000));
  });

  it.each([
    ['192.168.1.9', 80, 'direct'],
    ['192.168.1.9', 81, undefined],
    ['10.9.8.7', 443, 'direct'],
    ['172.16.9.9', 1, 'direct'],
    ['172.32.0.1', 1, undefined],
    ['2001:db8:1::5', 443, 'direct'],
    ['2001:db8:1::5', 80, undefined],
    ['fe80::77', 9, 'direct'],
    ['198.51.100.1', 443, undefined],
  ])('localnet sends %s port %i the way that it says', (address, port, action) => {
    expect(decide(result, { address, port, profile: 'proxychains' })?.action).toBe(action);
    expect(decide(result, { address, port, profile: 'another' })).toBeUndefined();
  });

  it('opens a port of the loopback that is named, and no others', () => {
    expect(profile.hostAccess.loopbackPorts).toEqual([5432]);
    expect(entriesOf(result, 19)[0]).toMatch(/^note: localnet 127.0.0.0\/8: an app always reaches/);
    expect(decide(result, { address: '127.0.0.1', profile: 'proxychains' })).toBeUndefined();
  });

  it('makes rewrites of dnat, those with a port first', () => {
    expect(profile.rewrites).toEqual([
      { from: '192.0.2.1:80', to: '198.51.100.1:8080' },
      { from: '192.0.2.2', to: '198.51.100.2' },
    ]);
    expect(only(`dnat 192.0.2.1 198.51.100.1\ndnat 192.0.2.1:80 198.51.100.2\n${list}`).rewrites).toEqual([
      { from: '192.0.2.1:80', to: '198.51.100.2' },
      { from: '192.0.2.1', to: '198.51.100.1' },
    ]);
  });

  it('says of what it does not take why', () => {
    expect(entriesOf(result, 21)).toEqual([
      'invalid: localnet: the mask is not one for a range of addresses',
    ]);
    expect(entriesOf(result, 24)).toEqual(['invalid: dnat: the original destination: not an address']);
    expect(entriesOf(result, 25)[0]).toMatch(/^skipped: an unknown line/);
    expect(entriesOf(result, 35)[0]).toMatch(/^skipped: a raw proxy/);
    expect(entriesOf(result, 36)).toEqual([
      'invalid: a socks5 proxy: the port must be a number from 1 to 65535',
    ]);
    expect(entriesOf(result, 37)[0]).toContain('the type is not socks4, socks5, http or raw');
    expect(entriesOf(result, 38)[0]).toContain('behind [ProxyList]');
    expect(entriesOf(result, 0)).toEqual([
      'note: proxychains: the chain has fewer servers than the file: 3 could not be taken',
    ]);
  });

  it('has an entry for every line that is no comment', () => {
    const written = fixture('proxychains.conf')
      .split('\n')
      .flatMap((line, at) => (/^\s*(#|$)/.test(line) ? [] : [at + 1]));
    expect(new Set(result.lines.map(({ line }) => line).filter((line) => line > 0))).toEqual(
      new Set(written),
    );
  });
});

describe('a chain of proxychains', () => {
  it.each([
    ['', 'dynamic', undefined],
    ['strict_chain', 'strict', undefined],
    ['dynamic_chain', 'dynamic', undefined],
    ['random_chain', 'random', 1],
    ['random_chain\nchain_len = 2', 'random', 2],
    ['round_robin_chain\nchain_len=2 # two', 'round-robin', 2],
    ['round_robin_chain\nchain_len = 0', 'round-robin', 1],
    ['random_chain\nstrict_chain', 'strict', undefined],
    ['  strict_chain  \n\trandom_chain', 'random', 1],
  ])('with %j has the mode and length of proxychains-ng', (options, mode, length) => {
    const { chain } = only(`${options}\nproxy_dns\n${list}`);
    expect([chain.mode, chain.length]).toEqual([mode, length]);
  });

  it('tells that a strict chain has no length', () => {
    expect(entriesOf(read(`strict_chain\nchain_len = 2\nproxy_dns\n${list}`), 2)[0]).toMatch(
      /^note: .*has no length/,
    );
  });

  it('takes all servers of a list that is shorter than the length asked for, and says so', () => {
    const text = `random_chain\nchain_len = 9\nproxy_dns\n${list}`;
    const { servers, length } = only(text).chain;
    expect(length).toBe(servers.length);
    expect(entriesOf(read(text), 2)[0]).toBe(
      `invalid: chain_len = 9: there are only ${servers.length} servers; all are used`,
    );
  });

  it('has no time limit of its own where the file has none, and the other default where it has one', () => {
    expect(only(`proxy_dns\n${list}`).chain.servers[0]).not.toHaveProperty('timeoutMs');
    expect(only(`tcp_connect_time_out 5000\n${list}`).chain.servers[0]?.timeoutMs).toBe(9000);
    expect(only(`tcp_read_time_out 90000\n${list}`).chain.servers[0]?.timeoutMs).toBe(60_000);
  });

  it('sends names to the proxy also without proxy_dns, and says so', () => {
    for (const word of ['proxy_dns', 'proxy_dns_old', 'proxy_dns_daemon 127.0.0.1:1053']) {
      expect(entriesOf(read(`${word}\n${list}`), 0)).toEqual([]);
    }
    const without = read(list);
    expect(profileOf(without, 'proxychains').dns).toEqual({ mode: 'fake' });
    expect(entriesOf(without, 0)[0]).toContain('here they always go to the proxy');
  });

  it('takes a proxy that is written as a URL', () => {
    const { chain } = only(
      'proxy_dns\n[ProxyList]\nsocks5://joe:p@w@192.0.2.1:1080\nsocks4://192.0.2.2:1081\n',
    );
    expect(chain.servers.map(({ kind, host, port }) => [kind, host, port])).toEqual([
      ['socks5', '192.0.2.1', 1080],
      ['socks4a', '192.0.2.2', 1081],
    ]);
  });

  it.each([
    ['strict_chain', 'invalid'],
    ['dynamic_chain', 'skipped'],
    ['random_chain', 'skipped'],
    ['round_robin_chain', 'skipped'],
  ])(
    '%s with a raw proxy is %s: only a strict one would be shorter than it was asked for',
    (mode, status) => {
      const result = read(`${mode}\nproxy_dns\n${list}raw 192.0.2.9 80\n`);
      expect(entriesOf(result, 6)[0]).toMatch(
        new RegExp(`^${status}: a raw proxy: raw is no proxy protocol`),
      );
    },
  );

  it('makes no profile and no rule without a proxy', () => {
    const result = read('localnet 10.0.0.0/8\n[ProxyList]\nraw 192.0.2.1 80\n');
    expect([result.profiles, result.rules]).toEqual([[], []]);
    expect(entriesOf(result, 1)).toEqual(['skipped: localnet 10.0.0.0/8: there is no profile to belong to']);
    expect(entriesOf(result, 0)[0]).toMatch(/^invalid/);
  });

  it('warns of a localnet that covers everything', () => {
    const result = read(`proxy_dns\nlocalnet 0.0.0.0:80/0.0.0.0\n${list}`);
    expect(entriesOf(result, 0)[0]).toContain('covers all addresses');
    expect(decide(result, { address: '198.51.100.1', port: 80, profile: 'proxychains' })?.action).toBe(
      'direct',
    );
    expect(decide(result, { address: '198.51.100.1', port: 443, profile: 'proxychains' })).toBeUndefined();
  });

  it.runIf(existsSync('/etc/proxychains4.conf'))(
    'reads the file that the package of proxychains-ng installs',
    () => {
      const result = importText(readFileSync('/etc/proxychains4.conf'));
      expect(result.kind).toBe('proxychains');
      expect(result.lines.filter(({ status }) => status === 'invalid' || status === 'skipped')).toEqual([]);
      expect(result.profiles[0]?.chain.servers[0]).toMatchObject({
        kind: 'socks4a',
        host: '127.0.0.1',
        port: 9050,
      });
    },
  );
});
