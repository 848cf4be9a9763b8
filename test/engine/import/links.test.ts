import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inEnglish } from '#shared/phrase.ts';
import { importText } from '../../../electron/engine/import/index.ts';
import { readLink } from '../../../electron/engine/import/links.ts';
import { canary, entriesOf, expectSound, fixture, profileOf } from './texts.ts';

const read = (line: string) => {
  const link = readLink(line);
  return link.ok ? link.value.upstream : inEnglish(link.reason);
};
const base64 = (text: string) => Buffer.from(text).toString('base64');
const joe = { kind: 'socks5', host: 'h.example', port: 1080, user: 'joe', password: 'pw' };

describe('a proxy link', () => {
  it.each([
    ['socks5://joe:pw@h.example:1080', joe],
    ['socks5h://joe:pw@h.example', joe],
    ['  "socks5://joe:pw@h.example:1080",  ', joe],
    ["'socks5://joe:pw@h.example:1080';", joe],
    ['<socks5://joe:pw@h.example:1080>', joe],
    ['- socks5://joe:pw@h.example:1080', joe],
    ['joe:pw@h.example:1080', joe],
    ['h.example:1080:joe:pw', joe],
    ['socks5://h.example:1080:joe:pw', joe],
    ['h.example:1080:joe:p@w:x#1%20', { ...joe, password: 'p@w:x#1%20' }],
    ['http://h.example:1080:joe:pw', { ...joe, kind: 'http' }],
    [`socks://${base64('joe:pw@h.example:1080')}#name`, joe],
    [`socks://${base64('joe:pw@h.example:1080').replace(/=+$/, '')}`, joe],
    [`socks://${base64('joe:pw')}@h.example:1080`, joe],
    [`socks://${base64('h.example:1080')}`, { kind: 'socks5', host: 'h.example', port: 1080 }],
    ['socks://localhost', { kind: 'socks5', host: 'localhost', port: 1080 }],
    ['socks://127.0.0.1:1080/', { kind: 'socks5', host: '127.0.0.1', port: 1080 }],
    ['https://t.me/socks?server=h.example&port=1080&user=joe&pass=pw', joe],
    ['tg://socks?server=h.example&port=1080&user=joe&pass=p%26w', { ...joe, password: 'p&w' }],
    ['t.me/socks?server=2001:db8::1&port=1', { kind: 'socks5', host: '2001:db8::1', port: 1 }],
    ['https://joe:pw@h.example', { ...joe, kind: 'https', port: 443 }],
    ['HTTPS://[2001:db8::1]/', { kind: 'https', host: '2001:db8::1', port: 443 }],
    ['https://[2001:db8::1]:8443#x', { kind: 'https', host: '2001:db8::1', port: 8443 }],
    ['[2001:db8::1]:1080:joe:pw', { ...joe, host: '2001:db8::1' }],
  ])('%s is read', (line, upstream) => {
    expect(read(line)).toEqual(upstream);
  });

  it.each([
    ['proxy.example', 'the port is missing'],
    ['http://proxy.example', 'an HTTP proxy needs its port'],
    ['socks5://h:0', 'the port must be a number'],
    ['2001:db8::1:1080', 'needs brackets'],
    ['ss://abc@192.0.2.1:1', 'Shadowsocks is not a SOCKS or HTTP proxy; run its client'],
    ['trojan://abc@192.0.2.1:1', 'Trojan is not'],
    ['t.me/proxy?server=192.0.2.1&port=1&secret=0', 'MTProto'],
    ['t.me/socks?port=1', 'the server is missing'],
    ['t.me/socks?server=192.0.2.1', 'the port is missing'],
    ['ftp://h:1', 'unknown scheme'],
    ['socks5://joe:pa#ss@h:1080', '%23'],
    ['joe:12:pw:5@h.example:1080', 'two ways'],
    [`socks5://${'a'.repeat(5000)}:1`, 'longer than 4096'],
  ])('%s is refused, and told why', (line, reason) => {
    expect(read(line)).toContain(reason);
  });

  it('never takes a part of a password for a host', () => {
    const part = fc.stringMatching(/^[a-z0-9:#@%]{1,12}$/);
    fc.assert(
      fc.property(part, (password) => {
        const link = readLink(`socks5://joe:${password}@real.example:1080`);
        if (link.ok) expect(link.value.upstream.host).toBe('real.example');
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a text of many links', () => {
  const result = importText(fixture('links.txt'));

  it('becomes a profile each, with ids and names from the links', () => {
    expect(result.kind).toBe('links');
    expectSound(result);
    expect(result.profiles).toHaveLength(14);
    expect(result.profiles.slice(0, 3).map(({ id, name }) => [id, name])).toEqual([
      ['work', 'Work'],
      ['lab-u', 'Lab ü'],
      ['192-0-2-4-1080', '192.0.2.4:1080'],
    ]);
  });

  it('keeps the passwords apart from the profiles and out of the lines', () => {
    expect(result.secrets.filter(({ password }) => password === canary)).toHaveLength(8);
    expect(JSON.stringify({ ...result, secrets: [] })).not.toContain(canary);
  });

  it('has an entry for every line that is no comment', () => {
    const written = fixture('links.txt')
      .split('\n')
      .flatMap((line, at) => (/^\s*(#|$)/.test(line) ? [] : [at + 1]));
    expect(result.lines.map(({ line }) => line)).toEqual(written);
  });

  it('says of each line what became of it', () => {
    expect(entriesOf(result, 2)).toEqual(['taken: Work: socks5://proxy.example:1080']);
    expect(entriesOf(result, 8)).toEqual([
      'taken: socks5://192.0.2.8:1080: without a scheme it is taken as SOCKS5',
    ]);
    expect(entriesOf(result, 17)[0]).toMatch(/^skipped: ss:\/\/…: Shadowsocks is not/);
    expect(entriesOf(result, 20)[0]).toMatch(/^invalid: a line that is no proxy link: the port is missing/);
    expect(entriesOf(result, 23)).toEqual([
      'skipped: socks5://proxy.example:1080: the same proxy as in line 2',
    ]);
  });

  it('gives equal names different ids, and none that is built in', () => {
    const { profiles } = importText(
      'socks5://a:1#None\nsocks5://b:1#none\nsocks5://c:1#Direct\nsocks5://d:1#☃',
    );
    expect(profiles.map(({ id }) => id)).toEqual(['none-2', 'none-3', 'direct-2', 'proxy']);
    expect(profileOf(importText('socks5://d:1#☃'), 'proxy').name).toBe('☃');
  });

  it('does not let a name play tricks on a terminal', () => {
    const { profiles, lines } = importText('socks5://h:1#a%1b[31m%0ab%E2%80%AEc');
    expect(profiles[0]?.name).toBe('a [31m b c');
    expect(lines[0]?.text).toContain('a [31m b c');
  });
});
