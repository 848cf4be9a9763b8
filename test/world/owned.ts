/** What someone owns, to be ended in reverse order (AsyncDisposableStack, which Node 20 does not have yet). */

type Disposable = AsyncDisposable | { [Symbol.dispose](): void };

export class Owned implements AsyncDisposable {
  #ends: (() => unknown)[] = [];

  use<T extends Disposable>(thing: T): T {
    this.#ends.push(() =>
      Symbol.asyncDispose in thing ? thing[Symbol.asyncDispose]() : thing[Symbol.dispose](),
    );
    return thing;
  }

  defer(end: () => unknown): void {
    this.#ends.push(end);
  }

  /** Hands everything over to a new owner; this one has nothing left to end. */
  move(): Owned {
    const next = new Owned();
    next.#ends = this.#ends;
    this.#ends = [];
    return next;
  }

  /** Ends everything, also when an end fails; then throws what failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = [];
    for (const end of this.#ends.splice(0).reverse()) {
      try {
        await end();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('; '));
  }
}
