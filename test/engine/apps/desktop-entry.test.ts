import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  isTrue,
  listOf,
  localesOf,
  localeVariants,
  localizedValue,
  maxEntryLength,
  parseDesktopEntry,
  unescapeValue,
} from '../../../electron/engine/apps/desktop-entry.ts';

const main = (text: string) =>
  parseDesktopEntry(text).groups.get('Desktop Entry') ?? new Map<string, string>();

describe('the text of a desktop entry', () => {
  it('is groups of keys, with blanks around the equals sign passed over', () => {
    const { groups, ignored } = parseDesktopEntry(
      '# a comment\n\n[Desktop Entry]\nName = Firefox \nExec=firefox --x=%u\nX-Own=1\n[Desktop Action new]\nName=New\n',
    );
    expect([...groups]).toEqual([
      [
        'Desktop Entry',
        new Map([
          ['Name', 'Firefox '],
          ['Exec', 'firefox --x=%u'],
          ['X-Own', '1'],
        ]),
      ],
      ['Desktop Action new', new Map([['Name', 'New']])],
    ]);
    expect(ignored).toEqual([]);
  });

  it('keeps the last line where no newline follows it', () => {
    expect(main('[Desktop Entry]\nExec=/usr/bin/firefox').get('Exec')).toBe('/usr/bin/firefox');
  });

  it('is the same with the line ends of Windows and a byte order mark', () => {
    expect(main('\uFEFF[Desktop Entry]\r\nExec=a b\r\n').get('Exec')).toBe('a b');
  });

  it('takes the later of two equal keys and joins groups of one name, as GLib does, and says which line was lost', () => {
    const { groups, ignored } = parseDesktopEntry(
      '[Desktop Entry]\nName=a\nName=b\n[Other]\nK=1\n[Desktop Entry]\nExec=c\n',
    );
    expect(groups.get('Desktop Entry')).toEqual(
      new Map([
        ['Name', 'b'],
        ['Exec', 'c'],
      ]),
    );
    expect(ignored).toEqual([{ line: 2, reason: 'Name is given again below' }]);
  });

  it('says of each line that it passes over which it was and why', () => {
    const { groups, ignored } = parseDesktopEntry(
      'Early=1\n[Desktop Entry]\nno key\nBad Key=1\nName=a\0b\n[broken\nLost=1\n',
    );
    expect(groups.get('Desktop Entry')).toEqual(new Map());
    expect(ignored.map(({ line }) => line)).toEqual([1, 3, 4, 5, 6, 7]);
  });

  it('is refused beyond 1 MiB', () => {
    expect(() => parseDesktopEntry('#'.repeat(maxEntryLength))).not.toThrow();
    expect(() => parseDesktopEntry('#'.repeat(maxEntryLength + 1))).toThrow(/entry/);
  });

  it('is read whatever it is, and every key that was written well comes back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (noise) => {
        const { groups, ignored } = parseDesktopEntry(`${noise}\n[Desktop Entry]\nSentinel=yes`);
        expect(groups.get('Desktop Entry')?.get('Sentinel')).toBe('yes');
        for (const { line } of ignored) expect(line).toBeGreaterThan(0);
      }),
      { numRuns: 2000 },
    );
  });

  it('of the largest size is read in a time that grows with it only, whatever it is made of', () => {
    for (const piece of ['[', '=', ' ', '[a]\n', 'K=v\n', 'K[de]=v\n', '\\', ';', '\t=']) {
      const text = piece.repeat(Math.floor(maxEntryLength / piece.length));
      const start = performance.now();
      const { groups } = parseDesktopEntry(text);
      for (const group of groups.values()) for (const value of group.values()) listOf(value);
      listOf(text);
      unescapeValue(text);
      expect(performance.now() - start, JSON.stringify(piece)).toBeLessThan(5000);
    }
  });
});

test.each([
  [String.raw`a\sb\nc\td\re\\f`, 'a b\nc\td\re\\f'],
  [String.raw`\\n`, String.raw`\n`],
  [String.raw`\q\;`, String.raw`\q\;`],
  ['end\\', 'end\\'],
])('the string %s means %j', (raw, meant) => {
  expect(unescapeValue(raw)).toBe(meant);
});

test.each([
  ['a;b;c;', ['a', 'b', 'c']],
  ['a;b', ['a', 'b']],
  [String.raw`a\;b;c`, ['a;b', 'c']],
  [String.raw`a\\;b`, ['a\\', 'b']],
  [String.raw`a\\\;b`, ['a\\;b']],
  [String.raw`\sx;\n`, [' x', '\n']],
  [';;', []],
  ['', []],
  ['a\\', ['a\\']],
])('the list %s has the parts %j', (raw, parts) => {
  expect(listOf(raw)).toEqual(parts);
});

test('any list that is written with its escapes is read back', () => {
  const parts = fc.array(fc.string({ minLength: 1, maxLength: 20 }));
  fc.assert(
    fc.property(parts, (wanted) => {
      const raw = wanted.map((part) => `${part.replaceAll('\\', '\\\\').replaceAll(';', '\\;')};`).join('');
      expect(listOf(raw)).toEqual(wanted);
    }),
  );
});

test.each([
  ['true', true],
  ['1', true],
  ['false', false],
  ['True', false],
  [undefined, false],
])('the boolean %s is %s', (value, meant) => {
  expect(isTrue(value)).toBe(meant);
});

describe('the languages', () => {
  test.each([
    ['sr_RS.UTF-8@latin', ['sr_RS@latin', 'sr_RS', 'sr@latin', 'sr']],
    ['de_AT.UTF-8', ['de_AT', 'de']],
    ['fr', ['fr']],
    ['ca@valencia', ['ca@valencia', 'ca']],
    ['C', []],
    ['C.UTF-8', []],
    ['POSIX', []],
    ['', []],
    ['../../etc', []],
  ])('of the locale %s are %j', (locale, variants) => {
    expect(localeVariants(locale)).toEqual(variants);
  });

  test('go by LC_ALL, then LC_MESSAGES, then LANG, and LANGUAGE before them but in the C locale', () => {
    expect(localesOf({ LANG: 'de_DE.UTF-8', LC_MESSAGES: 'fr_FR' })).toEqual(['fr_FR', 'fr']);
    expect(localesOf({ LANG: 'de_DE', LC_ALL: '', LANGUAGE: 'pt_BR:en' })).toEqual([
      'pt_BR',
      'pt',
      'en',
      'de_DE',
      'de',
    ]);
    expect(localesOf({ LANG: 'C.UTF-8', LANGUAGE: 'de' })).toEqual([]);
    expect(localesOf({})).toEqual([]);
  });

  test('a key is read in the first language that has it, else without one', () => {
    const group = main('[Desktop Entry]\nName=Settings\nName[sr]=cyr\nName[sr@latin]=lat\n');
    expect(localizedValue(group, 'Name', localeVariants('sr_RS@latin'))).toBe('lat');
    expect(localizedValue(group, 'Name', localeVariants('sr_ME'))).toBe('cyr');
    expect(localizedValue(group, 'Name', localeVariants('de_DE'))).toBe('Settings');
    expect(localizedValue(group, 'Comment', ['sr'])).toBeUndefined();
  });
});
