/**
 * One conversation with a proxy, from the first byte on a connection to its yes or no.
 *
 * Does: turns received bytes into bytes to send and at last into a verdict; no socket, no clock, so that
 * every dialogue can be tested byte by byte and run through another proxy. Must not: keep or drop
 * a byte behind the proxy's answer, which is the app's.
 */

/** What is being waited for: the answer to this. */
export type Stage = 'greeting' | 'sign-in' | 'request';

export interface Dialogue {
  readonly stage: Stage;
  /** Whether the proxy has shown before the present stage that it is one. */
  readonly hasSpoken: boolean;
  /** Begins: the connection to the proxy is open. */
  start(): void;
  /**
   * Takes what the proxy sent. Answers the number of bytes of this chunk that belonged to the dialogue
   * once it has ended with a yes, else undefined. Throws a CulvertError at a no or at nonsense. The chunk
   * is only lent for the call.
   */
  receive(chunk: Buffer): number | undefined;
}

/** How a dialogue sends; called from within `start` and `receive`, or a microtask after them. */
export type Send = (bytes: Buffer) => void;

/** Thrown by a dialogue that now knows what to say, on a new connection. */
export class Again extends Error {
  /** What it is when it has begun again too often. */
  readonly failure: Error;

  constructor(failure: Error) {
    super('the dialogue has to begin again');
    this.failure = failure;
  }
}
