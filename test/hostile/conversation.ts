/** The proxy's end of one connection, as a script sees it. */
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** What an app is answered through a proxy that works in the end, whatever it asks. */
export const page = 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nit works\n';

/** Ends a script whose client has gone. */
export class Gone extends Error {}

export class Conversation {
  readonly socket: Socket;
  #held = Buffer.alloc(0);
  #hasEnded = false;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes) => {
      this.#held = Buffer.concat([this.#held, bytes]);
      this.#wake?.();
    });
    for (const event of ['end', 'error', 'close'] as const) {
      socket.on(event, () => {
        this.#hasEnded = true;
        this.#wake?.();
      });
    }
  }

  /** Resolves with exactly `count` bytes; rejects with `Gone` when fewer will ever come. */
  async read(count: number): Promise<Buffer> {
    await this.#until(() => this.#held.length >= count);
    const bytes = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return bytes;
  }

  /** Resolves with everything up to and with the mark. */
  async readTo(mark: string): Promise<Buffer> {
    await this.#until(() => this.#held.includes(mark));
    return this.read(this.#held.indexOf(mark) + mark.length);
  }

  async write(bytes: Uint8Array | string): Promise<void> {
    if (this.#hasEnded) throw new Gone();
    await new Promise<void>((resolve) => this.socket.write(bytes, () => resolve()));
  }

  /** A byte at a time, with a pause before each. */
  async trickle(bytes: Uint8Array, everyMs: number): Promise<void> {
    for (const byte of bytes) {
      await delay(everyMs);
      await this.write(Uint8Array.of(byte));
    }
  }

  /** As fast as they are taken, until the client goes. */
  async flood(bytes: Uint8Array): Promise<never> {
    for (;;) await this.write(bytes);
  }

  /** Says nothing more and keeps the connection until the client goes. */
  async hold(): Promise<never> {
    await this.#until(() => false);
    throw new Gone();
  }

  end(bytes: Uint8Array | string = ''): void {
    this.socket.end(bytes);
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** What is behind the proxy: any request is answered with the page. */
  async servePage(): Promise<void> {
    await this.read(1);
    this.end(page);
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.#hasEnded) throw new Gone();
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
