/**
 * A resolver at the far end of a stream, usually through the proxy.
 *
 * Does: keeps one connection, sends queries over it without waiting for answers (RFC 7766 §6.2.1), makes a
 * new one when the server closed it, and asks again what was under way, once.
 * Must not: connect anywhere itself (`connect` is given), or answer with anything but a message with the id
 * and the question that were sent.
 */
import { randomInt } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { CulvertError } from '#shared/failure.ts';
import type { CacheOptions } from './cache.ts';
import { forwardedQuery } from './message.ts';
import type { Query } from './message.ts';
import { CachingResolver, checkAnswer, defaultDeadlineMs } from './resolver.ts';
import type { Checked, Exchange } from './resolver.ts';
import { frame, FrameReader } from './stream.ts';

export interface StreamExchangeOptions {
  /**
   * A stream to the resolver, ready to be written to; called again whenever a new one is needed. Has to
   * settle within a time of its own, as there is only ever one attempt at once.
   */
  readonly connect: () => Promise<Duplex>;
  readonly deadlineMs?: number;
  /** Milliseconds for which an unused connection is kept. */
  readonly idleMs?: number;
}

/** Asks one resolver through the chain and caches what it says. */
export class RemoteResolver extends CachingResolver {
  constructor(options: StreamExchangeOptions & CacheOptions) {
    super(new StreamExchange(options), options);
  }
}

interface Pending {
  readonly id: number;
  readonly query: Query;
  readonly deadline: NodeJS.Timeout;
  readonly resolve: (answer: Checked) => void;
  readonly reject: (error: CulvertError) => void;
  /** The connection on which it was last sent; undefined while it waits for one. */
  link: Link | undefined;
  /** `Link.heard` when it was sent. */
  heardBefore: number;
  hasBeenRepeated: boolean;
}

interface Link {
  readonly stream: Duplex;
  /** Chunks that have come so far. */
  heard: number;
}

export class StreamExchange implements Exchange {
  readonly #connect: () => Promise<Duplex>;
  readonly #deadlineMs: number;
  readonly #idleMs: number;
  readonly #pending = new Map<number, Pending>();
  #link: Link | undefined;
  #isConnecting = false;
  #isClosed = false;
  #idle: NodeJS.Timeout | undefined;

  constructor(options: StreamExchangeOptions) {
    this.#connect = options.connect;
    this.#deadlineMs = options.deadlineMs ?? defaultDeadlineMs;
    this.#idleMs = options.idleMs ?? 10_000;
  }

  ask(query: Query): Promise<Checked> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed || this.#pending.size >= 0x8000) {
        reject(failed(this.#isClosed ? 'closed' : 'too many queries under way'));
        return;
      }
      clearTimeout(this.#idle);
      const id = this.#freeId();
      const deadline = setTimeout(() => {
        this.#expire(pending);
      }, this.#deadlineMs);
      const pending: Pending = {
        id,
        query,
        deadline,
        resolve,
        reject,
        link: undefined,
        heardBefore: 0,
        hasBeenRepeated: false,
      };
      this.#pending.set(id, pending);
      this.#send(pending);
    });
  }

  close(): void {
    this.#isClosed = true;
    for (const pending of this.#pending.values()) this.#fail(pending, 'closed');
    clearTimeout(this.#idle);
    this.#link?.stream.destroy();
  }

  #freeId(): number {
    for (;;) {
      const id = randomInt(0x1_0000);
      if (!this.#pending.has(id)) return id;
    }
  }

  #send(pending: Pending): void {
    const link = this.#link;
    if (link === undefined || link.stream.destroyed) {
      void this.#open();
      return;
    }
    pending.link = link;
    pending.heardBefore = link.heard;
    link.stream.write(frame(forwardedQuery(pending.query, pending.id)));
  }

  async #open(): Promise<void> {
    if (this.#isConnecting) return;
    this.#isConnecting = true;
    try {
      const stream = await this.#connect();
      this.#isConnecting = false;
      this.#adopt(stream);
    } catch (error) {
      this.#isConnecting = false;
      const reason = error instanceof Error ? error.message : String(error);
      for (const pending of this.#waiting(undefined)) this.#fail(pending, reason);
    }
  }

  #adopt(stream: Duplex): void {
    const link: Link = { stream, heard: 0 };
    stream.on('error', () => {
      // `close` follows.
    });
    if (this.#isClosed) {
      stream.destroy();
      return;
    }
    const reader = new FrameReader();
    stream.on('data', (chunk: Buffer) => {
      link.heard += 1;
      reader.push(chunk);
      for (let message = reader.next(); message !== undefined; message = reader.next()) this.#take(message);
    });
    stream.on('end', () => stream.destroy());
    stream.on('close', () => {
      this.#lose(link);
    });
    this.#link = link;
    for (const pending of this.#waiting(undefined)) this.#send(pending);
    this.#rest();
    if (stream.destroyed) this.#lose(link);
    // A dialler may hand its stream over paused, so that nothing is lost on the way.
    else stream.resume();
  }

  #waiting(link: Link | undefined): Pending[] {
    return [...this.#pending.values()].filter((pending) => pending.link === link);
  }

  /** An answer; one that came too late, or to something else than was asked, is nobody's. */
  #take(message: Buffer): void {
    const pending = message.length < 2 ? undefined : this.#pending.get(message.readUInt16BE(0));
    if (pending === undefined) return;
    const answer = checkAnswer(message, pending.id, pending.query.question);
    if (answer === undefined) return;
    this.#settle(pending);
    pending.resolve(answer);
  }

  /** The server has closed: what it did not answer is asked once more on a new connection. */
  #lose(link: Link): void {
    if (this.#link === link) this.#link = undefined;
    for (const pending of this.#waiting(link)) {
      if (pending.hasBeenRepeated) {
        this.#fail(pending, 'the resolver closed the connection twice');
      } else {
        pending.hasBeenRepeated = true;
        pending.link = undefined;
        this.#send(pending);
      }
    }
  }

  /** No answer in time. A connection on which nothing at all came meanwhile is given up with it. */
  #expire(pending: Pending): void {
    const { link, heardBefore } = pending;
    this.#fail(pending, 'the resolver did not answer in time');
    if (link?.heard === heardBefore) link.stream.destroy();
  }

  #fail(pending: Pending, reason: string): void {
    this.#settle(pending);
    pending.reject(failed(reason));
  }

  #settle(pending: Pending): void {
    clearTimeout(pending.deadline);
    this.#pending.delete(pending.id);
    this.#rest();
  }

  #rest(): void {
    clearTimeout(this.#idle);
    if (this.#pending.size > 0 || this.#isClosed) return;
    this.#idle = setTimeout(() => this.#link?.stream.destroy(), this.#idleMs);
  }
}

function failed(detail: string): CulvertError {
  return new CulvertError('dns-failed', { step: 'resolver', detail });
}
