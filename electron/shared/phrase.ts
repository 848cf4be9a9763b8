/**
 * What an engine says to people, as a key with values: the command line says it in English, the window in its own
 * language. The templates are in phrases/ and phrases-zh-cn/, by theme. Where a phrase crosses a border its English
 * text goes with it, for those who do not know its key.
 */
import type { Failure, FailureCode } from './failure.ts';
import { phrases } from './phrases.ts';
import type { Slots } from './phrases/template.ts';
import { sentences, type Sentence } from './sentences.ts';

export type PhraseKey = keyof typeof phrases;

export interface Phrase {
  readonly key: string;
  readonly values: Readonly<Record<string, PhraseValue>>;
}

/** A failure with all that there is to be said of it; as a failure itself it is said shortly. */
export interface Whole {
  readonly whole: Failure;
}

/** Several things to say, each of which could stand alone. */
export interface Clauses {
  readonly clauses: readonly PhraseValue[];
}

/** Text stands as it is, for names and for words that are not ours; a list is of names or the like. */
export type PhraseValue = string | number | Phrase | Failure | Whole | Clauses | readonly PhraseValue[];

/** What may be ours, and then has a key, or somebody else's words. */
export type Said = string | Phrase;

/** A language, as far as phrases need it. */
export interface PhraseBook {
  readonly templates: Readonly<Record<PhraseKey, string>>;
  readonly sentences: Readonly<Record<FailureCode, Sentence>>;
  readonly list: (items: readonly string[]) => string;
  readonly clauses: (items: readonly string[]) => string;
  /** A failure shortly: what happened, and its own figures, or why where it has none. */
  readonly short: (what: string, why: string) => string;
  /** What, why and what to do, with where it was and its own figures. */
  readonly whole: (sentence: Sentence, step: string | undefined, detail: string | undefined) => string;
}

type ValuesOf<Key extends PhraseKey> = Readonly<Record<Slots<(typeof phrases)[Key]>, PhraseValue>>;
type Values<Key extends PhraseKey> = [Slots<(typeof phrases)[Key]>] extends [never]
  ? []
  : [values: ValuesOf<Key>];

/** One with all the values that its template wants. */
export function phrase<Key extends PhraseKey>(key: Key, ...[values]: Values<Key>): Phrase {
  return { key, values: values ?? {} };
}

/** How phrases and failures are said in English. */
export const englishPhrases: PhraseBook = {
  templates: phrases,
  sentences,
  list: (items) => items.join(', '),
  clauses: (items) => items.join('; '),
  short: (what, why) => `${what}: ${why}`,
  whole: ({ what, why, todo }, step, detail) => {
    const where = step === undefined ? '' : ` at “${step}”`;
    const words = detail === undefined ? '' : ` (${detail})`;
    return `${what}${where} — ${why}${words} — ${todo}`;
  },
};

/** In English, as the command line says it. */
export function inEnglish(said: PhraseValue): string {
  return sayIn(englishPhrases, said) ?? '';
}

/** In the language of a book; undefined where it lacks the key, or the phrase lacks a value: another version's. */
export function sayIn(book: PhraseBook, said: PhraseValue): string | undefined {
  if (typeof said === 'string') return said;
  if (typeof said === 'number') return String(said);
  if ('key' in said) return fill(book, said);
  if ('whole' in said) return sayWhole(book, said.whole);
  if ('code' in said) {
    const { what, why } = book.sentences[said.code];
    return book.short(what, detailIn(book, said) ?? why);
  }
  if ('clauses' in said) return sayAll(book, said.clauses, book.clauses);
  return sayAll(book, said, book.list);
}

function sayAll(
  book: PhraseBook,
  said: readonly PhraseValue[],
  join: (items: readonly string[]) => string,
): string | undefined {
  const items = said.map((item) => sayIn(book, item));
  return items.every((item) => item !== undefined) ? join(items) : undefined;
}

/** What a failure has to say beside its sentence. */
export type FailureWords = { readonly [Key in 'phrase' | 'detail']?: Failure[Key] | undefined };

/** The figures of a failure, or the system's words: in the book's language where they have a phrase that it knows. */
export function detailIn(book: PhraseBook, { phrase: said, detail }: FailureWords): string | undefined {
  return (said === undefined ? undefined : sayIn(book, said)) ?? detail;
}

function sayWhole(book: PhraseBook, failure: Failure): string {
  return book.whole(book.sentences[failure.code], failure.step, detailIn(book, failure));
}

const slot = /\{(\w+)\}/g;

function fill(book: PhraseBook, { key, values }: Phrase): string | undefined {
  if (!isKnown(book, key)) return undefined;
  const template = book.templates[key];
  const words = new Map(Object.entries(values).map(([name, value]) => [name, sayIn(book, value)]));
  const wanted = [...template.matchAll(slot)].map(([, name = '']) => name);
  if (wanted.some((name) => words.get(name) === undefined)) return undefined;
  return template.replaceAll(slot, (_slot, name: string) => words.get(name) ?? '');
}

function isKnown(book: PhraseBook, key: string): key is PhraseKey {
  return Object.hasOwn(book.templates, key);
}
