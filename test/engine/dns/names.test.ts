import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyName, isHostName } from '../../../electron/engine/dns/names.ts';

describe('host names', () => {
  it.each([
    'example.com',
    'EXAMPLE.com',
    'a',
    '_dmarc.example.com',
    'xn--bcher-kva.example',
    '-odd-.example',
    '1.2.3.4.example',
    `${'a'.repeat(63)}.test`,
    `${'a.'.repeat(126)}a`,
  ])('%s may be sent to a proxy', (name) => {
    expect(isHostName(name)).toBe(true);
  });

  it.each([
    '',
    '.',
    'a..b',
    '.a',
    'a.',
    'a b',
    'a\r\nb',
    'a\0b',
    'user@host',
    'a/b',
    'a:80',
    '[::1]',
    '::1',
    'bücher.example',
    'a\u007f',
    'a\n',
    `${'a'.repeat(64)}.test`,
    `${'a.'.repeat(126)}aa`,
  ])('%j may not', (name) => {
    expect(isHostName(name)).toBe(false);
  });

  it.each([
    '1.2.3.4',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0X7F.0x1',
    '0177.0.0.01',
    'a.b.5',
    'foo.0x',
  ])('%s looks like an address, and does not exist as a name', (name) => {
    expect(isHostName(name)).toBe(false);
    expect(classifyName(name.toLowerCase())).toEqual({ kind: 'absent' });
  });

  it(
    'for any text, what passes has only bytes that no protocol takes for a delimiter',
    { timeout: 60_000 },
    () => {
      fc.assert(
        fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
          if (isHostName(name)) expect(name).toMatch(/^[A-Za-z0-9_.-]{1,253}$/);
        }),
        { numRuns: 20_000 },
      );
    },
  );
});

describe('special names', () => {
  it.each([
    ['localhost', 'localhost'],
    ['a.b.localhost', 'localhost'],
    ['notlocalhost', 'host'],
    ['localhost.example', 'host'],
    ['local', 'absent'],
    ['printer.local', 'absent'],
    ['x.invalid', 'absent'],
    ['abc.onion', 'onion'],
    ['resolver.arpa', 'empty'],
    ['_dns.resolver.arpa', 'empty'],
    ['ipv4only.arpa', 'empty'],
    ['use-application-dns.net', 'absent'],
    ['home.arpa', 'host'],
    ['arpa', 'host'],
    ['', 'empty'],
    ['my printer._ipp._tcp.example', 'not-a-host'],
  ])('%j is %s', (name, kind) => {
    expect(classifyName(name)).toEqual({ kind });
  });

  it.each([
    ['4.3.2.198.in-addr.arpa', '198.2.3.4', true],
    ['1.0.0.10.in-addr.arpa', '10.0.0.1', false],
    ['1.1.168.192.in-addr.arpa', '192.168.1.1', false],
    ['1.0.0.127.in-addr.arpa', '127.0.0.1', false],
    ['5.0.18.198.in-addr.arpa', '198.18.0.5', false],
    ['10.in-addr.arpa', undefined, false],
    ['lb._dns-sd._udp.0.1.168.192.in-addr.arpa', undefined, false],
    ['8.in-addr.arpa', undefined, true],
    ['in-addr.arpa', undefined, true],
    ['300.1.1.1.in-addr.arpa', undefined, false],
    [`${'0.'.repeat(31)}f.ip6.arpa`.replace('0.f.', 'd.f.'), 'fd00::', false],
    [`1.${'0.'.repeat(31)}ip6.arpa`, '::1', false],
    ['d.f.ip6.arpa', undefined, false],
    ['0.2.ip6.arpa', undefined, true],
  ])('%s is the reverse of %s', (name, address, isPublic) => {
    expect(classifyName(name)).toEqual({ kind: 'reverse', address, isPublic });
  });
});
