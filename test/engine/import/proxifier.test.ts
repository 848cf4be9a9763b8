import { describe, expect, it } from 'vitest';
import { importText } from '../../../electron/engine/import/index.ts';
import { canary, decide, entriesOf, expectSound, fixture, profileOf, refusalOf } from './texts.ts';

const wrap = (rules: string, options = '') => `<?xml version="1.0"?>
<ProxifierProfile version="102"><Options>${options}</Options><ProxyList>
<Proxy id="1" type="SOCKS5"><Address>192.0.2.1</Address><Port>1080</Port><Label>One</Label>
<Authentication enabled="true"><Username>joe</Username><Password>${canary}</Password></Authentication></Proxy>
</ProxyList><ChainList /><RuleList>
${rules}
</RuleList></ProxifierProfile>`;
const rule = (name: string, inner: string) => `<Rule enabled="true"><Name>${name}</Name>${inner}</Rule>`;
const direct = '<Action type="Direct" />';

describe('a profile of Proxifier', () => {
  const result = importText(fixture('work.ppx'), { name: '/home/joe/work.ppx' });

  it('becomes a profile for each proxy and each chain', () => {
    expect(result.kind).toBe('proxifier');
    expectSound(result);
    expect(
      result.profiles.map(({ id, chain }) => [id, chain.mode, chain.servers.map(({ kind }) => kind)]),
    ).toEqual([
      ['work', 'strict', ['socks5']],
      ['192-0-2-31-3128', 'strict', ['http']],
      ['192-0-2-32-1080', 'strict', ['socks4a']],
      ['two-hops', 'strict', ['socks5', 'http']],
      ['spare', 'strict', ['socks5']],
      ['shared', 'round-robin', ['socks5', 'http']],
    ]);
    expect(profileOf(result, 'work').chain.servers[0]?.user).toBe('joe & jane');
    expect(profileOf(result, 'shared').chain.length).toBe(1);
  });

  it('makes failover of redundancy, to the second proxy and never to none', () => {
    expect(profileOf(result, 'spare').failure).toEqual({ policy: 'failover', profile: '192-0-2-31-3128' });
    expect(entriesOf(result, 40)[1]).toContain('of its 3 proxies the first two are used');
  });

  it('does not make a shorter chain of one whose proxy is lost', () => {
    expect(entriesOf(result, 28)[0]).toMatch(/^invalid: proxy 103/);
    expect(entriesOf(result, 51)[0]).toMatch(/^invalid: chain Broken/);
  });

  it('keeps passwords apart', () => {
    expect(result.secrets.map(({ profile, password }) => [profile, password])).toEqual(
      ['work', 'two-hops', 'spare', 'shared'].map((profile) => [profile, canary]),
    );
    expect(JSON.stringify({ ...result, secrets: [] })).not.toContain(canary);
  });

  it.each([
    [{ host: 'a.corp.example', port: 80, apps: ['chrome'] }, 'direct'],
    [{ host: 'a.corp.example', port: 80, apps: ['chat'] }, 'direct'],
    [{ host: 'a.corp.example', port: 80, apps: ['firefox'] }, undefined],
    [{ host: 'a.corp.example', port: 81, apps: ['chrome'] }, undefined],
    [{ address: '10.0.1.127', port: 8050, apps: ['chrome'] }, 'direct'],
    [{ address: '10.0.1.128', port: 8050, apps: ['chrome'] }, undefined],
    [{ address: '192.168.77.1', port: 80, apps: ['chrome'] }, 'direct'],
    [{ host: 'ads.example' }, undefined],
    [{ host: 'mail.example', process: 'mailspring' }, 'profile'],
    [{ host: 'mail.example', process: 'mutt' }, 'profile'],
  ])('has rules that decide about %j', (facts, action) => {
    expect(decide(result, { ...facts, profile: 'work' })?.action).toBe(action);
    expect(decide(result, { ...facts, profile: 'two-hops' })).toBeUndefined();
  });

  it('keeps a rule that is off as one that is off, and leaves out one with nothing left in its list', () => {
    expect(result.rules.find(({ note }) => note === 'Ads')?.isOff).toBe(true);
    expect(entriesOf(result, 80).at(-1)).toMatch(
      /^skipped: rule Only question marks: a list of it has nothing left/,
    );
    expect(result.rules).toHaveLength(3);
  });

  it('tells that a password was encrypted, without showing it', () => {
    const encrypted = importText(wrap(rule('Default', direct), '<Encryption mode="basic" />'));
    expect(encrypted.secrets).toEqual([]);
    expect(entriesOf(encrypted).join()).toContain('Proxifier has encrypted its password');
    expect(JSON.stringify(encrypted)).not.toContain(canary);
  });

  it('makes a profile that goes direct only where the rule for everything says so', () => {
    const plain = importText(wrap(rule('Default', direct)), { name: 'Home.ppx' });
    expect(profileOf(plain, 'home')).toMatchObject({ action: 'direct', chain: { servers: [] } });
    expect(profileOf(plain, 'one').action).toBe('proxy');
  });

  it('switches the direct rule for everything off when a rule before it was lost', () => {
    const proxied = rule('Secret', '<Targets>?.secret.example</Targets><Action type="Proxy">1</Action>');
    const lossy = importText(wrap(`${proxied}${rule('Default', direct)}`));
    expectSound(lossy);
    expect(lossy.profiles.map(({ id, action }) => [id, action])).toEqual([['one', 'proxy']]);
    expect(lossy.rules).toMatchObject([{ isOff: true, action: 'direct', match: { profiles: ['one'] } }]);
    expect(decide(lossy, { host: 'x.secret.example', profile: 'one' })).toBeUndefined();
    const narrow = rule('LAN', `<Targets>?.lan</Targets>${direct}`);
    expect(importText(wrap(`${narrow}${rule('Default', direct)}`)).rules).toEqual([]);
  });

  it.each([
    ['<!DOCTYPE x [<!ENTITY a "b">]><ProxifierProfile/>', 'document type'],
    [wrap(rule('x', direct)).replace('</RuleList>', ''), 'not well-formed'],
    [`${'<a>'.repeat(40)}${'</a>'.repeat(40)}`, 'deeper than 32'],
    ['<html></html>', 'not a profile of Proxifier'],
    ['<ProxifierProfile><__proto__/></ProxifierProfile>', 'not well-formed'],
  ])('%s is refused', (text, reason) => {
    expect(refusalOf(text)).toContain(reason);
  });
});
