import { describe, expect, it } from 'vitest';
import { sayIn } from '#shared/phrase.ts';
import { chinesePhrases } from '#shared/phrases-zh-cn.ts';
import { entryDefect } from '../../../electron/engine/rules/compiled.ts';
import { Rulebook } from '../../../electron/engine/rules/rulebook.ts';

/** Whether a rule with this one pattern matches where the app goes: a name or an address. */
function takes(pattern: string, host: string | undefined, address?: string): boolean {
  const rulebook = Rulebook.compile([{ id: 'r1', match: { to: [pattern] }, action: 'block' }]);
  return rulebook.decide({ protocol: 'tcp', port: 1, apps: [], host, address }) !== undefined;
}

describe('a pattern', () => {
  it.each([
    ['example.com', 'example.com', true],
    ['example.com', 'EXAMPLE.com.', true],
    ['Example.COM.', 'example.com', true],
    ['example.com', 'www.example.com', false],
    ['.example.com', 'example.com', true],
    ['.example.com', 'a.b.example.com', true],
    ['.example.com', 'badexample.com', false],
    ['*.example.com', 'a.b.example.com', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com', 'badexample.com', false],
    ['*example.com', 'badexample.com', true],
    ['ads*', 'ads7.example', true],
    ['ads*', 'bads.example', false],
    ['a*b*c.example', 'a1b2c.example', true],
    ['a*b*c.example', 'acb.example', false],
    ['ab*ba', 'aba', false],
    ['a*b*b', 'ab', false],
    ['a*b*b', 'abb', true],
    ['*a*', 'b', false],
    ['*srv1', 'srv1', true],
    ['/^ads?[0-9]+\\./', 'AD12.example', true],
    ['/^ads?[0-9]+\\./', 'bad12.example', false],
    ['/track/', 'www.tracker.example', true],
    ['bücher.example', 'xn--bcher-kva.example', true],
    ['BÜCHER.example', 'bücher.example', true],
    ['xn--bcher-kva.example', 'Bücher.example', true],
    ['.ＥＸＡＭＰＬＥ', 'www.example', true],
    ['*.bücher.ex*', 'www.xn--bcher-kva.example', true],
    ['_dmarc.example', '_dmarc.example', true],
    ['*', 'anything', true],
  ])('%s on the name %s: %s', (pattern, host, answer) => {
    expect(takes(pattern, host)).toBe(answer);
  });

  it.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.9.9.9/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '2001:db8::1', true],
    ['::/0', '203.0.113.9', false],
    ['::/0', '::ffff:203.0.113.9', false],
    ['2001:db8::/32', '2001:DB8:1::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '::ffff:192.0.2.1', true],
    ['::ffff:192.0.2.0/120', '192.0.2.77', true],
    ['::ffff:0:0/96', '192.0.2.77', true],
    ['255.255.255.255', '255.255.255.255', true],
    ['128.0.0.0/1', '255.255.255.255', true],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['192.168.*', '192.168.3.4', true],
    ['192.168.*', '192.169.3.4', false],
    ['192.168.*.*', '192.168.3.4', true],
    ['*', '192.0.2.1', true],
    // Written for names, so no address is meant.
    ['/^[^.]+$/', '2001:db8::1', false],
    ['*.*', '192.0.2.1', false],
    ['*1', '192.0.2.1', false],
  ])('%s on the address %s: %s', (pattern, address, answer) => {
    expect(takes(pattern, undefined, address)).toBe(answer);
    expect(takes(pattern, address)).toBe(answer);
  });

  it('for addresses does not look at names, nor one for names at addresses', () => {
    expect(takes('10.0.0.0/8', 'inside.example')).toBe(false);
    expect(takes('10.*', '10.example')).toBe(false);
    expect(takes('.example', undefined, '192.0.2.1')).toBe(false);
  });

  it('matches by either where both are known', () => {
    expect(takes('192.0.2.0/24', 'a.example', '192.0.2.1')).toBe(true);
    expect(takes('a.example', 'a.example', '192.0.2.1')).toBe(true);
  });

  it.each([
    '',
    '.',
    '*.',
    'a*.',
    'a*..b',
    '*..b',
    'a..b',
    'a b',
    'user@host',
    'https://example.com',
    'example.com:443',
    '[2001:db8::1]',
    '10.0.0',
    '10.0.0.256',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '10.0.0.0/255.0.0.0',
    '2001:db8::/129',
    '2001:db8::%eth0/64',
    '2001:db8:*',
    '10.1*',
    '10.*.1',
    '300.*',
    '10.1.2.3.*',
    '0x7f.1',
    '127.1',
    '１２７.1',
    '.a*',
    'bü*.example',
    'a\0b',
    'ü%2e.example',
    'ü/x',
    '/',
    '//',
    '/a',
    '/(/',
    '/(?=a)/',
    '/(a)\\1/',
    '/(a{1000}){1000}/',
    '/([a-z]{1,100}[0-9]{1,100}){5}/',
    `${'a'.repeat(60)}.`.repeat(5),
    'x'.repeat(600),
  ])('%j is refused', (pattern) => {
    expect(() => takes(pattern, 'a.example')).toThrow(/r1: to: "/);
    const defect = entryDefect('to', pattern);
    expect(defect === undefined ? '' : sayIn(chinesePhrases, defect)).toMatch(/\p{Script=Han}/u);
  });

  it('that a backtracking engine would need an age for is answered at once', () => {
    expect(takes('/^(a+)+$/', `${'a'.repeat(200)}.b`)).toBe(false);
    expect(takes('/(a|aa)+c/', 'a'.repeat(250))).toBe(false);
  });

  it('is not fooled by a name that is none', () => {
    for (const host of ['', '.', '..', '.example', 'ü%', '\u{d800}', 'a b', '%', '[', '::', '1.2.3']) {
      expect(takes('www.example', host), host).toBe(false);
      expect(takes('*', host), host).toBe(true);
    }
    expect(takes('.example', 'WWW.EXAMPLE..')).toBe(true);
  });
});
