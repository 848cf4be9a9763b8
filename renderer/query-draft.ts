/** A query while it is being written: chips for what is said, and a text for what is being said. */
import { computed, ref, shallowRef, type ComputedRef, type Ref, type ShallowRef } from 'vue';
import type { Phrase } from '#shared/phrase.ts';
import { formatTerm, parseQuery, QueryError, type Query, type QueryTerm } from '#shared/query.ts';

export interface QueryDraft {
  /** One chip each. */
  readonly terms: ShallowRef<readonly QueryTerm[]>;
  /** What stands in the field behind them. */
  readonly text: Ref<string>;
  /** What is looked for: the chips, and the text if that is a query. */
  readonly query: ComputedRef<Query>;
  /** What is wrong with the text; undefined while it can still become something. */
  readonly wrong: ComputedRef<Phrase | undefined>;
  readonly isEmpty: ComputedRef<boolean>;
  /** Takes another text over; a blank behind a term makes a chip of it. */
  readonly type: (text: string) => void;
  /** Makes chips of the text; false where it is no query. */
  readonly commit: () => boolean;
  /** Adds a chip, unless there is the same one. */
  readonly add: (term: QueryTerm) => void;
  readonly remove: (index: number) => void;
  /** Takes a chip back into the text. */
  readonly edit: (index: number) => void;
  readonly set: (text: string) => void;
  readonly clear: () => void;
}

const everything: Query = { terms: [], tests: [] };

export function useQueryDraft(): QueryDraft {
  const terms = shallowRef<readonly QueryTerm[]>([]);
  const text = ref('');
  const said = computed(() => terms.value.map(formatTerm).join(' '));
  const read = computed(() => {
    const ofText = readQuery(text.value);
    if (isQuery(ofText)) return { query: parseQuery(`${said.value} ${text.value}`) };
    return {
      query: said.value === '' ? everything : parseQuery(said.value),
      wrong: isIncomplete(text.value) ? undefined : ofText,
    };
  });

  function type(typed: string): void {
    text.value = typed;
    if (/\s$/.test(typed)) commit();
  }

  function commit(): boolean {
    const query = readQuery(text.value);
    if (!isQuery(query)) return false;
    for (const term of query.terms) add(term);
    text.value = '';
    return true;
  }

  function add(term: QueryTerm): void {
    const same = formatTerm(term);
    if (!terms.value.some((known) => formatTerm(known) === same)) terms.value = [...terms.value, term];
  }

  function remove(index: number): void {
    terms.value = terms.value.filter((_, at) => at !== index);
  }

  function edit(index: number): void {
    const term = terms.value[index];
    if (term === undefined) return;
    commit();
    remove(index);
    text.value = formatTerm(term);
  }

  function set(wanted: string): void {
    terms.value = [];
    text.value = wanted;
    commit();
  }

  function clear(): void {
    terms.value = [];
    text.value = '';
  }

  return {
    ...{ terms, text, type, commit, add, remove, edit, set, clear },
    query: computed(() => read.value.query),
    wrong: computed(() => read.value.wrong),
    isEmpty: computed(() => terms.value.length === 0 && text.value.trim() === ''),
  };
}

/** The query, or what is wrong with it. */
function readQuery(text: string): Query | Phrase {
  try {
    return parseQuery(text);
  } catch (error) {
    if (error instanceof QueryError) return error.reason;
    throw error;
  }
}

function isQuery(read: Query | Phrase): read is Query {
  return 'terms' in read;
}

/** Whether a text is only not a query yet: a key without a value, a quote without an end, a lone hyphen. */
function isIncomplete(text: string): boolean {
  const last = text.trimStart();
  return (
    /^-?([a-z]+:)?[<>]?=?$/i.test(last) || last.endsWith(',') || (last.match(/"/g)?.length ?? 0) % 2 === 1
  );
}
