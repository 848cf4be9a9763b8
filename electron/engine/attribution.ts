/**
 * Which process holds a flow: asked of the helper in batches, at most once a second, and only while somebody
 * looks (DESIGN.md §4). A flow keeps the answer that it once got.
 */
import type { SocketEntry } from '#shared/helper-protocol.ts';
import type { Flow } from './flows.ts';

const batchMs = 1000;

export interface AttributionOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly sockets: (lane: string) => Promise<readonly SocketEntry[]>;
  readonly openFlows: () => readonly Flow[];
  readonly onChange: (flow: Flow) => void;
}

export class Attribution {
  readonly #options: AttributionOptions;
  #lastAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: AttributionOptions) {
    this.#options = options;
  }

  /** There are flows without a process: finds them now, or when the second is over. */
  wanted(): void {
    if (this.#timer !== undefined) return;
    const wait = Math.max(0, this.#lastAt + batchMs - this.#options.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.attribute();
    }, wait);
    this.#timer.unref();
  }

  /** Looks once at every lane that has open flows without a process. */
  async attribute(): Promise<void> {
    this.#lastAt = this.#options.now();
    const nameless = this.#options.openFlows().filter((flow) => flow.pid === undefined);
    const lanes = new Set(nameless.map((flow) => flow.lane));
    await Promise.all(
      [...lanes].map(async (lane) => {
        const sockets = await this.#options.sockets(lane).catch(() => [] as readonly SocketEntry[]);
        for (const flow of nameless) if (flow.lane === lane) this.#match(flow, sockets);
      }),
    );
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #match(flow: Flow, sockets: readonly SocketEntry[]): void {
    const holder = sockets.find(
      ({ proto, localPort, pid }) =>
        proto === flow.proto && localPort === flow.sourcePort && pid !== undefined,
    );
    if (holder?.pid === undefined) return;
    flow.pid = holder.pid;
    if (holder.name !== undefined) flow.process = holder.name;
    this.#options.onChange(flow);
  }
}
