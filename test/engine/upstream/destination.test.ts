import { describe, expect, it } from 'vitest';
import { CulvertError } from '#shared/failure.ts';
import {
  addressAndPort,
  authorityOf,
  checkDestination,
  destinationOf,
} from '../../../electron/engine/upstream/destination.ts';

describe('a destination', () => {
  it.each([
    ['example.test', 'name'],
    ['_dns.example.test.', 'name'],
    ['xn--bcher-kva.example', 'name'],
    ['a'.repeat(253), 'name'],
    ['198.51.100.7', 'ipv4'],
    ['2001:db8::1', 'ipv6'],
    ['::ffff:198.51.100.7', 'ipv6'],
  ])('%s is a %s', (host, kind) => {
    expect(destinationOf(host, 443)).toEqual({ host, port: 443, kind });
  });

  it.each([
    '',
    'a b',
    'a\r\nb',
    'a\0b',
    'u@h',
    'a/b',
    'a:b',
    '[::1]',
    'bücher.example',
    'a\x7fb',
    'fe80::1%lo',
    'a'.repeat(254),
  ])('%j is refused, and not repeated in the error', (host) => {
    try {
      destinationOf(host, 443);
      expect.unreachable();
    } catch (error) {
      expect((error as CulvertError).failure.code).toBe('host-name-invalid');
      if (host.length > 3) expect((error as CulvertError).message).not.toContain(host);
    }
  });

  it.each([0, -1, 65536, 1.5, Number.NaN])('port %d is refused', (port) => {
    expect(() => destinationOf('example.test', port)).toThrow(CulvertError);
  });

  it('whose kind is a lie is refused', () => {
    expect(() => checkDestination({ host: 'a\r\nb', port: 1, kind: 'ipv4' })).toThrow(CulvertError);
    expect(() => checkDestination({ host: '198.51.100.7', port: 1, kind: 'name' })).toThrow(CulvertError);
  });

  it('has brackets round an IPv6 address only', () => {
    expect(authorityOf({ host: '2001:db8::1', port: 1 })).toBe('[2001:db8::1]:1');
    expect(authorityOf({ host: 'example.test', port: 1 })).toBe('example.test:1');
  });
});

describe('an address with or without a port', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1', undefined],
    ['192.0.2.1:53', '192.0.2.1', 53],
    ['2001:db8::1', '2001:db8::1', undefined],
    ['[2001:db8::1]', '2001:db8::1', undefined],
    ['[2001:db8::1]:65535', '2001:db8::1', 65_535],
  ])('%s is read', (text, host, port) => {
    expect(addressAndPort(text)).toEqual({ host, port });
  });

  it.each([
    ...['', 'a.test', 'a.test:53', '192.0.2', '192.0.2.1:', '192.0.2.1:0', '192.0.2.1:65536', '192.0.2.1:5 '],
    ...[
      '[192.0.2.1]:53',
      '[2001:db8::1',
      '2001:db8::1]:53',
      '[2001:db8::1]53',
      'fe80::1%eth0',
      '[fe80::1%eth0]:53',
    ],
  ])('%j is none', (text) => {
    expect(addressAndPort(text)).toBeUndefined();
  });
});
