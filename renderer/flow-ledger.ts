/**
 * The connections of all engines as they are told: whole at first, then what changes. Keeps those that are open and
 * the newest that are over. Plain: no clock, nothing of the page.
 */
import type { WindowEventValue } from '#shared/contract.ts';
import { eachCount } from '#shared/flow-counts.ts';
import type { FlowView } from '#shared/model.ts';

/** Connections that are over and kept. */
export const keptClosed = 20_000;
/** Milliseconds for which a rate is believed: events come every second in which anything changes. */
const rateMs = 2000;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What one engine has told. */
interface Told {
  readonly rows: Map<number, FlowRow>;
  /** When its last event was made. */
  at: number;
  /** While it tells all that it has, in pieces: what it has named of one look until now. */
  named?: { readonly at: number; readonly ids: Set<number> } | undefined;
}

/** One connection with what is worked out of what was told. Changes as it is told of. */
export interface FlowRow {
  readonly kind: 'flow';
  /** Unique among all engines. */
  readonly key: string;
  readonly flow: Mutable<FlowView>;
  /** Bytes a second, as of `ratedAt`. */
  downRate: number;
  upRate: number;
  ratedAt: number;
  /** When its engine told anything last. */
  readonly of: { readonly at: number };
  /** The picture that it was in last, and what it was sorted by there: FlowOrder's own. */
  picture: number;
  rank: number | string;
}

export function isOver({ state }: Pick<FlowView, 'state'>): boolean {
  return state === 'closed' || state === 'refused';
}

/** What tells a connection from those of other engines: the process id of its own, and its number there. */
export function keyOf({ lane, id }: Pick<FlowView, 'lane' | 'id'>): string {
  return `${lane.slice(0, lane.indexOf('-'))}/${id}`;
}

/** The name that the app asked for, else the one that TLS told, else the address. */
export function hostOf({ host, serverName, address }: FlowView): string {
  return host ?? serverName ?? address;
}

/** What people call the app. */
export function appOf({ name, lane }: FlowView): string {
  return name ?? lane;
}

/** Bytes a second at the moment `now`, in milliseconds since the epoch; nothing where nothing was told of it lately. */
export function rateOf(row: FlowRow, which: 'downRate' | 'upRate', now: number): number {
  const isFresh = row.ratedAt === row.of.at && now - row.ratedAt < rateMs && !isOver(row.flow);
  return isFresh ? row[which] : 0;
}

export class FlowLedger {
  readonly #engines = new Map<number, Told>();
  /** In the order of their ends. */
  readonly #over = new Set<FlowRow>();

  get closedCount(): number {
    return this.#over.size;
  }

  get count(): number {
    let count = 0;
    for (const { rows } of this.#engines.values()) count += rows.size;
    return count;
  }

  rows(): Iterable<FlowRow> {
    const [first, ...others] = this.#engines.values();
    // Mostly there is one, and a generator costs as much as all that is done with a row.
    return first === undefined || others.length > 0 ? this.#allRows() : first.rows.values();
  }

  *#allRows(): Generator<FlowRow> {
    for (const { rows } of this.#engines.values()) yield* rows.values();
  }

  find(key: string): FlowRow | undefined {
    const [pid = '', id = ''] = key.split('/');
    return this.#engines.get(Number(pid))?.rows.get(Number(id));
  }

  /** Takes over what was told. */
  take(event: WindowEventValue<'flows'>): void {
    const { of, at, since, changed, counted } = event;
    const told = this.#engineOf(of);
    told.at = at;
    if (event.isWhole) this.#takeWhole(told, event);
    const ms = since === undefined ? 0 : at - since;
    for (const flow of changed) this.#changed(of, told, flow, ms);
    eachCount(counted, (id, bytesUp, bytesDown) => {
      const row = told.rows.get(id);
      if (row !== undefined) count(row, bytesUp, bytesDown, at, ms);
    });
    this.#forgetOldest();
  }

  /** What was open on lanes that are gone is over: nobody will tell of it any more. Whether there was any. */
  keepOnly(lanes: readonly string[], now: number): boolean {
    const kept = new Set(lanes);
    const before = this.#over.size;
    for (const row of this.rows()) if (!kept.has(row.flow.lane)) this.#end(row, now);
    this.#forgetOldest();
    return this.#over.size !== before;
  }

  #engineOf(pid: number): Told {
    const known = this.#engines.get(pid) ?? { rows: new Map(), at: 0 };
    this.#engines.set(pid, known);
    return known;
  }

  #changed(pid: number, told: Told, flow: FlowView, ms: number): void {
    const before = told.rows.get(flow.id);
    const row: FlowRow = before ?? {
      kind: 'flow',
      key: `${pid}/${flow.id}`,
      flow: { ...flow, bytesUp: 0, bytesDown: 0 },
      ...{ downRate: 0, upRate: 0, ratedAt: 0 },
      of: told,
      ...{ picture: 0, rank: 0 },
    };
    if (before === undefined) told.rows.set(flow.id, row);
    const { bytesUp, bytesDown } = row.flow;
    Object.assign(row.flow, flow, { bytesUp, bytesDown });
    count(row, flow.bytesUp, flow.bytesDown, told.at, ms);
    if (isOver(flow)) this.#over.add(row);
  }

  #takeWhole(told: Told, { at, changed, hasMore }: WindowEventValue<'flows'>): void {
    const ids = told.named?.at === at ? told.named.ids : new Set<number>();
    for (const { id } of changed) ids.add(id);
    told.named = hasMore === true ? { at, ids } : undefined;
    if (hasMore !== true) this.#endOthers(told, ids, at);
  }

  #endOthers({ rows }: Told, told: ReadonlySet<number>, at: number): void {
    for (const [id, row] of rows) if (!told.has(id)) this.#end(row, at);
  }

  #end(row: FlowRow, at: number): void {
    if (isOver(row.flow)) return;
    row.flow.state = 'closed';
    row.flow.closedAt = at;
    this.#over.add(row);
  }

  #forgetOldest(): void {
    for (const row of this.#over) {
      if (this.#over.size <= keptClosed) return;
      this.#over.delete(row);
      const [pid = '', id = ''] = row.key.split('/');
      this.#engines.get(Number(pid))?.rows.delete(Number(id));
    }
  }
}

function count(row: FlowRow, bytesUp: number, bytesDown: number, at: number, ms: number): void {
  const { flow } = row;
  if (ms > 0) {
    row.upRate = ((bytesUp - flow.bytesUp) * 1000) / ms;
    row.downRate = ((bytesDown - flow.bytesDown) * 1000) / ms;
    row.ratedAt = at;
  }
  flow.bytesUp = bytesUp;
  flow.bytesDown = bytesDown;
}
