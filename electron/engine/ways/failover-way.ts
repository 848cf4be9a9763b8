/**
 * A way with a second one behind it, because the profile says so: flows take the first as long as it can be reached.
 *
 * Does: notice a proxy that refuses at once, and one that says nothing within a second or two. Must not: repeat a
 * connection whose destination was refused, or end anywhere but in one of its two chains.
 */
import { failureOf, type Failure } from '#shared/failure.ts';
import type { ChainAssociation, ChainDialled } from '../upstream/chain.ts';
import type { DialOptions } from '../upstream/connection.ts';
import type { Destination } from '../upstream/destination.ts';
import type { AssociateOptions } from '../upstream/udp-associate.ts';
import type { ProxyWay } from './proxy-way.ts';
import { isTrouble } from './way-health.ts';
import type { Way, WayState } from './way.ts';

/** Milliseconds without an answer after which the first chain is looked at, and what that look may take. */
const patienceMs = 700;
const lookMs = 900;

export class FailoverWay implements Way {
  readonly udp: Way['udp'];
  readonly carriesIpv6: boolean;
  readonly egress: string | undefined;
  /** A dial of the pump's cannot be begun again. */
  readonly socks5 = undefined;
  readonly #first: ProxyWay;
  readonly #second: Way;

  constructor(first: ProxyWay, second: Way) {
    this.#first = first;
    this.#second = second;
    this.udp = first.udp === 'none' ? second.udp : first.udp;
    this.carriesIpv6 = first.carriesIpv6 && second.carriesIpv6;
    this.egress = first.egress;
  }

  get via(): string {
    return this.#present().via;
  }

  get state(): WayState {
    return this.#present().state;
  }

  async dial(destination: Destination, options: DialOptions): Promise<ChainDialled> {
    if (this.#isLost()) return this.#second.dial(destination, options);
    const attempt = new AbortController();
    const signal =
      options.signal === undefined ? attempt.signal : AbortSignal.any([attempt.signal, options.signal]);
    const patience = setTimeout(() => {
      void this.#first.look(lookMs).then((isThere) => {
        if (!isThere) attempt.abort();
      });
    }, patienceMs);
    try {
      return await this.#first.dial(destination, { ...options, signal });
    } catch (error) {
      if (options.signal?.aborted === true) throw error;
      if (!attempt.signal.aborted && !isTrouble(failureOf(error))) throw error;
      return await this.#second.dial(destination, options);
    } finally {
      clearTimeout(patience);
    }
  }

  async associate(options: AssociateOptions): Promise<ChainAssociation> {
    if (this.#isLost()) return this.#second.associate(options);
    try {
      return await this.#first.associate(options);
    } catch (error) {
      if (!isTrouble(failureOf(error))) throw error;
      return await this.#second.associate(options);
    }
  }

  settled(failure: Failure | undefined): void {
    this.#present().settled(failure);
  }

  async look(deadlineMs: number): Promise<boolean> {
    return (await this.#first.look(deadlineMs / 2)) || (await this.#second.look(deadlineMs / 2));
  }

  hold(onChange: () => void): () => void {
    const ends = [this.#first.hold(onChange), this.#second.hold(onChange)];
    return () => {
      for (const end of ends) end();
    };
  }

  #isLost(): boolean {
    return this.#first.state.health === 'unreachable';
  }

  #present(): Way {
    return this.#isLost() ? this.#second : this.#first;
  }
}
