/**
 * What TLS runs on: a connection as a plain stream below a TLSSocket.
 *
 * Does: pass bytes, back-pressure, half-closes and errors both ways, and break the TLS above when the connection
 * ends before TLS has said its end: somebody cut it off (RFC 8446 §6.1). Node itself would call that a clean end,
 * and given a socket it would read past this. Must not: end with a FIN what was not finished.
 */
import { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

export class Carrier extends Duplex {
  /** TLS has said its end; that of the connection may be under way. */
  hasSaidEnd = false;
  readonly #below: Socket;

  /** Takes the connection over; nobody else reads or writes it from now on. */
  constructor(below: Socket) {
    super({ allowHalfOpen: true });
    this.#below = below;
    below.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) below.pause();
    });
    below.on('end', () => this.push(null));
    below.on('error', (error) => this.destroy(error));
    below.on('close', () => this.destroy());
    below.pause();
  }

  override _read(): void {
    this.#below.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#below.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#below.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const below = this.#below;
    const isFinished = below.writableFinished && (below.readableEnded || this.hasSaidEnd);
    // Only a socket of the system's can be reset; TLS below has a carrier that does.
    if (isFinished || below.destroyed || below instanceof TLSSocket) below.destroy();
    else below.resetAndDestroy();
    done(error);
  }
}

/** The connection ended, and TLS had not. */
export class CutOff extends Error {
  readonly code = 'ECONNRESET';

  constructor() {
    super('the connection ended without TLS saying so');
  }
}
