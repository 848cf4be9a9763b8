/** A proxy that does exactly what a test writes down, one script per connection, and then goes away. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { expect } from 'vitest';
import { CulvertError, type Failure } from '#shared/failure.ts';
import { inEnglish } from '#shared/phrase.ts';

/** The proxy's side of one connection. */
export class Conversation {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    for (const event of ['error', 'end', 'close']) socket.on(event, () => this.#wake());
  }

  /** The next `count` bytes; fewer when the other side has gone. */
  async read(count: number): Promise<Buffer> {
    while (this.#received.length < count && !this.socket.readableEnded && !this.socket.destroyed) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const bytes = this.#received.subarray(0, count);
    this.#received = this.#received.subarray(count);
    return bytes;
  }

  /** Everything up to and with the text. */
  async readUntil(text: string): Promise<string> {
    let got = '';
    while (!got.endsWith(text)) {
      const byte = await this.read(1);
      if (byte.length === 0) break;
      got += byte.toString('latin1');
    }
    return got;
  }

  /** Resolves when the bytes have gone to the system. */
  write(bytes: Buffer | string | readonly number[]): Promise<void> {
    const data = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes);
    if (data.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.socket.write(data, () => resolve()));
  }

  /** Waits until the other side has closed or reset. */
  async gone(): Promise<void> {
    while (!this.socket.readableEnded && !this.socket.destroyed) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

export type Script = (client: Conversation) => Promise<void> | void;

/** Runs the test with the port of such a proxy; afterwards all of its connections are ended. */
export async function withProxy<T>(script: Script, test: (port: number) => Promise<T>): Promise<T> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    void script(new Conversation(socket));
  });
  const port = await listen(server);
  try {
    return await test(port);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

export function listen(server: Server, host = '127.0.0.1'): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, host, () => resolve((server.address() as AddressInfo).port));
  });
}

/** What a promise failed with; fails the test when it did not, or with anything that is not ours. */
export async function failureFrom(promise: Promise<unknown>): Promise<Failure> {
  try {
    await promise;
  } catch (error) {
    expect(error).toBeInstanceOf(CulvertError);
    const { phrase, ...failure } = (error as CulvertError).failure;
    // A detail that is ours to say is its phrase in English.
    if (phrase !== undefined) expect(inEnglish(phrase)).toBe(failure.detail);
    return failure;
  }
  throw new Error('it succeeded, and should have failed');
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export const greeted = [5, 0] as const;
export const granted = [5, 0, 0, 1, 127, 0, 0, 1, 0, 80] as const;

/** A SOCKS5 proxy without sign-in up to its answer, which the script gives; for IPv4 destinations. */
export function afterRequest(answer: Script): Script {
  return async (client) => {
    await client.read(3);
    await client.write(greeted);
    await client.read(10);
    await answer(client);
  };
}
