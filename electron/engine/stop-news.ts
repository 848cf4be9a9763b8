/** Whether the app is stopped by a signal, and who wants to know: also one who asks only after it has stopped. */
export class StopNews {
  readonly #listeners = new Set<(signal: number) => void>();
  #signal: number | undefined;

  /** Calls back with each stop, and soon with the present one. */
  listen(listener: (signal: number) => void): void {
    this.#listeners.add(listener);
    const signal = this.#signal;
    if (signal === undefined) return;
    queueMicrotask(() => {
      listener(signal);
    });
  }

  stopped(signal: number): void {
    this.#signal = signal;
    for (const listener of this.#listeners) listener(signal);
  }

  /** It goes on. */
  over(): void {
    this.#signal = undefined;
  }
}
