/**
 * The connections that are looked for, in order, from picture to picture: what stays is in its place already, and only
 * what is new or has moved is put there. Must not: share rows with another order at the same time: what it knows of a
 * row stands in the row.
 */
import type { ConnectionTable } from '#shared/connection-columns.ts';
import { sortValue } from './flow-columns.ts';
import { isOver, type FlowRow } from './flow-ledger.ts';
import { isWanted, type Wanted } from './flow-list.ts';

type Sort = ConnectionTable['sort'];

/** Pictures of all orders, so that no row is taken for one of an earlier order's. */
let pictures = 0;

export class FlowOrder {
  #before: readonly FlowRow[] = [];
  /** Of no row yet. */
  #picture = -1;

  /** The rows that are wanted, sorted; of those that are alike the newest first. Each answer is a list of its own. */
  next(rows: Iterable<FlowRow>, wanted: Wanted, { column, isDescending }: Sort): FlowRow[] {
    pictures += 1;
    const fresh: FlowRow[] = [];
    for (const row of rows) {
      if (!isWanted(row, wanted)) continue;
      if (row.picture !== this.#picture) fresh.push(row);
      row.picture = pictures;
      row.rank = rankOf(row, column, wanted.now);
    }
    const list = this.#before.filter(({ picture }) => picture === pictures).concat(fresh);
    const sign = isDescending ? -1 : 1;
    const compare = (a: FlowRow, b: FlowRow): number => {
      if (a.rank !== b.rank) return a.rank < b.rank ? -sign : sign;
      return b.flow.openedAt - a.flow.openedAt || b.flow.id - a.flow.id;
    };
    // Mostly nothing has moved, and to see that is cheaper than to sort.
    if (list.some((row, at) => at > 0 && compare(list[at - 1] as FlowRow, row) > 0)) list.sort(compare);
    this.#picture = pictures;
    this.#before = list;
    return list;
  }
}

function rankOf(row: FlowRow, column: Sort['column'], now: number): number | string {
  // Those that are open have begun in the order of their ages, which needs no clock.
  return column === 'age' && !isOver(row.flow) ? now - row.flow.openedAt : sortValue(row, column, now);
}
