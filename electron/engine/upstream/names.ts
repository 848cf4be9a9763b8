/**
 * Addresses of proxies that are given by name, by the host's own resolver.
 *
 * Does: one lookup at a time per name and a short memory, so that fifty flows at once do not queue for the
 * four threads that getaddrinfo(3) gets from Node. Must not: be used for names that apps ask for; those
 * go to the proxy as names.
 */
import { lookup } from 'node:dns';
import type { LookupAddress, LookupOptions } from 'node:dns';

type Answer = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;

interface Known {
  readonly addresses: LookupAddress[];
  readonly until: number;
}

/** How long an answer is used; getaddrinfo tells no lifetime, and a proxy that moves should be found again. */
const memoryMs = 10_000;
const maxKnown = 256;

/** Made once per engine; the clock, in milliseconds, and the resolver are there to be replaced in tests. */
export class ProxyNames {
  readonly #known = new Map<string, Known>();
  readonly #waiting = new Map<string, Answer[]>();
  readonly #now: () => number;
  readonly #resolve: typeof lookup;

  constructor(now: () => number = () => performance.now(), resolve: typeof lookup = lookup) {
    this.#now = now;
    this.#resolve = resolve;
  }

  /** All addresses of a name, in the form that `net.connect` wants of its `lookup` option. */
  readonly lookup = (host: string, _options: LookupOptions, answer: Answer): void => {
    const known = this.#known.get(host);
    if (known !== undefined && known.until > this.#now()) {
      process.nextTick(answer, null, known.addresses);
      return;
    }
    const waiting = this.#waiting.get(host);
    if (waiting !== undefined) {
      waiting.push(answer);
      return;
    }
    this.#waiting.set(host, [answer]);
    this.#resolve(host, { all: true }, (error, addresses) => this.#settle(host, error, addresses));
  };

  /** A connection to this name failed: the next one looks it up again. */
  forget(host: string): void {
    this.#known.delete(host);
  }

  #settle(host: string, error: NodeJS.ErrnoException | null, addresses: LookupAddress[]): void {
    const waiting = this.#waiting.get(host) ?? [];
    this.#waiting.delete(host);
    if (error === null) {
      if (this.#known.size >= maxKnown) this.#known.clear();
      this.#known.set(host, { addresses, until: this.#now() + memoryMs });
    }
    for (const answer of waiting) answer(error, addresses);
  }
}
