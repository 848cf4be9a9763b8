/** Splits a byte stream into lines of UTF-8 text, each at most so many bytes long. */
export class LineReader {
  readonly #maxBytes: number;
  readonly #onLine: (line: string) => void;
  #pending: Buffer[] = [];
  #size = 0;

  constructor(maxBytes: number, onLine: (line: string) => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
  }

  /** Takes the next bytes; false when a line has become too long, and nothing more should be pushed. */
  push(bytes: Buffer): boolean {
    let rest = bytes;
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      this.#pending.push(rest.subarray(0, end));
      const line = Buffer.concat(this.#pending).toString('utf8');
      this.#pending = [];
      this.#size = 0;
      rest = rest.subarray(end + 1);
      if (line !== '') this.#onLine(line);
    }
    this.#pending.push(rest);
    this.#size += rest.length;
    return this.#size <= this.#maxBytes;
  }
}
