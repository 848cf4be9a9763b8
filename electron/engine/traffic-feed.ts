/**
 * How many bytes the lanes have moved, second by second, for those who look; and the last minute of it, so that who
 * looks again has missed nothing. Plain: no clock, no counting.
 */
import type { TrafficEvent } from '#shared/engine-protocol.ts';

/** A minute of rates is what lies between so many figures. */
const keptEvents = 61;

type Listener = (event: TrafficEvent) => void;

export class TrafficFeed {
  readonly #listeners = new Set<Listener>();
  #past: TrafficEvent[] = [];

  /** The figures of this second. */
  add(event: TrafficEvent): void {
    this.#past.push(event);
    if (this.#past.length > keptEvents) this.#past.shift();
    for (const listener of this.#listeners) listener(event);
  }

  /** No lane is left, and nothing of the past is of one that will be there. */
  forget(): void {
    this.#past = [];
  }

  /** Tells each second from now on until `stop` is called; `past` is the last minute, oldest first. */
  watch(listener: Listener): { readonly past: TrafficEvent[]; readonly stop: () => void } {
    this.#listeners.add(listener);
    return {
      past: [...this.#past],
      stop: () => {
        this.#listeners.delete(listener);
      },
    };
  }
}
