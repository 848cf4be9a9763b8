/**
 * A beat at the beginning of every second, at the same time for all engines of a user: what is counted then was moved
 * in the second before.
 */
const tickMs = 1000;
/** A beat that comes a little early is not followed by another one for the same second. */
const earlyMs = 200;

export class Tick {
  readonly #work: () => boolean;
  #timer: NodeJS.Timeout | undefined;

  /** `work` answers whether it wants to be called again. */
  constructor(work: () => boolean) {
    this.#work = work;
  }

  get isRunning(): boolean {
    return this.#timer !== undefined;
  }

  start(): void {
    if (this.#timer === undefined) this.#await();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #await(): void {
    const left = tickMs - (Date.now() % tickMs);
    this.#timer = setTimeout(
      () => {
        if (this.#work()) this.#await();
        else this.#timer = undefined;
      },
      left < earlyMs ? left + tickMs : left,
    ).unref();
  }
}
