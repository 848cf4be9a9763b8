/**
 * Which servers of a chain failed lately. A server is believed to be dead for a while that doubles with every
 * further failure; one success ends it. Only a memory: it says whom to avoid, never that nobody is left.
 */

/** Milliseconds for the first failure, and at most. */
const firstMs = 5_000;
const mostMs = 300_000;

interface Death {
  readonly until: number;
  readonly forMs: number;
}

export class DeadServers {
  readonly #deaths = new Map<number, Death>();
  readonly #now: () => number;

  /** The clock is monotonic, in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** A server failed. While it is believed to be dead, failures of connections that began before add nothing. */
  buried(server: number): void {
    const death = this.#deaths.get(server);
    if (death !== undefined && this.#now() < death.until) return;
    const forMs = death === undefined ? firstMs : Math.min(mostMs, death.forMs * 2);
    this.#deaths.set(server, { until: this.#now() + forMs, forMs });
  }

  /** A connection went through it. */
  revived(server: number): void {
    this.#deaths.delete(server);
  }

  /** The servers that are believed to be dead now. */
  present(): Set<number> {
    const now = this.#now();
    return new Set([...this.#deaths].filter(([, { until }]) => now < until).map(([server]) => server));
  }
}
