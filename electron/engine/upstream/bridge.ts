/**
 * A stream of this process as a descriptor, for the native pump: one end of a pair of connected sockets, over whose
 * other end the bytes are carried here.
 *
 * Does: carry both directions with their back-pressure, a half-close as a half-close, and what is broken as broken.
 * Must not: close the near end while the pump has the far one and may still take that for a clean end.
 */
import { closeSync } from 'node:fs';
import { Socket, type SocketConstructorOpts } from 'node:net';
import type { Duplex } from 'node:stream';

export interface BridgeOptions {
  /** Two connected stream sockets, non-blocking and close-on-exec. */
  readonly socketPair: () => [number, number];
  /** Takes the far end: duplicates the descriptor, which is closed right afterwards. May throw. */
  readonly join: (descriptor: number) => void;
  /**
   * The stream broke: the owner resets the flow and thereby closes its end. Until then the near end stays open, so
   * that nothing looks like an end before.
   */
  readonly onBroken: (error: Error) => void;
}

const probe = Buffer.alloc(0);

/**
 * Carries a paused stream from now on, until both sides have ended or one is broken. Throws what `socketPair` and
 * `join` throw, the stream destroyed.
 */
export function bridge(stream: Duplex, { socketPair, join, onBroken }: BridgeOptions): void {
  let near: Socket;
  try {
    const [nearEnd, farEnd] = socketPair();
    // The typings know `manualStart` only at the server, which hands it to this constructor.
    const options: SocketConstructorOpts & { manualStart: true } = {
      fd: nearEnd,
      readable: true,
      writable: true,
      allowHalfOpen: true,
      manualStart: true,
    };
    near = new Socket(options);
    giveAway(farEnd, near, join);
  } catch (error) {
    stream.on('error', ignore).destroy();
    throw error;
  }
  new Bridge(stream, near, onBroken).begin();
}

/** The descriptor is closed here whether it was taken or not. */
function giveAway(farEnd: number, near: Socket, join: (descriptor: number) => void): void {
  try {
    join(farEnd);
  } catch (error) {
    near.destroy();
    throw error;
  } finally {
    closeSync(farEnd);
  }
}

class Bridge {
  readonly #stream: Duplex;
  readonly #near: Socket;
  readonly #onBroken: (error: Error) => void;
  #hasStreamEnded = false;
  #isBroken = false;

  constructor(stream: Duplex, near: Socket, onBroken: (error: Error) => void) {
    this.#stream = stream;
    this.#near = near;
    this.#onBroken = onBroken;
  }

  begin(): void {
    const stream = this.#stream;
    const near = this.#near;
    stream.on('data', (chunk: Buffer) => {
      if (!this.#isBroken && !near.write(chunk)) stream.pause();
    });
    near.on('drain', () => stream.resume());
    stream.on('end', () => {
      this.#hasStreamEnded = true;
      if (!this.#isBroken) near.end();
    });
    stream.on('error', (error) => this.#broke(error));
    stream.on('close', () => this.#onStreamClose());
    near.on('data', (chunk: Buffer) => {
      if (!this.#isBroken && !stream.write(chunk)) near.pause();
    });
    stream.on('drain', () => near.resume());
    near.on('end', () => this.#onNearEnd());
    // The far end was closed with bytes in it, or before it took ours.
    near.on('error', () => this.#giveUp());
    near.on('close', () => {
      if (!this.#hasStreamEnded || !stream.writableEnded) this.#giveUp();
    });
    near.resume();
    stream.resume();
  }

  /**
   * The far end was shut down, or closed altogether because the app's connection was reset. A write of no bytes
   * tells which: it fails when nobody can read any more (unix(7)). Behind the stream's own end there is no telling.
   */
  #onNearEnd(): void {
    if (this.#isBroken) this.#near.destroy();
    else if (this.#near.writableEnded) this.#stream.end();
    else {
      this.#near.write(probe, (error) => {
        if (error instanceof Error) this.#giveUp();
        else this.#stream.end();
      });
    }
  }

  /** The far end is closed: the flow is over, and there is nobody to tell that the stream is. */
  #giveUp(): void {
    this.#isBroken = true;
    this.#near.destroy();
    this.#stream.destroy();
  }

  #broke(error: Error): void {
    const near = this.#near;
    if (this.#isBroken || near.destroyed || (near.readableEnded && near.writableEnded)) return;
    this.#isBroken = true;
    // Bytes that come are dropped; they are read only to see the far end's end.
    near.resume();
    this.#onBroken(error);
  }

  /** Closed without an error and without both ends: somebody here destroyed it. */
  #onStreamClose(): void {
    if (this.#hasStreamEnded && this.#stream.writableFinished) return;
    this.#broke(new Error('the stream was closed'));
  }
}

function ignore(): void {}
