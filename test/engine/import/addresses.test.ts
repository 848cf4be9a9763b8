import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inEnglish } from '#shared/phrase.ts';
import {
  type Read,
  isOwnLoopback,
  readHostPattern,
  readPorts,
  readPrefix,
  readSpan,
} from '../../../electron/engine/import/addresses.ts';
import { contains, parseAddress, parseRange } from '../../../electron/engine/rules/address.ts';

const value = <T>(read: Read<T>) => (read.ok ? read.value : inEnglish(read.reason));
const dotted = (number: number) => [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
const isIn = (ranges: readonly string[], text: string) =>
  ranges.some((range) => {
    const [read, address] = [parseRange(range), parseAddress(text)];
    return read !== undefined && address !== undefined && contains(read, address);
  });

describe('addresses of other programs', () => {
  it('become ranges that are exactly the span', () => {
    const number = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(number, number, (one, other) => {
        const [first, last] = [Math.min(one, other), Math.max(one, other)];
        const ranges = value(readSpan(dotted(first), dotted(last))) as string[];
        expect(ranges.length).toBeLessThanOrEqual(62);
        for (const inside of [first, last, Math.floor((first + last) / 2)])
          expect(isIn(ranges, dotted(inside))).toBe(true);
        if (first > 0) expect(isIn(ranges, dotted(first - 1))).toBe(false);
        if (last < 0xffff_ffff) expect(isIn(ranges, dotted(last + 1))).toBe(false);
      }),
    );
    expect(value(readSpan('0.0.0.0', '255.255.255.255'))).toEqual(['0.0.0.0/0']);
    expect(value(readSpan('2001:db8::', '2001:db8::ffff'))).toEqual(['2001:db8:0:0:0:0:0:0/112']);
    expect(value(readSpan('::ffff:10.0.0.1', '::ffff:10.0.0.1'))).toEqual(['0:0:0:0:0:ffff:a00:1']);
    expect(value(readSpan('10.0.0.2', '10.0.0.1'))).toContain('ends before');
    expect(value(readSpan('10.0.0.2', '2001:db8::'))).toContain('not a range');
  });

  it.each([
    ['255.255.255.0', 32, 24],
    ['0.0.0.0', 32, 0],
    ['255.255.255.255', 32, 32],
    ['255.0.255.0', 32, undefined],
    ['24', 32, 24],
    ['33', 32, undefined],
    ['128', 128, 128],
    ['255.255.0.0', 128, undefined],
    ['', 32, undefined],
  ] as const)('%s of %i bits has the length %s', (text, width, length) => {
    expect(readPrefix(text, width)).toBe(length);
  });

  it.each([
    ['192.168.*.*', '192.168.0.0/16'],
    ['10.*', '10.0.0.0/8'],
    ['10.*.1.*', 'a mask that is no range'],
    ['Example.COM', 'example.com'],
    ['*.example.com', '*.example.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['*', 'a pattern for everything'],
    ['*.*', 'a pattern for everything'],
    ['/x/', 'not a host name'],
    ['a b', 'not a host name'],
  ])('the pattern %s is %s', (text, expected) => {
    expect(value(readHostPattern(text))).toBe(expected);
  });

  it.each([
    ['80', '80'],
    ['8000 - 8100', '8000-8100'],
    ['0', 'not a port or a range of ports'],
    ['90-80', 'not a port or a range of ports'],
    ['1-2-3', 'not a port or a range of ports'],
    ['65536', 'not a port or a range of ports'],
  ])('the ports %s are %s', (text, expected) => {
    expect(value(readPorts(text))).toBe(expected);
  });

  it.each([
    ['localhost', true],
    ['127.0.0.1', true],
    ['127.0.0.0/8', true],
    ['127.*', true],
    ['[::1]', true],
    ['127.0.0.0/7', false],
    ['128.0.0.1', false],
    ['localhost.example', false],
  ])('%s is the own loopback: %s', (text, expected) => {
    expect(isOwnLoopback(text)).toBe(expected);
  });
});
