/**
 * The TCP flows of all lanes of an engine: the native pump, its flows by number, and the limit.
 *
 * Does: bring what the pump tells to the lane's relay and into the table of flows. Must not: decide anything.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { CulvertError, type Failure } from '#shared/failure.ts';
import type { UnsentPorts } from '#shared/helper-protocol.ts';
import { deferred } from '../deferred.ts';
import type { Flow, FlowTable } from '../flows.ts';
import { firstByteOf, type AcceptedFlow, type EndedFlow, type FlowEvent } from '../native-events.ts';
import { countersEach, type NativeFlows } from '../native-flows.ts';

/**
 * Slots of the pump beyond the limit: accepted flows that are yet to be refused, and ended ones that are yet to be
 * told of. Without one a connection is reset and nobody hears of it.
 */
const spareSlots = 1024;
/** Between two looks at what ended apps have yet to get rid of. */
const lookMs = 5;

/** How a drain is waited for. */
export interface Patience {
  /** So long without a byte, in milliseconds, is the end of it. */
  readonly stillMs: number;
  /** Asks the helper what the lane's app namespace has yet to get rid of. */
  readonly unsent: () => Promise<UnsentPorts>;
  /** Ends it at once. */
  readonly cut?: AbortSignal;
}

export interface PumpedListeners {
  /** A dial of the pump's came through. Not called for one that has ended by the time. */
  readonly onOpened?: () => void;
  /** Called once, after the end, with what it means; answers the failure to be shown, if it is one. */
  readonly onEnd: (ended: EndedFlow) => Failure | undefined;
}

/** A flow whose end the pump will tell. */
interface Pumped extends PumpedListeners {
  readonly flow: Flow;
}

/** Ends the work on a flow that is not open yet; `isAsked`: the user wanted that, and nobody is to blame. */
export type GiveUp = (isAsked: boolean) => void;

/** Hears of a connection; unless that is all there is to tell, the pump has dialled it as the last of its kind. */
export type OnAccepted = (accepted: AcceptedFlow, news: FlowEvent['kind']) => void;

export class TcpFlows {
  readonly #native: NativeFlows;
  readonly #table: FlowTable;
  readonly #limit: number;
  readonly #pumped = new Map<number, Pumped>();
  /** Flows that are decided about or dialled in this process. */
  readonly #opening = new Map<Flow, GiveUp>();
  /** Flows of the pump that the user has closed. */
  readonly #closed = new WeakSet<Flow>();
  readonly #listeners = new Map<number, OnAccepted>();
  readonly #drains = new Map<string, () => void>();

  constructor(native: NativeFlows, table: FlowTable, threads: number, limit: number) {
    this.#native = native;
    this.#table = table;
    this.#limit = limit;
    native.start(threads, limit + spareSlots, (event) => {
      this.#handle(event);
    });
  }

  get table(): FlowTable {
    return this.#table;
  }

  /** Accepts on a listening socket, which it owns from now on; answers the listener's number. */
  listen(fd: number, isRedirected: boolean, onAccepted: OnAccepted): number {
    const listener = this.#native.listen(fd, isRedirected);
    this.#listeners.set(listener, onAccepted);
    return listener;
  }

  unlisten(listener: number): void {
    this.#native.unlisten(listener);
    this.#listeners.delete(listener);
  }

  /** Throws `engine-limit` when no further flow can be relayed. */
  expectRoom(): void {
    if (this.#table.openCount > this.#limit)
      throw new CulvertError('engine-limit', { detail: `${this.#limit}` });
  }

  /** The flow is not the pump's yet; `giveUp` is called once at most, until it is, or has ended. */
  opening(flow: Flow, giveUp: GiveUp): void {
    this.#opening.set(flow, giveUp);
  }

  /** From here on the flow is the pump's, dialled or joined. */
  pumped(number: number, flow: Flow, listeners: PumpedListeners): void {
    this.#opening.delete(flow);
    this.#pumped.set(number, { flow, ...listeners });
    if (this.#drains.has(flow.lane)) this.#native.release(number);
  }

  /** Brings the byte counters of the open flows up to date. */
  count(): void {
    if (this.#pumped.size === 0) return;
    let highest = 0;
    for (const number of this.#pumped.keys()) highest = Math.max(highest, number);
    const counters = this.#native.counters(highest + 1);
    for (const [number, { flow }] of this.#pumped) {
      const at = number * countersEach;
      this.#table.count(flow, Number(counters[at] ?? 0n), Number(counters[at + 1] ?? 0n));
      flow.firstByteMs ??= firstByteOf(Number(counters[at + 2] ?? 0n));
    }
  }

  /**
   * Waits until what the ended apps of a lane have sent is on its way, as long as it moves: a program may write, close
   * and end, and its last bytes must arrive as they would without Culvert, however slow its peer is.
   */
  async drain(lane: string, { stillMs, unsent, cut }: Patience): Promise<void> {
    const isCut = () => cut?.aborted === true;
    const deadline = performance.now() + stillMs;
    while (!isCut() && !(await this.#hasAll(lane, unsent)) && performance.now() < deadline)
      await delay(lookMs);
    if (isCut() || !this.#hasFlows(lane)) return;
    for (const [number, { flow }] of this.#pumped) if (flow.lane === lane) this.#native.release(number);
    const over = deferred();
    const end = () => {
      over.resolve(undefined);
    };
    let before = this.#standing(lane);
    const looking = setInterval(() => {
      const now = this.#standing(lane);
      if (!now.isOpening && now.bytesUp === before.bytesUp) end();
      before = now;
    }, stillMs);
    this.#drains.set(lane, end);
    cut?.addEventListener('abort', end);
    await over.promise;
    cut?.removeEventListener('abort', end);
    this.#drains.delete(lane);
    clearInterval(looking);
  }

  /** Resets all flows of a lane, those that are being opened too; answers how many there were. */
  abort(lane: string): number {
    let count = this.#giveUp(false, (flow) => flow.lane === lane);
    for (const [number, { flow }] of this.#pumped) {
      if (flow.lane !== lane) continue;
      this.#native.abort(number);
      count += 1;
    }
    return count;
  }

  /** Resets the flows with these ids, of any lane; answers how many there were. */
  close(ids: ReadonlySet<number>): number {
    let count = this.#giveUp(true, (flow) => ids.has(flow.id));
    for (const [number, { flow }] of this.#pumped) {
      if (!ids.has(flow.id)) continue;
      this.#closed.add(flow);
      this.#native.abort(number);
      count += 1;
    }
    return count;
  }

  /** A flow has ended, opened or not: a drain that waits for the lane's last one is over with it. */
  settled(flow: Flow): void {
    this.#opening.delete(flow);
    const over = this.#drains.get(flow.lane);
    if (over !== undefined && !this.#hasFlows(flow.lane)) over();
  }

  #giveUp(isAsked: boolean, isWanted: (flow: Flow) => boolean): number {
    const wanted = [...this.#opening].filter(([flow]) => isWanted(flow));
    for (const [flow, giveUp] of wanted) {
      this.#opening.delete(flow);
      giveUp(isAsked);
    }
    return wanted.length;
  }

  #handle(event: FlowEvent): void {
    if (event.first !== undefined) this.#accepted(event.first, event.kind);
    if (event.kind === 'ended') this.#ended(event.ended);
    else if (event.kind === 'opened') {
      const pumped = this.#pumped.get(event.flow);
      if (pumped === undefined) return;
      this.#table.opened(pumped.flow, event.dialMs);
      pumped.onOpened?.();
    }
  }

  #accepted(accepted: AcceptedFlow, news: FlowEvent['kind']): void {
    const listener = this.#listeners.get(accepted.listener);
    if (listener !== undefined) listener(accepted, news);
    else if (news !== 'ended') this.#native.abort(accepted.flow);
  }

  #ended(ended: EndedFlow): void {
    const pumped = this.#pumped.get(ended.flow);
    if (pumped === undefined) return;
    const { flow, onEnd } = pumped;
    this.#pumped.delete(ended.flow);
    if (flow.state === 'dialling' && ended.dialMs !== undefined) {
      this.#table.opened(flow, ended.dialMs);
      pumped.onOpened?.();
    }
    this.#table.count(flow, ended.bytesUp, ended.bytesDown);
    flow.firstByteMs ??= ended.firstByteMs;
    const failure = onEnd(ended);
    if (this.#closed.has(flow)) this.#table.close(flow);
    else this.#table.end(flow, failure);
    this.settled(flow);
  }

  /**
   * Whether every connection of the lane's ended apps is a flow. The look comes first: a connection that has got rid
   * of everything by then is, at the latest, one that waits at its listener, since nobody else acknowledges.
   */
  async #hasAll(lane: string, unsent: () => Promise<UnsentPorts>): Promise<boolean> {
    const { ipv4, ipv6 } = await unsent();
    const isSettled = [...this.#listeners.keys()].every((listener) => this.#native.settle(listener));
    const flows = this.#table.openFlows(lane).filter(({ proto }) => proto === 'tcp');
    const known = (isIpv6: boolean) =>
      new Set(flows.filter(({ address }) => address.includes(':') === isIpv6).map((flow) => flow.sourcePort));
    const [known4, known6] = [known(false), known(true)];
    return isSettled && ipv4.every((port) => known4.has(port)) && ipv6.every((port) => known6.has(port));
  }

  /** What a lane's open flows have sent on by now, and whether one is still being opened, which has its own deadline. */
  #standing(lane: string): { bytesUp: number; isOpening: boolean } {
    this.count();
    const flows = this.#table.openFlows(lane).filter(({ proto }) => proto === 'tcp');
    return {
      bytesUp: flows.reduce((sum, flow) => sum + flow.bytesUp, 0),
      isOpening: flows.some(({ state }) => state === 'dialling'),
    };
  }

  #hasFlows(lane: string): boolean {
    return this.#table.openFlows(lane).some(({ proto }) => proto === 'tcp');
  }
}
