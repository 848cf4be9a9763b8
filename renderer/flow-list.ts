/** Which connections are shown, in which order and in which groups. Plain functions over what the ledger has. */
import type { ConnectionGroup, ConnectionTable } from '#shared/connection-columns.ts';
import { matches, type Query } from '#shared/query.ts';
import { sortValue } from './flow-columns.ts';
import { appOf, hostOf, isOver, rateOf, type FlowRow } from './flow-ledger.ts';

export const whichFlows = ['active', 'closed', 'all'] as const;
export type WhichFlows = (typeof whichFlows)[number];

/** The head of a group with the sums of its connections. */
export interface FlowGroup {
  readonly kind: 'group';
  readonly key: string;
  /** The name that all of them have; empty for those that have none. */
  readonly name: string;
  readonly count: number;
  readonly down: number;
  readonly up: number;
  readonly downRate: number;
  readonly upRate: number;
  readonly isOpen: boolean;
}
export type FlowItem = FlowRow | FlowGroup;

export interface Wanted {
  readonly which: WhichFlows;
  readonly query: Query;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The connections that are looked for, as they come. */
export function wantedRows(rows: Iterable<FlowRow>, { which, query, now }: Wanted): FlowRow[] {
  const found: FlowRow[] = [];
  const takesAll = query.tests.length === 0;
  for (const row of rows) {
    if (which !== 'all' && isOver(row.flow) !== (which === 'closed')) continue;
    if (takesAll || matches(query, row.flow, undefined, now)) found.push(row);
  }
  return found;
}

/** In order; of those that are alike the newest first. */
export function sortedRows(
  rows: readonly FlowRow[],
  { column, isDescending }: ConnectionTable['sort'],
  now: number,
): FlowRow[] {
  const sign = isDescending ? -1 : 1;
  // Those that are open have begun in the order of their ages, which needs no clock.
  const keyed = rows.map((row) => ({
    row,
    value: column === 'age' && !isOver(row.flow) ? now - row.flow.openedAt : sortValue(row, column, now),
  }));
  keyed.sort((a, b) => {
    if (a.value !== b.value) return a.value < b.value ? -sign : sign;
    return b.row.flow.openedAt - a.row.flow.openedAt || b.row.flow.id - a.row.flow.id;
  });
  return keyed.map(({ row }) => row);
}

/** With a head before each group, the one with the most connections first; of a folded one nothing but its head. */
export function groupedItems(
  rows: readonly FlowRow[],
  group: ConnectionGroup,
  folded: ReadonlySet<string>,
  now: number,
): FlowItem[] {
  if (group === 'none') return [...rows];
  const byName = new Map<string, FlowRow[]>();
  for (const row of rows) {
    const name = groupOf(row, group);
    const members = byName.get(name);
    if (members === undefined) byName.set(name, [row]);
    else members.push(row);
  }
  const groups = [...byName].toSorted(([a, of], [b, than]) => than.length - of.length || (a < b ? -1 : 1));
  return groups.flatMap(([name, members]) => {
    const key = `${group}:${name}`;
    const isOpen = !folded.has(key);
    const head: FlowGroup = {
      ...{ kind: 'group', key, name, isOpen, count: members.length },
      down: sum(members, ({ flow }) => flow.bytesDown),
      up: sum(members, ({ flow }) => flow.bytesUp),
      downRate: sum(members, (row) => rateOf(row, 'downRate', now)),
      upRate: sum(members, (row) => rateOf(row, 'upRate', now)),
    };
    return isOpen ? [head, ...members] : [head];
  });
}

function groupOf({ flow }: FlowRow, group: Exclude<ConnectionGroup, 'none'>): string {
  if (group === 'app') return appOf(flow);
  return group === 'host' ? hostOf(flow) : (flow.profile?.name ?? '');
}

function sum(rows: readonly FlowRow[], of: (row: FlowRow) => number): number {
  return rows.reduce((total, row) => total + of(row), 0);
}

/** A picture of rows that stands still, of the moment `now`. */
export function frozenRows(rows: Iterable<FlowRow>, now: number): FlowRow[] {
  return Array.from(rows, (row) => ({
    ...row,
    flow: { ...row.flow },
    downRate: rateOf(row, 'downRate', now),
    upRate: rateOf(row, 'upRate', now),
    ratedAt: now,
    of: { at: now },
  }));
}
