/**
 * Queries as text: where a term begins and ends, what its key is, and back again. Pure. What a term means is in
 * query.ts.
 *
 *   app:firefox -host:"a b",*.example.com >1MB word
 *
 * Terms stand between spaces. A `-` before one negates it. A comma between the values of a key means "or". Quotes keep
 * spaces, commas and all else that has a meaning; in them `\"` is a quote and `\\` a backslash. `*` is one always.
 */

import { phrase, type Phrase } from './phrase.ts';

export const queryKeys = [
  'app',
  'process',
  'pid',
  'host',
  'ip',
  'port',
  'proto',
  'profile',
  'rule',
  'via',
  'state',
  'lane',
  'error',
  'total',
  'down',
  'up',
  'age',
] as const;
export type QueryKey = (typeof queryKeys)[number];

/** One condition, as data: for a chip that can be shown and taken away. */
export interface QueryTerm {
  /** `words` for a term without a key. */
  readonly key: QueryKey | 'words';
  readonly isNegated: boolean;
  /** As typed, without quotes; one of them is enough. */
  readonly values: readonly [string, ...string[]];
}

/** A term, or what is wrong with it, and where it begins: a position in the text, from 0. */
export type ReadTerm = { readonly at: number } & ({ readonly term: QueryTerm } | { readonly wrong: Phrase });

/** One character of a term; what was quoted has no meaning but itself. */
interface Char {
  readonly char: string;
  readonly isQuoted: boolean;
}

/** Reads terms up to the first that cannot be one. */
export function readTerms(text: string): ReadTerm[] {
  const terms: ReadTerm[] = [];
  for (let at = skipSpace(text, 0); at < text.length;) {
    const read = readChars(text, at);
    if (read === undefined) return [...terms, { at, wrong: phrase('query.quote') }];
    const term = termOf(read.chars);
    if (isWrong(term)) return [...terms, { at, wrong: term }];
    terms.push({ at, term });
    at = skipSpace(text, read.end);
  }
  return terms;
}

function skipSpace(text: string, from: number): number {
  const found = text.slice(from).search(/\S/);
  return found === -1 ? text.length : from + found;
}

/** The characters from here to the next space outside of quotes; undefined where a quote has no end. */
function readChars(text: string, from: number): { chars: Char[]; end: number } | undefined {
  const chars: Char[] = [];
  let isQuoted = false;
  let at = from;
  for (; at < text.length; at += 1) {
    let char = text[at] ?? '';
    if (!isQuoted && /\s/.test(char)) break;
    if (char === '"') {
      isQuoted = !isQuoted;
      // Nothing between quotes is a value, too.
      chars.push({ char: '', isQuoted: true });
      continue;
    }
    if (isQuoted && char === '\\' && /["\\]/.test(text[at + 1] ?? '')) {
      at += 1;
      char = text[at] ?? '';
    }
    chars.push({ char, isQuoted });
  }
  return isQuoted ? undefined : { chars, end: at };
}

function isWrong(read: QueryTerm | Phrase): read is Phrase {
  return !('isNegated' in read);
}

function termOf(all: readonly Char[]): QueryTerm | Phrase {
  const isNegated = isPlain(all[0], '-');
  const chars = isNegated ? all.slice(1) : all;
  if (chars.length === 0) return phrase('query.hyphen');
  const first = chars[0];
  if (isPlain(first, '<') || isPlain(first, '>')) return keyed('total', isNegated, chars);
  const colon = chars.findIndex((char) => isPlain(char, ':'));
  const key = textOf(chars.slice(0, Math.max(colon, 0))).toLowerCase();
  const isKey = colon > 0 && /^[a-z]+$/.test(key) && chars.slice(0, colon).every((char) => !char.isQuoted);
  if (!isKey) return wordsOf(isNegated, chars);
  const known = queryKeys.find((name) => name === key);
  if (known !== undefined) return keyed(known, isNegated, chars.slice(colon + 1));
  // fe::1 and the like are addresses.
  if (/^[0-9a-f:.]+$/i.test(textOf(chars))) return wordsOf(isNegated, chars);
  return phrase('query.key', { key, keys: queryKeys.join(', ') });
}

function wordsOf(isNegated: boolean, chars: readonly Char[]): QueryTerm | Phrase {
  const text = textOf(chars);
  return text === '' ? phrase('query.quotes') : { key: 'words', isNegated, values: [text] };
}

function keyed(key: QueryKey, isNegated: boolean, chars: readonly Char[]): QueryTerm | Phrase {
  const parts: Char[][] = [[]];
  for (const char of chars) {
    if (isPlain(char, ',')) parts.push([]);
    else parts.at(-1)?.push(char);
  }
  const [first = '', ...more] = parts.map(textOf);
  if (first === '' || more.includes('')) return phrase('query.value', { key });
  return { key, isNegated, values: [first, ...more] };
}

function isPlain(char: Char | undefined, wanted: string): boolean {
  return char?.char === wanted && !char.isQuoted;
}

function textOf(chars: readonly Char[]): string {
  return chars.map(({ char }) => char).join('');
}

/** A term as it would be typed: reading it gives the same term. */
export function formatTerm({ key, isNegated, values }: QueryTerm): string {
  const sign = isNegated ? '-' : '';
  if (key === 'words') return sign + formatWord(values[0]);
  const text = values.map((value) => (/[\s",]/.test(value) ? quoted(value) : value)).join(',');
  // >1MB says by itself that it is about the total.
  return key === 'total' && /^[<>]/.test(text) ? sign + text : `${sign}${key}:${text}`;
}

function formatWord(text: string): string {
  const hasMeaning = /[\s"]|^[-<>]|^[a-z]+:/i.test(text);
  return hasMeaning ? quoted(text) : text;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
