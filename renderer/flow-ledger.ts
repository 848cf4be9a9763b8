/**
 * The connections of all engines as they are told: whole at first, then what changes. Keeps those that are open and
 * the newest that are over. Plain: no clock, nothing of the page.
 */
import type { WindowEventValue } from '#shared/contract.ts';
import type { FlowView } from '#shared/model.ts';
import { SharedTexts } from './shared-texts.ts';

/** Connections that are over and kept. */
export const keptClosed = 20_000;
/** Milliseconds for which a rate is believed: events come every second in which anything changes. */
const rateMs = 2000;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What one engine has told. Those that are over are apart: mostly nobody looks at them, and there are more. */
interface Told {
  readonly open: Map<number, FlowRow>;
  readonly over: Map<number, FlowRow>;
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

export const whichFlows = ['active', 'closed', 'all'] as const;
export type WhichFlows = (typeof whichFlows)[number];

export function isOver({ state }: Pick<FlowView, 'state'>): boolean {
  return state === 'closed' || state === 'refused';
}

export function isOfThose({ flow }: FlowRow, which: WhichFlows): boolean {
  return which === 'all' || isOver(flow) === (which === 'closed');
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
  readonly #texts = new SharedTexts();

  get closedCount(): number {
    return this.#over.size;
  }

  get openCount(): number {
    let count = 0;
    for (const { open } of this.#engines.values()) count += open.size;
    return count;
  }

  /** The active ones of each engine in the order in which it began them, then the closed ones in the order of their ends. */
  rows(which: WhichFlows = 'all'): Iterable<FlowRow> {
    if (which === 'closed') return this.#over;
    return which === 'active' ? this.#open() : this.#all();
  }

  #open(): Iterable<FlowRow> {
    const [first, ...others] = this.#engines.values();
    // Mostly there is one, and a generator costs as much as all that is done with a row.
    return first === undefined || others.length > 0 ? this.#openOfAll() : first.open.values();
  }

  *#openOfAll(): Generator<FlowRow> {
    for (const { open } of this.#engines.values()) yield* open.values();
  }

  *#all(): Generator<FlowRow> {
    yield* this.#open();
    yield* this.#over;
  }

  find(key: string): FlowRow | undefined {
    const [pid = '', id = ''] = key.split('/');
    const told = this.#engines.get(Number(pid));
    return told?.open.get(Number(id)) ?? told?.over.get(Number(id));
  }

  /** Takes over what was told. */
  take(event: WindowEventValue<'flows'>): void {
    const { of, at, since, changed, counted } = event;
    const told = this.#engineOf(of);
    told.at = at;
    if (event.isWhole) this.#takeWhole(told, event);
    const ms = since === undefined ? 0 : at - since;
    for (const flow of changed) this.#changed(of, told, flow, ms);
    countAll(told.open, counted, at, ms);
    this.#forgetOldest();
  }

  /** What was open on lanes that are gone is over: nobody will tell of it any more. Whether there was any. */
  keepOnly(lanes: readonly string[], now: number): boolean {
    const kept = new Set(lanes);
    const before = this.#over.size;
    for (const told of this.#engines.values())
      for (const row of told.open.values()) if (!kept.has(row.flow.lane)) this.#end(told, row, now);
    this.#forgetOldest();
    return this.#over.size !== before;
  }

  #engineOf(pid: number): Told {
    const known = this.#engines.get(pid) ?? { open: new Map(), over: new Map(), at: 0 };
    this.#engines.set(pid, known);
    return known;
  }

  #changed(pid: number, told: Told, flow: FlowView, ms: number): void {
    const before = told.open.get(flow.id) ?? told.over.get(flow.id);
    const row: FlowRow = before ?? {
      kind: 'flow',
      key: `${pid}/${flow.id}`,
      flow: { ...flow, bytesUp: 0, bytesDown: 0 },
      ...{ downRate: 0, upRate: 0, ratedAt: 0 },
      of: told,
      ...{ picture: 0, rank: 0 },
    };
    const { bytesUp, bytesDown } = row.flow;
    Object.assign(row.flow, flow, { bytesUp, bytesDown });
    this.#texts.share(row.flow);
    count(row, flow.bytesUp, flow.bytesDown, told.at, ms);
    if (isOver(flow)) this.#putAway(told, row);
    else this.#keepOpen(told, row);
  }

  /** Also one that was taken for over, as its engine had been silent. */
  #keepOpen(told: Told, row: FlowRow): void {
    told.over.delete(row.flow.id);
    this.#over.delete(row);
    told.open.set(row.flow.id, row);
  }

  #takeWhole(told: Told, { at, changed, hasMore }: WindowEventValue<'flows'>): void {
    const ids = told.named?.at === at ? told.named.ids : new Set<number>();
    for (const { id } of changed) ids.add(id);
    told.named = hasMore === true ? { at, ids } : undefined;
    if (hasMore !== true) this.#endOthers(told, ids, at);
  }

  #endOthers(told: Told, named: ReadonlySet<number>, at: number): void {
    for (const [id, row] of told.open) if (!named.has(id)) this.#end(told, row, at);
  }

  #end(told: Told, row: FlowRow, at: number): void {
    row.flow.state = 'closed';
    row.flow.closedAt = at;
    this.#putAway(told, row);
  }

  #putAway(told: Told, row: FlowRow): void {
    told.open.delete(row.flow.id);
    told.over.set(row.flow.id, row);
    this.#over.add(row);
  }

  #forgetOldest(): void {
    for (const row of this.#over) {
      if (this.#over.size <= keptClosed) return;
      this.#over.delete(row);
      const [pid = '', id = ''] = row.key.split('/');
      this.#engines.get(Number(pid))?.over.delete(Number(id));
    }
  }
}

/** Figures of many, as they are told: id, bytes up and bytes down, one after another. */
function countAll(open: Told['open'], counted: ArrayLike<number>, at: number, ms: number): void {
  let next = 0;
  const countNext = (row: FlowRow): void => {
    count(row, counted[next + 1] ?? 0, counted[next + 2] ?? 0, at, ms);
  };
  // Told in the order in which they began, as they are kept: mostly the next one is the one, and need not be found.
  for (const row of open.values())
    if (row.flow.id === counted[next]) {
      countNext(row);
      next += 3;
    }
  for (; next < counted.length; next += 3) {
    const row = open.get(counted[next] ?? 0);
    if (row !== undefined) countNext(row);
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
