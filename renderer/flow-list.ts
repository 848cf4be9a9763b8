/** Which connections are shown, and in which groups. Plain functions over what the ledger has. */
import type { ConnectionGroup } from '#shared/connection-columns.ts';
import { matches, type Query } from '#shared/query.ts';
import { appOf, hostOf, rateOf, type FlowRow } from './flow-ledger.ts';

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
  readonly query: Query;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Whether a connection is looked for. */
export function isWanted({ flow }: FlowRow, { query, now }: Wanted): boolean {
  return query.tests.length === 0 || matches(query, flow, undefined, now);
}

/** With a head before each group, the one with the most connections first; of a folded one nothing but its head. */
export function groupedItems(
  rows: readonly FlowRow[],
  group: ConnectionGroup,
  folded: ReadonlySet<string>,
  now: number,
): readonly FlowItem[] {
  if (group === 'none') return rows;
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
    picture: 0,
  }));
}
