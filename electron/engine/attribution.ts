/**
 * Which process holds a flow: asked of the helper in batches, at most once a second, and only while somebody
 * looks (DESIGN.md §4). A flow keeps the answer that it once got.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { SocketEntry } from '#shared/helper-protocol.ts';
import type { Flow } from './flows.ts';

const batchMs = 1000;
/** What a timer of a second may be early. */
const atOnceMs = 20;
/** How often a rule may have one lane looked at: decisions wait for it. */
const ruleBatchMs = 50;

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
  /** The look that is to come. */
  #next: Promise<void> | undefined;
  readonly #looks = new Map<string, Promise<readonly SocketEntry[]>>();
  /** When each lane was last looked at for a rule. */
  readonly #looksAt = new Map<string, number>();

  constructor(options: AttributionOptions) {
    this.#options = options;
  }

  /** There are flows without a process: finds them now, or when the second is over. */
  wanted(): void {
    void this.#nextLook();
  }

  /** Resolves when every lane with open flows that have no process was looked at, once for all who ask meanwhile. */
  attribute(): Promise<void> {
    return this.#nameless().length === 0 ? Promise.resolve() : this.#nextLook();
  }

  #nextLook(): Promise<void> {
    this.#next ??= new Promise((resolve) => {
      this.#timer = setTimeout(() => {
        this.#next = undefined;
        void this.#attribute().then(resolve);
      }, this.#waitMs);
      this.#timer.unref();
    });
    return this.#next;
  }

  /** The same where it can be done at once; else it is done later, and nobody waits for it. */
  async attributeIfDue(): Promise<void> {
    const attributed = this.attribute();
    if (this.#waitMs <= atOnceMs) await attributed;
  }

  /** Until a look may begin. */
  get #waitMs(): number {
    return Math.max(0, this.#lastAt + batchMs - this.#options.now());
  }

  #nameless(): Flow[] {
    return this.#options.openFlows().filter((flow) => flow.pid === undefined);
  }

  async #attribute(): Promise<void> {
    this.#lastAt = this.#options.now();
    const nameless = this.#nameless();
    const lanes = new Set(nameless.map((flow) => flow.lane));
    await Promise.all(
      [...lanes].map(async (lane) => {
        const sockets = await this.#options.sockets(lane).catch(() => [] as readonly SocketEntry[]);
        for (const flow of nameless) if (flow.lane === lane) this.#match(flow, sockets);
      }),
    );
  }

  /** The name of the process that has this port in the lane, or null where it cannot be found. For rules. */
  async processOf(lane: string, proto: 'tcp' | 'udp', port: number): Promise<string | null> {
    const sockets = await this.#look(lane);
    const holder = sockets.find((entry) => entry.proto === proto && entry.localPort === port);
    return holder?.name ?? null;
  }

  /** One look for all who ask at the same time; whoever asks later than it began gets the next one. */
  #look(lane: string): Promise<readonly SocketEntry[]> {
    const waiting = this.#looks.get(lane);
    if (waiting !== undefined) return waiting;
    const waitMs = Math.max(0, (this.#looksAt.get(lane) ?? 0) + ruleBatchMs - this.#options.now());
    const next = delay(waitMs, undefined, { ref: false }).then(() => {
      this.#looksAt.set(lane, this.#options.now());
      this.#looks.delete(lane);
      return this.#options.sockets(lane).catch(() => [] as readonly SocketEntry[]); // Then no process is found.
    });
    this.#looks.set(lane, next);
    return next;
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
