import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isWithin, parseAddress, parseAddressRange } from '../../electron/shared/address-range.ts';
import type { FlowView } from '../../electron/shared/model.ts';
import { sayIn } from '../../electron/shared/phrase.ts';
import { chinesePhrases } from '../../electron/shared/phrases-zh-cn.ts';
import {
  formatQuery,
  matches,
  parseQuery,
  QueryError,
  queryKeys,
  queryOf,
  type QueriedLane,
  type QueryTerm,
} from '../../electron/shared/query.ts';

const now = 1_000_000_000;

const flow: FlowView = {
  id: 1,
  lane: '123-1',
  proto: 'tcp',
  sourcePort: 40_000,
  host: 'www.Example.com',
  address: '198.18.0.7',
  port: 443,
  via: 'socks5://192.0.2.1:1080 → http://[2001:db8::1]:3128',
  rule: 'work-rule',
  state: 'open',
  pid: 4242,
  process: 'Web Content',
  bytesUp: 10_000,
  bytesDown: 2_000_000,
  openedAt: now - 6 * 60_000,
};
const lane: QueriedLane = {
  app: 'firefox',
  name: 'Firefox ESR',
  profile: { id: 'work', name: 'At Work', colour: '#5b6ee1', letter: 'W' },
};
const { host: _host, rule: _rule, ...bare } = flow;
const numbered: FlowView = { ...bare, address: '2001:db8::7', proto: 'udp', state: 'refused' };

const isFound = (text: string, of: FlowView = flow) => matches(parseQuery(text), of, lane, now);

describe('a query takes what all of its terms take', () => {
  test.each([
    '',
    'app:firefox',
    'APP:FireFox app:"firefox esr" -app:chromium',
    'process:web* process:"Web Content"',
    'pid:4242 pid:4000-5000',
    'host:www.example.com host:*.example.com host:.example.com host:.com',
    'ip:198.18.0.0/15 ip:198.18.* ip:198.18.0.7 -ip:10.0.0.0/8,192.0.2.0/24',
    'port:443 port:80,443 port:400-500 -port:1-442',
    'proto:tcp profile:work profile:at*',
    'rule:work-rule rule:*',
    'via:192.0.2.1 via:192.0.2.1:1080 via:http://* via:2001:db8::1 -via:direct',
    'state:open -state:closed,refused lane:123-*',
    '-error:*',
    '>1MB <3MB down:>1.9MiB down:<=1.91MiB up:>=10k up:<10001',
    'age:>5m age:<1h30m age:>=360s -age:>6m0.1s',
    'example fire content 18.0.7 www.example.com:443 "web con" exa*.com',
    '-google -"foo bar" -fe80::1 -dead:beef::1 -::1',
  ])('%s', (text) => {
    expect(isFound(text)).toBe(true);
  });

  test.each([
    '-app:firefox',
    'app:fire',
    'host:example.com',
    'host:*.www.example.com',
    'host:.ample.com',
    'ip:198.20.0.0/15',
    'ip:::/0',
    'ip:2001:db8::1',
    'port:80,444-500',
    'proto:udp',
    'rule:other',
    'via:direct',
    'state:closed',
    '>3MB',
    'age:>7m',
    'example -firefox',
  ])('and not: %s', (text) => {
    expect(isFound(text)).toBe(false);
  });

  test('a connection without a name is found by its address, as it is shown', () => {
    for (const text of [
      'host:2001:db8::7',
      'ip:2001:db8::/32',
      'db8::7',
      '-rule:*',
      'host:2001:db8:*',
      'ip:::/0',
    ])
      expect(isFound(text, numbered)).toBe(true);
    expect(isFound('ip:0.0.0.0/0', numbered)).toBe(false);
  });

  test('what is not known matches nothing, and so its negation everything', () => {
    expect(matches(parseQuery('app:*'), flow, undefined, now)).toBe(false);
    expect(matches(parseQuery('-app:firefox -profile:work'), flow, undefined, now)).toBe(true);
    expect(isFound('process:*', { ...flow, process: undefined })).toBe(false);
  });

  test('an ended connection is as old as it got', () => {
    expect(isFound('age:<2s', { ...flow, closedAt: flow.openedAt + 1000 })).toBe(true);
  });
});

describe('a query that cannot be meant', () => {
  test.each([
    ['port:abc', 0, /neither a port/],
    ['app:x port:70000', 6, /neither a port/],
    ['port:90-80', 0, /range/],
    ['pid:firefox', 0, /process id/],
    ['ip:300.1.1.1', 0, /no address/],
    ['ip:10.0.0.0/33', 0, /no address/],
    ['ip:example.com', 0, /no address/],
    ['state:lost', 0, /dialling, open, closed, refused/],
    ['proto:icmp', 0, /tcp, udp/],
    ['>1XB', 0, /not understood/],
    ['  >', 2, />1MB/],
    ['down:1MB', 0, /compared/],
    ['age:>5', 0, />5m/],
    ['colour:red', 0, /no key/],
    ['a host:', 2, /value is missing/],
    ['host:a,,b', 0, /value is missing/],
    ['a -', 2, /nothing behind/],
    ['a ""', 2, /nothing between/],
    ['a "b c', 2, /no end/],
    ['host:.', 0, /behind the dot/],
  ])('such as %s is refused with its place and a reason', (text, at, reason) => {
    let error: unknown;
    try {
      parseQuery(text);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(QueryError);
    const { at: place, failure } = error as QueryError;
    expect(place).toBe(at);
    expect(failure).toMatchObject({ code: 'query-invalid', detail: expect.stringMatching(reason) as string });
    expect(failure.detail).toContain(`character ${at + 1}:`);
    expect(sayIn(chinesePhrases, (error as QueryError).reason)).toMatch(/\p{Script=Han}/u);
  });

  test('throws nothing but its own error, whatever the text is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), mixture), (text) => {
        try {
          matches(parseQuery(text), flow, lane, now);
        } catch (error) {
          expect(error).toBeInstanceOf(QueryError);
          expect((error as QueryError).at).toBeLessThan(text.length);
        }
      }),
    );
  });
});

const mixture = fc
  .array(fc.constantFrom('app', 'port', ':', '-', '"', '\\', ' ', ',', '>', '1MB', '*', '::1', 'a', '/8'), {
    maxLength: 12,
  })
  .map((parts) => parts.join(''));

const anyText = fc
  .array(fc.constantFrom('a', 'B', '"', '\\', ' ', ',', ':', '-', '>', '*', '.', 'host:', 'ü'), {
    minLength: 1,
    maxLength: 6,
  })
  .map((parts) => parts.join(''))
  .filter((text) => text !== '.');
const someTexts = fc
  .tuple(anyText, fc.array(anyText, { maxLength: 2 }))
  .map(([first, more]): [string, ...string[]] => [first, ...more]);
const oneText = anyText.map((text): [string] => [text]);
const termArbitrary: fc.Arbitrary<QueryTerm> = fc.oneof(
  fc.record({ key: fc.constant('words' as const), isNegated: fc.boolean(), values: oneText }),
  fc.record({
    key: fc.constantFrom('app', 'process', 'host', 'rule', 'via', 'profile', 'lane', 'error' as const),
    isNegated: fc.boolean(),
    values: someTexts,
  }),
  fc.record({
    key: fc.constantFrom('total', 'down', 'up' as const),
    isNegated: fc.boolean(),
    values: fc.constantFrom<[string, ...string[]]>(['>1MB'], ['<10kB', '>=1GiB']),
  }),
);

describe('terms', () => {
  test('are written as they are read', () => {
    fc.assert(
      fc.property(fc.array(termArbitrary, { maxLength: 5 }), (terms) => {
        expect(parseQuery(formatQuery({ terms })).terms).toEqual(terms);
        expect(queryOf(terms).terms).toEqual(terms);
      }),
    );
  });

  test('can be taken away one by one', () => {
    const { terms } = parseQuery('app:firefox -host:"a b" >1MB');
    expect(terms).toHaveLength(3);
    expect(formatQuery({ terms: terms.filter((_, index) => index !== 1) })).toBe('app:firefox >1MB');
  });

  test('all hold, and a negated one holds where the other does not', () => {
    fc.assert(
      fc.property(fc.array(termArbitrary, { maxLength: 4 }), (terms) => {
        const each = terms.map((term) => matches(queryOf([term]), flow, lane, now));
        const negated = terms.map((term) => ({ ...term, isNegated: !term.isNegated }));
        expect(matches(queryOf(terms), flow, lane, now)).toBe(each.every(Boolean));
        expect(negated.map((term) => matches(queryOf([term]), flow, lane, now))).toEqual(
          each.map((holds) => !holds),
        );
      }),
    );
  });

  test('every key has a meaning', () => {
    for (const key of queryKeys) expect(() => parseQuery(`${key}:`)).toThrow(/value is missing/);
  });
});

describe('addresses without Node', () => {
  const byte = fc.integer({ min: 0, max: 255 });
  const v4 = fc.tuple(byte, byte, byte, byte).map((bytes) => bytes.join('.'));
  const text = fc.oneof(
    v4,
    fc.ipV4Extended(),
    fc.ipV6(),
    v4.map((address) => `::ffff:${address}`),
    fc
      .array(fc.constantFrom(':', '::', '1', 'ff', '.', '255', '256', '01', 'g', '%x'), { maxLength: 12 })
      .map((parts) => parts.join('')),
  );

  test('are what Node takes for addresses', () => {
    fc.assert(
      fc.property(text, (address) => {
        expect(parseAddress(address) !== undefined).toBe(isIP(address) !== 0);
      }),
      { numRuns: 2000 },
    );
  });

  test('a range has those that share its first bits, in its own family only', () => {
    fc.assert(
      fc.property(v4, v4, fc.integer({ min: 0, max: 32 }), (one, other, bits) => {
        const range = parseAddressRange(`${one}/${bits}`);
        const mapped = parseAddressRange(`::ffff:${one}/${bits + 96}`);
        const address = parseAddress(other);
        if (range === undefined || address === undefined) throw new Error(`${one}/${bits}, ${other}`);
        const binary = (dotted: string) =>
          dotted
            .split('.')
            .map((part) => Number(part).toString(2).padStart(8, '0'))
            .join('');
        expect(isWithin(range, address)).toBe(binary(one).slice(0, bits) === binary(other).slice(0, bits));
        expect(mapped).toEqual(range);
      }),
    );
    const all6 = parseAddressRange('::/0');
    const one4 = parseAddress('192.0.2.1');
    expect(all6 !== undefined && one4 !== undefined && isWithin(all6, one4)).toBe(false);
  });
});
