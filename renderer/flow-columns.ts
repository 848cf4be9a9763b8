/** The columns of the table of connections: how wide they are, what they are sorted by, which are shown. Plain. */
import {
  connectionColumns,
  type ConnectionColumn,
  type ConnectionTable,
} from '#shared/connection-columns.ts';
import { appOf, hostOf, rateOf, type FlowRow } from './flow-ledger.ts';

export interface ColumnState {
  readonly name: ConnectionColumn;
  /** CSS pixels. */
  readonly width: number;
  readonly isHidden: boolean;
}

/** Of a column, in CSS pixels: its name has to stay in sight, and the others have to be reached. */
const narrowest = 40;
export const widest = 800;
/** What one press of a key makes a column wider or narrower. */
export const widthStep = 16;

const usual: Readonly<Record<ConnectionColumn, { readonly width: number; readonly isHidden?: true }>> = {
  state: { width: 74 },
  app: { width: 84 },
  process: { width: 104, isHidden: true },
  host: { width: 116 },
  port: { width: 44 },
  proto: { width: 60, isHidden: true },
  profile: { width: 64 },
  rule: { width: 92, isHidden: true },
  downRate: { width: 70 },
  upRate: { width: 70 },
  down: { width: 64 },
  up: { width: 64 },
  age: { width: 74 },
  error: { width: 220, isHidden: true },
};

const figures: ReadonlySet<ConnectionColumn> = new Set(['port', 'downRate', 'upRate', 'down', 'up', 'age']);

/** Figures end where their column does. */
export function isFigure(column: ConnectionColumn): boolean {
  return figures.has(column);
}

/** All columns in their order: as they were left, and those that are new since then at their usual places. */
export function columnsOf({ columns }: Pick<ConnectionTable, 'columns'>): ColumnState[] {
  const all: ColumnState[] = [...columns];
  const known = new Set(columns.map(({ name }) => name));
  for (const [index, name] of connectionColumns.entries()) {
    if (known.has(name)) continue;
    const { width, isHidden = false } = usual[name];
    all.splice(index, 0, { name, width, isHidden });
  }
  return all;
}

/** With another width, within what a column may have. */
export function resized(
  columns: readonly ColumnState[],
  name: ConnectionColumn,
  width: number,
): ColumnState[] {
  const within = Math.round(Math.max(narrowest, Math.min(widest, width)));
  return columns.map((column) => (column.name === name ? { ...column, width: within } : column));
}

/** Shown or hidden; the last one that is shown stays. */
export function shownOrNot(columns: readonly ColumnState[], name: ConnectionColumn): ColumnState[] {
  const turned = columns.map((column) =>
    column.name === name ? { ...column, isHidden: !column.isHidden } : column,
  );
  return turned.some(({ isHidden }) => !isHidden) ? turned : [...columns];
}

/** Changed places with the next one that is shown, to the left (-1) or to the right (1). */
export function moved(columns: readonly ColumnState[], name: ConnectionColumn, by: -1 | 1): ColumnState[] {
  const from = columns.findIndex((column) => column.name === name);
  let to = from + by;
  while (columns[to]?.isHidden === true) to += by;
  const [one, other] = [columns[from], columns[to]];
  if (one === undefined || other === undefined) return [...columns];
  const all = columns.filter((column) => column !== one);
  all.splice(all.indexOf(other) + (by === 1 ? 1 : 0), 0, one);
  return all;
}

/** What a click on the head of a column makes of the order: names from A on, figures from the largest on, then back. */
export function sortedBy(sort: ConnectionTable['sort'], column: ConnectionColumn): ConnectionTable['sort'] {
  if (sort.column === column) return { column, isDescending: !sort.isDescending };
  return { column, isDescending: isFigure(column) && column !== 'port' && column !== 'age' };
}

const states = { dialling: 0, open: 1, refused: 2, closed: 3 } as const;

/** What a row is sorted by; texts without regard to case. `now` in milliseconds since the epoch. */
export function sortValue(row: FlowRow, column: ConnectionColumn, now: number): number | string {
  const { flow } = row;
  switch (column) {
    case 'state':
      return states[flow.state];
    case 'app':
      return appOf(flow).toLowerCase();
    case 'process':
      return flow.process?.toLowerCase() ?? '';
    case 'host':
      return hostOf(flow).toLowerCase();
    case 'port':
      return flow.port;
    case 'proto':
      return flow.proto;
    case 'profile':
      return flow.profile?.name.toLowerCase() ?? '';
    case 'rule':
      return flow.rule ?? '';
    case 'downRate':
    case 'upRate':
      return rateOf(row, column, now);
    case 'down':
      return flow.bytesDown;
    case 'up':
      return flow.bytesUp;
    case 'age':
      return ageOf(row, now);
    case 'error':
      return flow.failure?.code ?? '';
  }
}

/** Milliseconds from its beginning to its end, or to now. */
export function ageOf({ flow }: FlowRow, now: number): number {
  return Math.max(0, (flow.closedAt ?? now) - flow.openedAt);
}
