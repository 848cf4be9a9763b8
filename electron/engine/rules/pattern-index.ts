/**
 * Finds, among thousands of patterns, the few that may take a destination.
 *
 * Does: file under names (exact), endings at a dot (suffixes), endings anywhere and three characters in a row
 * (wildcards), and prefixes (ranges). What is found still has to be asked whether it takes the destination.
 * Must not: hold regular expressions, for which there is no key.
 */
import { prefixOf4, type Address } from './address.ts';
import type { Pattern } from './pattern.ts';

/** A place to file something under. `rest` is looked at for every destination. */
export type PatternKey =
  | { readonly kind: 'name' | 'suffix' | 'tail'; readonly value: string }
  | { readonly kind: 'gram' | 'v4'; readonly value: number }
  | { readonly kind: 'v6'; readonly value: bigint }
  | { readonly kind: 'rest'; readonly value?: undefined };

/** Wildcards with the same ending of this length share a list: it bounds the look-ups for a long name. */
const maxTail = 64;
const gramLength = 3;

/** The keys that a pattern may be filed under, one being enough; none for `*` and expressions. */
export function patternKeys(pattern: Pattern): readonly PatternKey[] {
  switch (pattern.kind) {
    case 'exact':
      return [{ kind: 'name', value: pattern.name }];
    case 'suffix':
    case 'below':
      return [{ kind: 'suffix', value: pattern.name }];
    case 'range':
      return [keyOfRange(pattern.range.first, pattern.range.length)];
    case 'wildcard': {
      const tail = pattern.wildcard.at(-1) ?? '';
      const grams = pattern.wildcard.flatMap((piece) => [...gramsOf(piece)]);
      return [
        ...(tail === '' ? [] : [{ kind: 'tail', value: tail.slice(-maxTail) } as const]),
        ...grams.map((value) => ({ kind: 'gram', value }) as const),
      ];
    }
    case 'any':
    case 'expression':
      return [];
  }
}

export class PatternIndex<T> {
  readonly #byName = new Map<string, T[]>();
  readonly #bySuffix = new Map<string, T[]>();
  readonly #byTail = new Map<string, T[]>();
  readonly #byGram = new Map<number, T[]>();
  readonly #byV4 = new Map<number, T[]>();
  readonly #byV6 = new Map<bigint, T[]>();
  readonly #rest: T[] = [];
  readonly #tailLengths = new Set<number>();
  readonly #v4Lengths = new Set<number>();
  readonly #v6Lengths = new Set<number>();

  /** Files it; lists keep the order of filing. */
  add(key: PatternKey, item: T): void {
    switch (key.kind) {
      case 'name':
        return append(this.#byName, key.value, item);
      case 'suffix':
        return append(this.#bySuffix, key.value, item);
      case 'tail':
        this.#tailLengths.add(key.value.length);
        return append(this.#byTail, key.value, item);
      case 'gram':
        return append(this.#byGram, key.value, item);
      case 'v4':
        this.#v4Lengths.add(key.value % lengthsPerKey);
        return append(this.#byV4, key.value, item);
      case 'v6':
        this.#v6Lengths.add(Number(key.value & 0xffn));
        return append(this.#byV6, key.value, item);
      case 'rest':
        if (this.#rest.at(-1) !== item) this.#rest.push(item);
    }
  }

  /** Hands out the lists in which something may take this destination. */
  lists(name: string | undefined, address: Address | undefined, each: (list: readonly T[]) => void): void {
    if (name !== undefined) this.#listsOfName(name, each);
    if (address?.family === 4) {
      for (const length of this.#v4Lengths) {
        const list = this.#byV4.get(prefixOf4(address.value, length) * lengthsPerKey + length);
        if (list !== undefined) each(list);
      }
    } else if (address?.family === 6) {
      for (const length of this.#v6Lengths) {
        const shift = BigInt(128 - length);
        const list = this.#byV6.get((((address.value >> shift) << shift) << 8n) | BigInt(length));
        if (list !== undefined) each(list);
      }
    }
    if (this.#rest.length > 0) each(this.#rest);
  }

  #listsOfName(name: string, each: (list: readonly T[]) => void): void {
    const exact = this.#byName.size === 0 ? undefined : this.#byName.get(name);
    if (exact !== undefined) each(exact);
    if (this.#bySuffix.size > 0) {
      for (let at = 0; at !== -1;) {
        const list = this.#bySuffix.get(name.slice(at));
        if (list !== undefined) each(list);
        const dot = name.indexOf('.', at);
        at = dot === -1 ? -1 : dot + 1;
      }
    }
    for (const length of this.#tailLengths) {
      if (length > name.length) continue;
      const list = this.#byTail.get(name.slice(name.length - length));
      if (list !== undefined) each(list);
    }
    if (this.#byGram.size === 0) return;
    for (const gram of gramsOf(name)) {
      const list = this.#byGram.get(gram);
      if (list !== undefined) each(list);
    }
  }
}

/** A prefix and its length in one number. */
const lengthsPerKey = 64;

function keyOfRange(first: number | bigint, length: number): PatternKey {
  return typeof first === 'number'
    ? { kind: 'v4', value: first * lengthsPerKey + length }
    : { kind: 'v6', value: (first << 8n) | BigInt(length) };
}

/** All three characters in a row of a text, as numbers, each once. */
function gramsOf(text: string): Set<number> {
  const grams = new Set<number>();
  for (let i = gramLength; i <= text.length; i++) {
    grams.add(
      ((text.charCodeAt(i - 3) & 0x7f) << 14) |
        ((text.charCodeAt(i - 2) & 0x7f) << 7) |
        (text.charCodeAt(i - 1) & 0x7f),
    );
  }
  return grams;
}

function append<K, T>(map: Map<K, T[]>, key: K, item: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [item]);
  else if (list.at(-1) !== item) list.push(item);
}
