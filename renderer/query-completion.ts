/** What could stand in the field of the query next: keys of the language, and values that connections have. Plain. */
import { flowView } from '#shared/model.ts';
import { formatTerm, queryKeys, type QueryKey } from '#shared/query.ts';
import { appOf, hostOf, type FlowRow } from './flow-ledger.ts';

export interface Completion {
  /** What the text becomes. */
  readonly text: string;
  /** With it the term is whole. */
  readonly isWhole: boolean;
  /** How many connections have this value; missing where that is not counted. */
  readonly count?: number;
  /** The key that it is about. */
  readonly key: QueryKey;
}

const most = 8;
const amounts = ['>1MB', '>100kB', '<10kB'];
const usualValues: Partial<Record<QueryKey, readonly string[]>> = {
  state: flowView.entries.state.options,
  proto: flowView.entries.proto.options,
  total: amounts,
  down: amounts,
  up: amounts,
  age: ['<1m', '>5m', '>1h'],
};

/** The keys that people look by, before those that they hardly do. */
const keysByUse: readonly QueryKey[] = [
  ...(['app', 'host', 'ip', 'port', 'proto', 'profile', 'rule', 'state', 'pid', 'process'] as const),
  ...queryKeys,
];

/** What the text could go on as, the likeliest first. */
export function completionsOf(text: string, rows: () => Iterable<FlowRow>): Completion[] {
  const { sign, key, before, part } = partsOf(text);
  if (key === undefined) return [...keysFrom(sign, part), ...namesWith(sign, part, rows)].slice(0, most);
  const known = usualValues[key];
  const values =
    known === undefined
      ? valuesOf(key, rows).filter(([value]) => value.toLowerCase().includes(part.toLowerCase()))
      : known.filter((value) => value.startsWith(part.toLowerCase())).map((value) => [value] as const);
  return values
    .filter(([value]) => value !== '' && !before.includes(value))
    .slice(0, most)
    .map(([value, count]) => whole(sign, key, [...before, value], count));
}

/** `-app:fire,x` as its sign, its key, the values that are there and the one that is being typed. */
function partsOf(text: string): { sign: '' | '-'; key?: QueryKey; before: string[]; part: string } {
  const [, sign = '', name = '', rest = ''] = /^(-?)([a-z]+):(.*)$/i.exec(text) ?? [];
  const key = queryKeys.find((known) => known === name.toLowerCase());
  if (key === undefined) {
    const isNegated = text.startsWith('-');
    return { sign: isNegated ? '-' : '', before: [], part: isNegated ? text.slice(1) : text };
  }
  const values = rest.split(',').map((value) => value.replaceAll('"', ''));
  return { sign: sign === '-' ? '-' : '', key, before: values.slice(0, -1), part: values.at(-1) ?? '' };
}

function keysFrom(sign: string, part: string): Completion[] {
  return [...new Set(keysByUse)]
    .filter((key) => key.startsWith(part.toLowerCase()))
    .map((key) => ({ text: `${sign}${key}:`, isWhole: false, key }));
}

/** Apps and hosts that have what was typed in them. */
function namesWith(sign: '' | '-', part: string, rows: () => Iterable<FlowRow>): Completion[] {
  if (part === '') return [];
  return (['app', 'host'] as const).flatMap((key) =>
    valuesOf(key, rows)
      .filter(([value]) => value.toLowerCase().includes(part.toLowerCase()))
      .slice(0, most / 2)
      .map(([value, count]) => whole(sign, key, [value], count)),
  );
}

function whole(sign: '' | '-', key: QueryKey, values: readonly string[], count?: number): Completion {
  const [first = '', ...more] = values;
  const text = formatTerm({ key, isNegated: sign === '-', values: [first, ...more] });
  return { text, isWhole: true, key, ...(count === undefined ? {} : { count }) };
}

/** The values that there are, with how many connections have each, the most frequent first. */
function valuesOf(key: QueryKey, rows: () => Iterable<FlowRow>): (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const row of rows()) {
    const value = valueOf(row, key);
    if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts].toSorted(([a, of], [b, than]) => than - of || (a < b ? -1 : 1));
}

/** The value by which a query finds this connection; undefined where it has none. */
export function valueOf({ flow }: FlowRow, key: QueryKey): string | undefined {
  switch (key) {
    case 'app':
      return appOf(flow);
    case 'process':
      return flow.process;
    case 'pid':
      return flow.pid?.toString();
    case 'host':
      return hostOf(flow);
    case 'ip':
      return flow.address;
    case 'port':
      return String(flow.port);
    case 'proto':
      return flow.proto;
    case 'profile':
      return flow.profile?.name;
    case 'rule':
      return flow.rule;
    case 'via':
      return flow.via === '' ? undefined : flow.via;
    case 'state':
      return flow.state;
    case 'lane':
      return flow.lane;
    case 'error':
      return flow.failure?.code;
    case 'total':
    case 'down':
    case 'up':
    case 'age':
      return undefined;
  }
}
