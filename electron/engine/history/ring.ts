/**
 * Bytes up and down in buckets of one length, of which the newest are kept. Buckets are numbered from the epoch on.
 * Pure. Must not: lose a byte that it was given while its bucket is kept.
 */
export class Ring {
  readonly #length: number;
  readonly #up: Float64Array;
  readonly #down: Float64Array;
  #newest: number | undefined;
  /** What numbers have been moved by since the places were given out. */
  #moved = 0;

  constructor(length: number) {
    this.#length = length;
    this.#up = new Float64Array(length);
    this.#down = new Float64Array(length);
  }

  /** Adds to a bucket; to the oldest one, where the bucket itself is no longer kept. */
  add(number: number, up: number, down: number): void {
    this.#reach(number);
    const place = this.#place(Math.max(number, (this.#newest ?? number) - this.#length + 1));
    this.#up[place] = (this.#up[place] ?? 0) + up;
    this.#down[place] = (this.#down[place] ?? 0) + down;
  }

  /** The buckets from `first` on; zero for those that are not kept. */
  read(first: number, count: number): { up: number[]; down: number[] } {
    const newest = this.#newest ?? -Infinity;
    const values = (of: Float64Array): number[] =>
      Array.from({ length: count }, (_, index) => {
        const number = first + index;
        return number > newest || number <= newest - this.#length ? 0 : (of[this.#place(number)] ?? 0);
      });
    return { up: values(this.#up), down: values(this.#down) };
  }

  /** Adds all that another ring of the same length has. */
  absorb(other: Ring): void {
    if (other.#newest === undefined) return;
    const first = other.#newest - other.#length + 1;
    const { up, down } = other.read(first, other.#length);
    this.#reach(other.#newest);
    for (const [index, bytes] of up.entries()) {
      const back = down[index] ?? 0;
      if (bytes > 0 || back > 0) this.add(first + index, bytes, back);
    }
  }

  /** The clock was wrong by so many buckets: what was written down belongs so much later. */
  move(buckets: number): void {
    this.#moved += buckets;
    if (this.#newest !== undefined) this.#newest += buckets;
  }

  /** Makes `number` a bucket that is kept, if it is later than those that are. */
  #reach(number: number): void {
    const newest = this.#newest;
    if (newest !== undefined && number <= newest) return;
    this.#newest = number;
    if (newest === undefined || number - newest >= this.#length) {
      this.#up.fill(0);
      this.#down.fill(0);
      return;
    }
    for (let between = newest + 1; between <= number; between += 1) {
      const place = this.#place(between);
      this.#up[place] = 0;
      this.#down[place] = 0;
    }
  }

  #place(number: number): number {
    const place = (number - this.#moved) % this.#length;
    return place < 0 ? place + this.#length : place;
  }
}
