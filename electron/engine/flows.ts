/**
 * The flows of an engine: those that are open, and the newest that have ended. Owns their numbers and bytes;
 * the counters of open TCP flows are read from the pump when somebody asks.
 */
import type { Failure } from '#shared/failure.ts';
import type { FlowView } from '#shared/model.ts';

/** Ended flows that are kept for showing. */
const keptClosed = 2000;

export interface NewFlow {
  readonly lane: string;
  readonly proto: 'tcp' | 'udp';
  readonly sourcePort: number;
  readonly host?: string | undefined;
  readonly address: string;
  readonly port: number;
  readonly via: string;
  readonly rule?: string | undefined;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
/** A flow while it lives; `view()` of the table copies it. */
export type Flow = Mutable<FlowView>;

export interface Totals {
  open: number;
  total: number;
  bytesUp: number;
  bytesDown: number;
}

export class FlowTable {
  readonly #open = new Map<number, Flow>();
  readonly #closed: Flow[] = [];
  readonly #totals = new Map<string, Totals>();
  readonly #now: () => number;
  readonly #onChange: (flow: Flow) => void;
  #last = 0;

  constructor(now: () => number, onChange: (flow: Flow) => void) {
    this.#now = now;
    this.#onChange = onChange;
  }

  get openCount(): number {
    return this.#open.size;
  }

  begin({ lane, proto, sourcePort, host, address, port, via, rule }: NewFlow): Flow {
    this.#last += 1;
    // Written out, because a spread makes an object that is slow to add to.
    const begun: Flow = {
      id: this.#last,
      lane,
      proto,
      sourcePort,
      address,
      port,
      via,
      state: 'dialling',
      bytesUp: 0,
      bytesDown: 0,
      openedAt: this.#now(),
    };
    if (host !== undefined) begun.host = host;
    if (rule !== undefined) begun.rule = rule;
    this.#open.set(begun.id, begun);
    const totals = this.#totalsOf(lane);
    totals.open += 1;
    totals.total += 1;
    this.#onChange(begun);
    return begun;
  }

  /** The proxy said yes, after as many milliseconds where that is known better than by the clock. */
  opened(flow: Flow, dialMs: number = this.#now() - flow.openedAt): void {
    flow.state = 'open';
    flow.dialMs = dialMs;
    this.#onChange(flow);
  }

  /** New counter values of an open flow. */
  count(flow: Flow, bytesUp: number, bytesDown: number): void {
    const totals = this.#totalsOf(flow.lane);
    totals.bytesUp += bytesUp - flow.bytesUp;
    totals.bytesDown += bytesDown - flow.bytesDown;
    flow.bytesUp = bytesUp;
    flow.bytesDown = bytesDown;
  }

  end(flow: Flow, failure?: Failure): void {
    if (!this.#open.delete(flow.id)) return;
    flow.state = flow.state === 'dialling' ? 'refused' : 'closed';
    flow.closedAt = this.#now();
    if (failure !== undefined) flow.failure = { ...failure };
    this.#totalsOf(flow.lane).open -= 1;
    this.#closed.push(flow);
    if (this.#closed.length > keptClosed) this.#closed.splice(0, keptClosed / 10);
    this.#onChange(flow);
  }

  openFlows(lane?: string): Flow[] {
    return [...this.#open.values()].filter((flow) => lane === undefined || flow.lane === lane);
  }

  /** Open flows, then the newest closed ones. */
  views(lane?: string): FlowView[] {
    const closed = this.#closed.filter((flow) => lane === undefined || flow.lane === lane);
    return [...this.openFlows(lane), ...closed].map((flow) => ({ ...flow }));
  }

  totals(lane: string): Readonly<Totals> {
    return this.#totalsOf(lane);
  }

  /** Forgets a lane that is gone. */
  forget(lane: string): void {
    this.#totals.delete(lane);
  }

  #totalsOf(lane: string): Totals {
    const known = this.#totals.get(lane);
    if (known !== undefined) return known;
    const fresh = { open: 0, total: 0, bytesUp: 0, bytesDown: 0 };
    this.#totals.set(lane, fresh);
    return fresh;
  }
}
