/**
 * DNS over TCP: messages behind a length of two bytes (RFC 1035 §4.2.2, RFC 7766).
 *
 * Does: cuts a stream into messages wherever its chunks begin and end; serves a client's stream with many
 * queries under way at once, answered in the order in which answers are there.
 * Must not: hold more than one incomplete message and what has been read ahead, or keep a stream on which
 * nothing has moved for a while.
 */
import type { Duplex } from 'node:stream';

/** Takes chunks, gives messages. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #bytes = 0;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** The next whole message, without its length, or undefined until more has come. */
  next(): Buffer | undefined {
    if (this.#bytes < 2) return undefined;
    const end = 2 + this.#length();
    if (this.#bytes < end) return undefined;
    const joined = this.#join();
    this.#chunks = end < joined.length ? [joined.subarray(end)] : [];
    this.#bytes -= end;
    return joined.subarray(2, end);
  }

  #length(): number {
    if ((this.#chunks[0]?.length ?? 0) < 2) this.#join();
    return this.#chunks[0]?.readUInt16BE(0) ?? 0;
  }

  /** One buffer of all chunks: made for a length that was cut in two, and then for each whole message. */
  #join(): Buffer {
    const [first, ...others] = this.#chunks;
    if (first !== undefined && others.length === 0) return first;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }
}

/** A message with its length in front. Throws a RangeError above 65,535 bytes. */
export function frame(message: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(2 + message.length);
  framed.writeUInt16BE(message.length, 0);
  message.copy(framed, 2);
  return framed;
}

/** Who answers; `DnsService` is one. */
export interface Answerer {
  handle(message: Buffer, transport: 'tcp'): Promise<Buffer | undefined>;
}

export interface StreamOptions {
  /** Milliseconds without a whole query or a written answer until the stream is closed (RFC 7766 §6.2.3). */
  readonly idleMs?: number;
  /** Queries of this stream under way; more are not read until one is answered. */
  readonly maxOutstanding?: number;
}

/**
 * Serves a client's stream until it ends, fails or idles; takes care of its errors. When the client has
 * ended its side, what it asked before is still answered.
 */
export function serveStream(stream: Duplex, answerer: Answerer, options: StreamOptions = {}): void {
  const idleMs = options.idleMs ?? 30_000;
  const maxOutstanding = options.maxOutstanding ?? 64;
  const reader = new FrameReader();
  let outstanding = 0;
  let hasEnded = false;
  const idle = setTimeout(() => stream.destroy(), idleMs);

  const serve = (): void => {
    while (outstanding < maxOutstanding) {
      const query = reader.next();
      if (query === undefined) break;
      outstanding += 1;
      idle.refresh();
      void answerer.handle(query, 'tcp').then(reply);
    }
    if (outstanding >= maxOutstanding) stream.pause();
    else if (stream.isPaused()) stream.resume();
    if (hasEnded && outstanding === 0) stream.end();
  };
  const settled = (): void => {
    outstanding -= 1;
    if (stream.destroyed) return;
    idle.refresh();
    serve();
  };
  const reply = (answer: Buffer | undefined): void => {
    if (answer === undefined || !stream.writable) settled();
    // Counted until it is written, so that a client that does not read stops being read from.
    else stream.write(frame(answer), settled);
  };

  stream.on('data', (chunk: Buffer) => {
    reader.push(chunk);
    serve();
  });
  stream.on('end', () => {
    hasEnded = true;
    serve();
  });
  stream.on('error', () => {
    // The client reset its stream; `close` follows.
  });
  stream.on('close', () => {
    clearTimeout(idle);
  });
}
