/**
 * Flows for those who look at them: all at first, then once a second what is new or has changed. Must not: do
 * anything while nobody looks.
 */
import type { FlowsEvent } from '#shared/engine-protocol.ts';
import type { FlowView } from '#shared/model.ts';

const periodMs = 1000;

export interface FlowFeedOptions {
  /** All flows as they are now, with their processes. */
  readonly look: () => Promise<readonly FlowView[]>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

type Listener = (event: FlowsEvent) => void;

export class FlowFeed {
  readonly #options: FlowFeedOptions;
  /** What each listener was told last of each flow, in short. */
  readonly #told = new Map<Listener, Map<number, string>>();
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  constructor(options: FlowFeedOptions) {
    this.#options = options;
  }

  /** Tells `listener` at once, and then every second in which something changed, until the answer is called. */
  watch(listener: Listener): () => void {
    this.#told.set(listener, new Map());
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
      for (const [listener, told] of this.#told) {
        const changed = flows.filter((flow) => told.get(flow.id) !== inShort(flow));
        if (changed.length > 0) listener({ at: this.#options.now(), changed });
        if (this.#told.has(listener))
          this.#told.set(listener, new Map(flows.map((flow) => [flow.id, inShort(flow)])));
      }
    } finally {
      this.#isLooking = false;
    }
  }
}

/** Differs whenever something of the flow does that is not there from its beginning on. */
function inShort({ state, bytesUp, bytesDown, via, rule, pid, serverName, dialMs }: FlowView): string {
  return [state, bytesUp, bytesDown, via, rule, pid, serverName, dialMs].join(' ');
}
