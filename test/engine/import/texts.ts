/** The fixtures of the imports, and what several suites ask of a result. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect } from 'vitest';
import * as v from 'valibot';
import { profile as profileSchema, rule as ruleSchema, type Profile } from '#shared/profile.ts';
import { CulvertError } from '#shared/failure.ts';
import { inEnglish, sayIn, type Phrase } from '#shared/phrase.ts';
import { chinesePhrases } from '#shared/phrases-zh-cn.ts';
import {
  importText,
  type ImportLine,
  type ImportOptions,
  type ImportResult,
} from '../../../electron/engine/import/index.ts';
import { printable } from '../../../electron/engine/import/line.ts';
import { Rewrites } from '../../../electron/engine/rules/rewrites.ts';
import { Rulebook } from '../../../electron/engine/rules/rulebook.ts';
import type { FlowFacts, Verdict } from '../../../electron/engine/rules/facts.ts';

/** The password in every fixture; it must come out as a secret and nowhere else. */
export const canary = 'canary-7f3a';

export const fixtures = ['links.txt', 'proxychains.conf', 'work.ppx', 'clash.txt', 'environment.sh'] as const;

export function fixture(name: string): string {
  return readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');
}

/** The detail of the refusal; fails where the text is taken or the error is another one. */
export function refusalOf(input: string | Uint8Array, options?: ImportOptions): string {
  try {
    importText(input, options);
  } catch (error) {
    expect(error).toBeInstanceOf(CulvertError);
    expect((error as CulvertError).failure.code).toBe('import-invalid');
    expect(isChinese((error as CulvertError).failure.phrase)).toBe(true);
    return (error as CulvertError).failure.detail ?? '';
  }
  throw new Error('the text was taken');
}

/** `line status reason` of one line or of all. */
export function entriesOf({ lines }: Pick<ImportResult, 'lines'>, line?: number): string[] {
  return lines
    .filter((entry) => line === undefined || entry.line === line)
    .map(({ status, text, reason }) => `${status}: ${text}${reason === undefined ? '' : `: ${reason}`}`);
}

export function profileOf({ profiles }: ImportResult, id: string): Profile {
  const found = profiles.find((profile) => profile.id === id);
  if (found === undefined)
    throw new Error(`no profile ${id} but ${profiles.map((each) => each.id).join(', ')}`);
  return found;
}

/** What the imported rules decide, by the engine's own rules. */
export function decide(
  { rules }: Pick<ImportResult, 'rules'>,
  facts: Partial<FlowFacts>,
): Verdict | undefined {
  const verdict = Rulebook.compile(rules).decide({
    protocol: 'tcp',
    port: 443,
    apps: [],
    process: null,
    ...facts,
  });
  if (verdict === 'process-wanted') throw new Error('a process was wanted');
  return verdict;
}

/** Whether there is a Chinese for it, with nothing in it that a screen would obey. */
export function isChinese(phrase: Phrase | undefined): boolean {
  const said = phrase === undefined ? '' : (sayIn(chinesePhrases, phrase) ?? '');
  return /\p{Script=Han}/u.test(said) && !/[\p{Cc}\p{Cf}]/u.test(said);
}

/** Whether an entry says the same as a phrase, which the window says in its own language. */
function isSaid({ text, textPhrase, reason, reasonPhrase }: ImportLine): boolean {
  const same = (english: string, phrase: Phrase | undefined): boolean =>
    isChinese(phrase) && (english.includes('…') || printable(inEnglish(phrase ?? ''), 300) === english);
  return (
    (textPhrase === undefined || same(text, textPhrase)) &&
    (reason === undefined ? reasonPhrase === undefined : same(reason, reasonPhrase))
  );
}

/** Everything that any result must be, whatever came in. */
export function expectSound(result: ImportResult): void {
  const ids = result.profiles.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).not.toContain('none');
  expect(ids).not.toContain('direct');
  for (const profile of result.profiles) {
    expect(v.parse(profileSchema, profile)).toEqual(profile);
    expect(() => new Rewrites(profile.rewrites ?? [])).not.toThrow();
  }
  for (const rule of result.rules) expect(v.parse(ruleSchema, rule)).toEqual(rule);
  Rulebook.compile(result.rules);
  for (const { profile, server, password } of result.secrets) {
    expect(typeof password).toBe('string');
    const owner = result.profiles.find(({ id }) => id === profile);
    expect(owner?.chain.servers.map(({ id }) => id)).toContain(server);
  }
  for (const { text, reason = '' } of result.lines) expect(`${text}${reason}`).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(result.lines.filter((line) => !isSaid(line))).toEqual([]);
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
}

/** A text with some of its places cut, doubled, exchanged or filled with what parsers stumble over. */
export function mutated(text: string): fc.Arbitrary<string> {
  const bits = [
    '\n',
    '\r\n',
    ' ',
    '\t',
    '#',
    '@',
    ':',
    '/',
    '[',
    ']',
    '{',
    '}',
    '"',
    "'",
    '<',
    '>',
    '&',
    '%',
    ',',
    '-',
    '*',
    '!',
    '|',
    '\\',
  ];
  const words = [
    '__proto__',
    'constructor',
    'polluted',
    '<<',
    '&a',
    '*a',
    '/0',
    '-1',
    '99999999999',
    '\u202e',
    '\u0007',
    '\ud800',
    '😀',
    'Ａ',
  ];
  const step = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat(12),
    put: fc.oneof(fc.constant(''), fc.constantFrom(...bits, ...words), fc.string({ maxLength: 6 })),
    repeat: fc.integer({ min: 1, max: 3 }),
  });
  return fc.array(step, { minLength: 1, maxLength: 8 }).map((steps) =>
    steps.reduce((now, { at, cut, put, repeat }) => {
      const place = Math.floor(at * now.length);
      return now.slice(0, place) + put.repeat(repeat) + now.slice(place + cut);
    }, text),
  );
}
