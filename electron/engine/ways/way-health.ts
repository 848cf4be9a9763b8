/**
 * Whether a chain can be reached: what its flows say of it, and while it cannot and a lane waits for it, looks of
 * our own with growing pauses. Must not: keep flows from trying; this is for what people see, and for failover.
 */
import { failureOf, type Failure, type FailureCode } from '#shared/failure.ts';
import type { WayState } from './way.ts';

/** Milliseconds between two looks: quick at first, so that a proxy that is back is seen within a second. */
const firstPauseMs = 250;
const quickPauseMs = 800;
const slowPauseMs = 10_000;
/** How long a proxy is looked for quickly. */
const quickForMs = 120_000;
const probeMs = 5000;

/** Failures that are the proxies' own and not the destination's. */
const troubles: ReadonlySet<FailureCode> = new Set<FailureCode>([
  'proxy-unreachable',
  'proxy-timeout',
  'proxy-sign-in-refused',
  'proxy-protocol-error',
  'proxy-closed',
  'certificate-refused',
  'chain-empty',
  'chain-exhausted',
  'egress-missing',
]);

/** Those that a server which can be connected to may still have; only a connection through it shows that they are over. */
const wrongAnswers: ReadonlySet<FailureCode> = new Set<FailureCode>([
  'proxy-sign-in-refused',
  'proxy-protocol-error',
  'certificate-refused',
]);
/** After that many milliseconds such a server is thought to be another one, perhaps, and is worth a flow again. */
const forgivenMs = 30_000;

/** Whether a failure tells of a chain that cannot be used, whatever the destination is. */
export function isTrouble({ code }: Failure): boolean {
  return troubles.has(code);
}

export interface WayHealthOptions {
  /** Reaches the chain without a destination; rejects with why not. */
  readonly probe: (options: { deadlineMs: number; signal: AbortSignal }) => Promise<void>;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

export class WayHealth {
  readonly #options: WayHealthOptions;
  readonly #listeners = new Set<() => void>();
  #state: WayState = { health: 'unknown' };
  #troubledSince = 0;
  #pauseMs = firstPauseMs;
  #timer: NodeJS.Timeout | undefined;
  #probing: AbortController | undefined;
  #looking: Promise<boolean> | undefined;

  constructor(options: WayHealthOptions) {
    this.#options = options;
  }

  get state(): WayState {
    return this.#state;
  }

  /** A flow came through it, or failed. A destination's failure shows that the chain itself works. */
  settled(failure: Failure | undefined): void {
    if (failure !== undefined && isTrouble(failure)) this.#fail(failure);
    else if (failure === undefined || failure.code === 'proxy-refused') this.#recover();
  }

  /** Looks now, or together with who looks already; answers whether it could be reached. */
  async look(deadlineMs: number): Promise<boolean> {
    if (this.#looking !== undefined) return within(this.#looking, deadlineMs);
    this.#stopLooking();
    this.#looking = this.#look(deadlineMs);
    try {
      return await this.#looking;
    } finally {
      this.#looking = undefined;
      this.#lookLater();
    }
  }

  async #look(deadlineMs: number): Promise<boolean> {
    const probing = new AbortController();
    this.#probing = probing;
    try {
      await this.#options.probe({ deadlineMs, signal: probing.signal });
      return this.#isThere();
    } catch (error) {
      // Called off because a flow came through, or because nobody wants to know any more.
      if (probing.signal.aborted) return this.#state.health !== 'unreachable';
      this.#fail(failureOf(error));
      return false;
    } finally {
      if (this.#probing === probing) this.#probing = undefined;
    }
  }

  /** Somebody uses the chain until the answer is called; nobody is looked for when nobody does. */
  hold(onChange: () => void): () => void {
    const listener = () => {
      onChange();
    };
    this.#listeners.add(listener);
    this.#lookLater();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stopLooking();
    };
  }

  /** The chain can be connected to; answers whether that makes it usable. */
  #isThere(): boolean {
    const { trouble } = this.#state;
    if (trouble === undefined || !wrongAnswers.has(trouble.code)) {
      this.#recover();
      return true;
    }
    const isForgiven = this.#options.now() - this.#troubledSince > forgivenMs;
    if (isForgiven) this.#change({ health: 'unknown' });
    return isForgiven;
  }

  #recover(): void {
    this.#stopLooking();
    this.#pauseMs = firstPauseMs;
    if (this.#state.health !== 'reachable') this.#change({ health: 'reachable' });
  }

  #fail(trouble: Failure): void {
    const isNew = this.#state.health !== 'unreachable';
    if (isNew) this.#troubledSince = this.#options.now();
    if (isNew || this.#state.trouble?.code !== trouble.code) this.#change({ health: 'unreachable', trouble });
    this.#lookLater();
  }

  #change(state: WayState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }

  #lookLater(): void {
    const isIdle = this.#timer === undefined && this.#probing === undefined;
    if (!isIdle || this.#listeners.size === 0 || this.#state.health !== 'unreachable') return;
    const pauseMs = this.#pauseMs;
    const isLong = this.#options.now() - this.#troubledSince > quickForMs;
    this.#pauseMs = Math.min(pauseMs * 2, isLong ? slowPauseMs : quickPauseMs);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.look(probeMs);
    }, pauseMs);
    this.#timer.unref();
  }

  #stopLooking(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#probing?.abort();
    this.#probing = undefined;
  }
}

/** What a look of somebody else's finds; false where that takes too long. */
async function within(looking: Promise<boolean>, deadlineMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
    }, deadlineMs);
  });
  try {
    return await Promise.race([looking, late]);
  } finally {
    clearTimeout(timer);
  }
}
