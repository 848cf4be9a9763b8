/** What engines say with values: complete in both languages, used, checked by its types, and bounded at a border. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { CulvertError, describe as sentenceOf, failureSaying } from '#shared/failure.ts';
import { failureView, phraseView } from '#shared/phrase-view.ts';
import {
  detailIn,
  englishPhrases,
  inEnglish,
  phrase,
  sayIn,
  type Phrase,
  type PhraseBook,
} from '#shared/phrase.ts';
import { chinesePhrases } from '#shared/phrases-zh-cn.ts';
import { phrases } from '#shared/phrases.ts';

const electron = join(process.cwd(), 'electron');
const keys = Object.keys(phrases) as (keyof typeof phrases)[];
const slots = (template: string) => [...new Set(template.match(/\{\w+\}/g) ?? [])].toSorted();

describe('the templates', () => {
  test.each(keys)('of %s want the same values in both languages', (key) => {
    const [english, chinese] = [phrases[key], chinesePhrases.templates[key]];
    expect(slots(chinese)).toEqual(slots(english));
    for (const template of [english, chinese]) expect(template.replaceAll(/\{\w+\}/g, '')).not.toContain('{');
  });

  test('are Chinese in Chinese, unless they have no words at all', () => {
    const words = (template: string) => template.replaceAll(/\{\w+\}/g, '');
    const others = keys.filter(
      (key) =>
        /\p{Letter}/u.test(words(phrases[key])) &&
        !/\p{Script=Han}/u.test(words(chinesePhrases.templates[key])),
    );
    // Names alone: SHA-256, Linux.
    expect(others).toEqual(['proxy.certificate', 'doctor.kernel']);
  });

  test('of all themes have names of their own', () => {
    const texts = readdirSync(join(electron, 'shared/phrases'))
      .map((name) => readFileSync(join(electron, 'shared/phrases', name), 'utf8'))
      .join('\n');
    const written = [...texts.matchAll(/^ {2}'([a-z0-9.-]+)':/gm)].map(([, key]) => key);
    expect(written.toSorted()).toEqual(keys.toSorted());
  });

  test('are all used', () => {
    const code = readdirSync(electron, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.startsWith('shared/phrases'))
      .map((name) => readFileSync(join(electron, name), 'utf8'))
      .join('\n');
    // Keys that are put together: `doctor.${mode}` asks for all that begin so; closed lists are behind them.
    const begun = [...code.matchAll(/phrase\(`([\w.-]+)\$\{/g)].map(([, start]) => start ?? '');
    expect(begun.toSorted()).toEqual(['connection.while-', 'doctor.']);
    const modes = ['doctor.rootless', 'doctor.privileged'];
    const stages = ['greeting', 'sign-in', 'request'].map((stage) => `connection.while-${stage}`);
    const known = new Set<string>([...modes, ...stages]);
    expect(keys.filter((key) => !code.includes(`'${key}'`) && !known.has(key))).toEqual([]);
  });
});

describe('a phrase', () => {
  test('without all of its values does not compile', () => {
    // @ts-expect-error `own` is missing.
    const incomplete = phrase('test.exit-other', { address: '198.51.100.4' });
    // @ts-expect-error it wants values.
    const empty = phrase('test.exit');
    // @ts-expect-error there is no such key.
    const unknown = phrase('test.nothing');
    for (const said of [incomplete, empty, unknown]) expect(sayIn(englishPhrases, said)).toBeUndefined();
  });

  test('is said with its values, in the order that each language wants', () => {
    const said = phrase('proxy.needed', { have: 1, needed: 2 });
    expect(inEnglish(said)).toBe('1 of 2 needed');
    expect(sayIn(chinesePhrases, said)).toBe('需要 2 台，可用 1 台');
  });

  test('has others in it, lists and failures, each in the same language', () => {
    const trouble = failureSaying('proxy-unreachable', phrase('connection.refused'));
    const said = phrase('check.at', { where: ['a', 'b'], why: trouble });
    const doubts = phrase('check.doubts', { doubts: { clauses: ['a', said] } });
    expect(inEnglish(doubts)).toBe(`a; a, b: ${inEnglish(trouble)}`);
    expect(sayIn(chinesePhrases, doubts)).toBe(`a；${sayIn(chinesePhrases, said)}`);
    expect(inEnglish(trouble)).toMatch(/: connection refused$/);
    expect(sayIn(chinesePhrases, said)).toBe('a、b：无法连接代理：连接被拒绝');
  });

  test('takes a value for what it is, whatever is in it', () => {
    const said = phrase('test.exit', { address: '{address} $& $1' });
    expect(inEnglish(said)).toBe('others see {address} $& $1');
  });

  test.each<Phrase>([
    { key: 'nobody.knows', values: {} },
    { key: 'toString', values: {} },
    { key: 'test.exit', values: {} },
    { key: 'check.way-by-rule', values: { rule: 'r1', way: { key: 'nobody.knows', values: {} } } },
    { key: 'check.way-by-rule', values: { rule: 'r1', way: [{ key: 'nobody.knows', values: {} }] } },
  ])('that another version has made is not said in part: %j', (said) => {
    for (const book of [englishPhrases, chinesePhrases]) expect(sayIn(book, said)).toBeUndefined();
  });

  test('is not looked for among the names that every object has', () => {
    const book: PhraseBook = { ...englishPhrases, templates: { ...phrases, ...{ odd: '{toString}' } } };
    expect(sayIn(book, { key: 'odd', values: {} })).toBeUndefined();
  });
});

describe('a failure', () => {
  const failure = failureSaying('dns-failed', phrase('test.dns-code', { where: 'r:53', code: 'SERVFAIL' }));

  test('whose detail is a phrase has it in English as well', () => {
    expect(failure.detail).toBe('r:53 answers SERVFAIL');
    expect(new CulvertError('dns-failed', { detail: failure.phrase }).failure).toEqual(failure);
    expect(sentenceOf(failure)).toContain('(r:53 answers SERVFAIL)');
    expect(sayIn(chinesePhrases, { whole: failure })).toContain('（r:53 应答 SERVFAIL）');
  });

  test('of another version is told by its English detail', () => {
    const other = { ...failure, phrase: { key: 'nobody.knows', values: {} } };
    expect(detailIn(chinesePhrases, other)).toBe('r:53 answers SERVFAIL');
  });
});

describe('at a border', () => {
  const parse = (value: unknown) => v.safeParse(v.object({ phrase: phraseView }), { phrase: value });
  const nested = (depth: number): Phrase =>
    depth === 0
      ? phrase('check.no-answer')
      : phrase('check.way-by-rule', { way: nested(depth - 1), rule: 'r1' });

  test('phrases go through as they are, with what is in them', () => {
    const trouble = failureSaying('chain-exhausted', nested(3));
    const said = phrase('check.at', { where: ['a', 1], why: { clauses: [trouble, { whole: trouble }] } });
    expect(parse(said).output).toEqual({ phrase: said });
    expect(v.parse(failureView, trouble)).toEqual(trouble);
  });

  test.each([
    ['too deep', nested(12)],
    ['too long', phrase('test.exit', { address: 'a'.repeat(5000) })],
    [
      'too many',
      { key: 'a', values: Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`v${n}`, n])) },
    ],
    ['too long a list', phrase('test.exit', { address: Array.from({ length: 60 }, () => 'a') })],
    ['no phrase', 'text'],
    ['of a kind that is not known', { key: 'test.exit', values: { address: { amount: 1 } } }],
  ])('one that is %s is left out, and what it stands beside is kept', (_how, value) => {
    const parsed = parse(value);
    expect(parsed.success).toBe(true);
    expect(parsed.output).toEqual({ phrase: undefined });
    const failure = v.parse(failureView, { code: 'dns-failed', detail: 'words', phrase: value });
    expect(failure).toMatchObject({ code: 'dns-failed', detail: 'words' });
  });
});
