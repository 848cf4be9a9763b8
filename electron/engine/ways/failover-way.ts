/**
 * A way with a second one behind it, because the profile says so: flows take the first as long as it can be reached.
 *
 * Does: notice a proxy that refuses at once, and one that says nothing within a second or two. Must not: repeat a
 * connection whose destination was refused, take longer than the one deadline for both, or end anywhere but in one of
 * its two chains.
 */
import { failureOf, type Failure } from '#shared/failure.ts';
import type { ChainAssociation, ChainDialled } from '../upstream/chain.ts';
import { withDeadline, type DialOptions } from '../upstream/connection.ts';
import type { Destination } from '../upstream/destination.ts';
import type { AssociateOptions } from '../upstream/udp-associate.ts';
import { isTrouble } from './way-health.ts';
import type { Way, WayState } from './way.ts';

/** Milliseconds without an answer after which the first chain is looked at, and what that look may take. */
const patienceMs = 700;
const lookMs = 1200;

export class FailoverWay implements Way {
  readonly udp: Way['udp'];
  readonly carriesIpv6: boolean;
  readonly egress: string | undefined;
  /** A dial of the pump's cannot be begun again. */
  readonly socks5 = undefined;
  readonly #first: Way;
  readonly #second: Way;

  constructor(first: Way, second: Way) {
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

  dial(destination: Destination, options: DialOptions): Promise<ChainDialled> {
    return this.#either(options, (way, limits) => way.dial(destination, limits));
  }

  associate(options: AssociateOptions): Promise<ChainAssociation> {
    const { onEnd } = options;
    return this.#either(options, (way, limits) =>
      way.associate(onEnd === undefined ? limits : { ...limits, onEnd }),
    );
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

  /** By the first way, or where that proves to be lost by the second, in one deadline. */
  async #either<T>(options: DialOptions, go: (way: Way, limits: DialOptions) => Promise<T>): Promise<T> {
    const limits = withDeadline(options);
    if (this.#isLost()) return go(this.#second, limits);
    const attempt = new AbortController();
    const { signal: ended } = limits;
    const signal = ended === undefined ? attempt.signal : AbortSignal.any([attempt.signal, ended]);
    const patience = setTimeout(() => {
      void this.#first.look(lookMs).then((isThere) => {
        if (!isThere) attempt.abort();
      });
    }, patienceMs);
    try {
      return await go(this.#first, { ...limits, signal });
    } catch (error) {
      if (ended?.aborted === true) throw error;
      if (!attempt.signal.aborted && !isTrouble(failureOf(error))) throw error;
      return await go(this.#second, limits);
    } finally {
      clearTimeout(patience);
    }
  }

  #isLost(): boolean {
    return this.#first.state.health === 'unreachable';
  }

  #present(): Way {
    return this.#isLost() ? this.#second : this.#first;
  }
}
