import { describe, expect, it } from 'vitest';
import { importText, listRules } from '../../../electron/engine/import/index.ts';
import { canary, decide, entriesOf, expectSound, fixture, refusalOf } from './texts.ts';

describe('variables of the environment', () => {
  const result = importText(fixture('environment.sh'));

  it('become a profile for each proxy, once', () => {
    expect(result.kind).toBe('environment');
    expectSound(result);
    expect(result.profiles.map(({ name, chain }) => [name, chain.servers[0]?.kind])).toEqual([
      ['proxy.example:3128', 'http'],
      ['192.0.2.51:1080', 'socks5'],
      ['192.0.2.52:1080', 'socks5'],
      ['192.0.2.53:8080', 'http'],
    ]);
    expect(entriesOf(result, 3)[0]).toContain('the same proxy as in line 2');
    expect(JSON.stringify({ ...result, secrets: [] })).not.toContain(canary);
  });

  it.each([
    [{ host: 'a.corp.example' }, 'direct'],
    [{ host: 'example.org' }, 'direct'],
    [{ host: 'www.example.org' }, 'direct'],
    [{ host: 'notexample.org' }, undefined],
    [{ address: '10.1.1.1' }, 'direct'],
    [{ host: 'host.example', port: 8443 }, 'direct'],
    [{ host: 'host.example', port: 443 }, undefined],
    [{ host: 'anything.example' }, undefined],
  ])('make exceptions of no_proxy for %j', (facts, action) => {
    for (const { id } of result.profiles)
      expect(decide(result, { ...facts, profile: id })?.action).toBe(action);
    expect(decide(result, { ...facts, profile: 'another' })).toBeUndefined();
  });

  it('say why not of the rest', () => {
    expect(entriesOf(result, 7)).toEqual(['skipped: ftp_proxy: a proxy for this alone has no counterpart']);
    expect(entriesOf(result, 8)).toContainEqual(
      expect.stringMatching(/^skipped: no_proxy: \*: it would send all/),
    );
    expect(entriesOf(result, 8).filter((entry) => entry.includes('own loopback'))).toHaveLength(3);
    expect(entriesOf(result, 9)).toEqual(['skipped: a variable: it names no proxy']);
    expect(entriesOf(importText('no_proxy=x.example'), 1)[0]).toMatch(
      /^skipped: no_proxy: x.example: there is no proxy/,
    );
    expect(entriesOf(importText('ALL_PROXY='), 1)).toEqual(['skipped: ALL_PROXY: it is empty']);
    expect(entriesOf(importText('http_proxy=http://h'), 1)[0]).toMatch(
      /^invalid: http_proxy: an HTTP proxy needs its port/,
    );
  });
});

describe('a list of addresses', () => {
  const text = fixture('addresses.txt');

  it('sends its addresses out directly, for one profile', () => {
    const list = listRules(text, 'direct-list', 'work');
    expect(list.changes).toEqual({ profile: 'work' });
    expect(decide(list, { address: '10.1.1.1', profile: 'work' })?.action).toBe('direct');
    expect(decide(list, { address: '2001:db8::5', profile: 'work' })?.action).toBe('direct');
    expect(decide(list, { address: '198.51.100.1', profile: 'work' })).toBeUndefined();
    expect(decide(list, { address: '10.1.1.1', profile: 'other' })).toBeUndefined();
  });

  it('sends only its addresses through the proxy, with names that are looked up by the host', () => {
    const list = listRules(text, 'proxy-list', 'work');
    expect(list.changes).toEqual({ profile: 'work', action: 'direct', dns: { mode: 'host' } });
    expect(decide(list, { address: '203.0.113.7', profile: 'work' })?.action).toBe('proxy');
    expect(decide(list, { address: '203.0.113.8', profile: 'work' })).toBeUndefined();
    expect(entriesOf(list, 0)[0]).toContain('all else goes out directly');
  });

  it('says what became of each line', () => {
    const { lines } = listRules(text, 'direct-list', 'work');
    expect(lines.map(({ line, status }) => [line, status])).toEqual([
      [0, 'note'],
      [2, 'taken'],
      [3, 'taken'],
      [4, 'taken'],
      [5, 'taken'],
      [7, 'skipped'],
      [8, 'invalid'],
      [9, 'invalid'],
    ]);
  });

  it('changes nothing when there is no address in it', () => {
    expect(listRules('# none\nexample.com\n', 'proxy-list', 'work')).toMatchObject({
      rules: [],
      changes: { profile: 'work' },
    });
  });

  it('is read only where it is asked for, and for a profile', () => {
    const result = importText(text, { kind: 'proxy-list', profile: 'work' });
    expectSound(result);
    expect(result).toMatchObject({ kind: 'proxy-list', profiles: [], changes: { action: 'direct' } });
    expect(refusalOf(text, { kind: 'proxy-list' })).toContain('the profile that it is for');
    expect(importText(text).kind).toBe('links');
  });
});
