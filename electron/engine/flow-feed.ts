/**
 * Flows for those who look at them: all at first, then once a second what is new or has changed, and of those that
 * have only carried bytes the figures. Must not: do anything while nobody looks.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FlowsEvent } from '#shared/engine-protocol.ts';
import type { FlowView } from '#shared/model.ts';

const periodMs = 1000;
/** Flows that one event tells whole, at most. */
export const maxFlows = 500;

export interface FlowFeedOptions {
  /** All flows as they are now, with their processes; copies, which the feed keeps. */
  readonly look: () => Promise<readonly FlowView[]>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

type Listener = (event: FlowsEvent) => void;

/** What a listener has been told. */
interface Told {
  readonly at: number;
  readonly flows: ReadonlyMap<number, FlowView>;
}

export class FlowFeed {
  readonly #options: FlowFeedOptions;
  readonly #told = new Map<Listener, Told | undefined>();
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  constructor(options: FlowFeedOptions) {
    this.#options = options;
  }

  /** Tells `listener` at once, and then every second in which something changed, until the answer is called. */
  watch(listener: Listener): () => void {
    this.#told.set(listener, undefined);
    this.#timer ??= setInterval(() => void this.#tell(), periodMs).unref();
    void this.#tell();
    return () => {
      this.#told.delete(listener);
      if (this.#told.size === 0) this.close();
    };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#told.clear();
  }

  async #tell(): Promise<void> {
    // A look that takes longer than its second is not begun again beside itself.
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const flows = await this.#options.look();
      const now = { at: this.#options.now(), flows: new Map(flows.map((flow) => [flow.id, flow])) };
      for (const [listener, told] of this.#told) {
        const event = difference(told, now);
        if (event.changed.length > 0 || event.counted.length > 0) await this.#tellPieces(listener, event);
        if (this.#told.has(listener)) this.#told.set(listener, now);
      }
    } finally {
      this.#isLooking = false;
    }
  }

  /** Between two pieces everything else has its turn. */
  async #tellPieces(listener: Listener, event: FlowsEvent): Promise<void> {
    for (const piece of piecesOf(event)) {
      if (!this.#told.has(listener)) return;
      listener(piece);
      if (piece.hasMore === true) await nextTurn();
    }
  }
}

/** The same in events of at most `maxFlows`: of a thousand flows one alone would be half a megabyte. */
function* piecesOf({ changed, counted, ...look }: FlowsEvent): Generator<FlowsEvent> {
  let at = 0;
  for (; at + maxFlows < changed.length; at += maxFlows)
    yield { ...look, changed: changed.slice(at, at + maxFlows), counted: [], hasMore: true };
  yield { ...look, changed: changed.slice(at), counted };
}

function difference(told: Told | undefined, { at, flows }: Told): FlowsEvent {
  if (told === undefined) return { at, changed: [...flows.values()], counted: [] };
  const changed: FlowView[] = [];
  const counted: number[] = [];
  for (const flow of flows.values()) {
    const before = told.flows.get(flow.id);
    if (before === undefined || hasChanged(before, flow)) changed.push(flow);
    else if (before.bytesUp !== flow.bytesUp || before.bytesDown !== flow.bytesDown)
      counted.push(flow.id, flow.bytesUp, flow.bytesDown);
  }
  return { at, since: told.at, changed, counted };
}

/** Whether anything but its bytes is another than it was, of what is not there from its beginning on. */
function hasChanged(before: FlowView, now: FlowView): boolean {
  return (
    before.state !== now.state ||
    before.via !== now.via ||
    before.rule !== now.rule ||
    before.pid !== now.pid ||
    before.serverName !== now.serverName ||
    before.dialMs !== now.dialMs ||
    before.firstByteMs !== now.firstByteMs
  );
}
