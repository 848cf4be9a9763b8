/**
 * The flows of an engine: those that are open, and the newest that have ended. Owns their numbers and bytes;
 * the counters of open TCP flows are read from the pump when somebody asks.
 */
import type { Failure } from '#shared/failure.ts';
import type { FlowView } from '#shared/model.ts';
import { RuleHits } from './rule-hits.ts';

/** Ended flows that are kept for showing. */
const keptClosed = 2000;

/** What is to be seen of a lane at its flows, also when it has ended. */
export type LaneHead = Readonly<Required<Pick<FlowView, 'app' | 'name' | 'profile'>>>;

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
  readonly ruleHits = new RuleHits();
  readonly #open = new Map<number, Flow>();
  readonly #closed: Flow[] = [];
  readonly #totals = new Map<string, Totals>();
  readonly #heads = new Map<string, LaneHead>();
  readonly #now: () => number;
  readonly #onChange: (flow: Flow) => void;
  readonly #onBytes: (flow: Flow, up: number, down: number) => void;
  #last = 0;

  /** `onBytes` is told of every byte that is counted, once. */
  constructor(
    now: () => number,
    onChange: (flow: Flow) => void,
    onBytes: (flow: Flow, up: number, down: number) => void = () => undefined,
  ) {
    this.#now = now;
    this.#onChange = onChange;
    this.#onBytes = onBytes;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** What flows of this lane carry from now on. */
  introduce(lane: string, head: LaneHead): void {
    this.#heads.set(lane, head);
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
    const head = this.#heads.get(lane);
    if (head !== undefined) {
      begun.app = head.app;
      begun.name = head.name;
      begun.profile = head.profile;
    }
    if (host !== undefined) begun.host = host;
    if (rule !== undefined) this.decidedBy(begun, rule);
    this.#open.set(begun.id, begun);
    const totals = this.#totalsOf(lane);
    totals.open += 1;
    totals.total += 1;
    this.#onChange(begun);
    return begun;
  }

  /** The rule that decided about a flow, once that is known. */
  decidedBy(flow: Flow, rule: string): void {
    flow.rule = rule;
    this.ruleHits.count(rule, this.#now());
  }

  /** The proxy said yes, after as many milliseconds where that is known better than by the clock. */
  opened(flow: Flow, dialMs: number = this.#now() - flow.openedAt): void {
    flow.state = 'open';
    flow.dialMs = dialMs;
    this.#onChange(flow);
  }

  /** New counter values of an open flow. */
  count(flow: Flow, bytesUp: number, bytesDown: number): void {
    const [up, down] = [bytesUp - flow.bytesUp, bytesDown - flow.bytesDown];
    if (up === 0 && down === 0) return;
    const totals = this.#totalsOf(flow.lane);
    totals.bytesUp += up;
    totals.bytesDown += down;
    flow.bytesUp = bytesUp;
    flow.bytesDown = bytesDown;
    this.#onBytes(flow, up, down);
  }

  /** It is over; refused where it never was open. */
  end(flow: Flow, failure?: Failure): void {
    this.#end(flow, flow.state === 'dialling' ? 'refused' : 'closed', failure);
  }

  /** It was to end, by the user's wish. */
  close(flow: Flow): void {
    this.#end(flow, 'closed');
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
    this.#heads.delete(lane);
  }

  #end(flow: Flow, state: 'refused' | 'closed', failure?: Failure): void {
    if (!this.#open.delete(flow.id)) return;
    flow.state = state;
    flow.closedAt = this.#now();
    if (failure !== undefined) flow.failure = { ...failure };
    this.#totalsOf(flow.lane).open -= 1;
    this.#closed.push(flow);
    if (this.#closed.length > keptClosed) this.#closed.splice(0, keptClosed / 10);
    this.#onChange(flow);
  }

  #totalsOf(lane: string): Totals {
    const known = this.#totals.get(lane);
    if (known !== undefined) return known;
    const fresh = { open: 0, total: 0, bytesUp: 0, bytesDown: 0 };
    this.#totals.set(lane, fresh);
    return fresh;
  }
}
