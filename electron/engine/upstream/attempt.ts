/**
 * One connection through any number of servers, from nothing to "everything from here on is the app's".
 *
 * Does: own the connection, the one deadline (S48), the servers' own limits and every listener until that point; on
 * success it gives the connection away unread, on failure nothing of it is left. Must not: read further once
 * the last dialogue has ended, or send a byte to a server before TLS has said who it is.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { phrase, type Phrase } from '#shared/phrase.ts';
import {
  closed,
  late,
  remainingMs,
  unreachable,
  whileAt,
  type Dialled,
  type DialOptions,
  type Peer,
} from './connection.ts';
import type { Dialogue, Send } from './dialogue.ts';
import { Opening } from './opening.ts';
import { refusalOf, secure, tlsDefect, type Demand } from './secure.ts';
import { surplusBytes } from './socks5-answers.ts';

/** One server on the way: who it is and what is said to it. */
export interface Leg {
  readonly peer: Peer;
  /** TLS, and whom it must show. */
  readonly demand?: Demand;
  /** Nothing is said to a destination that is dialled directly. */
  readonly dialogueFor?: (send: Send) => Dialogue;
  /** Milliseconds for connecting to it (the first one only), TLS and its dialogue. */
  readonly limitMs?: number;
  /** The limit ends when the last request is out: what is then waited for is beyond the server. */
  readonly isLimitBeforeRequest?: boolean;
}

/** Where and why an attempt ended without a connection. */
export interface Stumble {
  /** A CulvertError, the reason of the signal, or what a dialogue threw. */
  readonly reason: unknown;
  /** Which leg. */
  readonly at: number;
  /** `connection`, `TLS`, or the stage of the dialogue. */
  readonly stage: string;
  /** Whether that server had said something sensible before. */
  readonly hasSpoken: boolean;
}

export type Outcome =
  { readonly ok: true; readonly dialled: Dialled } | { readonly ok: false; readonly stumble: Stumble };

const nothing = Buffer.alloc(0);

/** Connects and has the dialogues, in the order of the legs, of which there is at least one. Never rejects. */
export function attempt(legs: readonly Leg[], options: DialOptions = {}): Promise<Outcome> {
  return new Promise((resolve) => new Attempt(legs, options, resolve).begin());
}

/** The same with a connection as the answer. Rejects with a CulvertError or the signal's reason. */
export async function connect(leg: Leg, options?: DialOptions): Promise<Dialled> {
  const outcome = await attempt([leg], options);
  if (outcome.ok) return outcome.dialled;
  throw outcome.stumble.reason;
}

class Attempt {
  readonly #legs: readonly Leg[];
  readonly #signal: AbortSignal | undefined;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #opening: Opening;
  readonly #totalMs: number;
  readonly #timer: NodeJS.Timeout;
  #limit: NodeJS.Timeout | undefined;
  #dialogues: readonly (Dialogue | undefined)[] = [];
  #at = 0;
  #stage: 'connection' | 'TLS' | 'dialogue' = 'connection';
  /** The outermost TLS, once it has begun; over `#socket`. */
  #secured: TLSSocket | undefined;
  #socket: Socket | undefined;
  #isOver = false;

  constructor(legs: readonly Leg[], options: DialOptions, resolve: (outcome: Outcome) => void) {
    this.#legs = legs;
    this.#signal = options.signal;
    this.#resolve = resolve;
    this.#totalMs = remainingMs(options);
    this.#timer = setTimeout(() => this.#late(this.#totalMs), this.#totalMs);
    this.#opening = new Opening(this.#leg.peer, options.socketFor, {
      onOpen: (socket) => this.#onOpen(socket),
      onFail: (error) => this.#onUnreachable(error),
      onRead: (socket, chunk) => this.#onRead(socket, chunk),
    });
  }

  begin(): void {
    try {
      // All of them before anything is connected: what cannot be asked for need not be dialled.
      this.#dialogues = this.#legs.map((leg, at) => {
        this.#at = at;
        return leg.dialogueFor?.((bytes) => this.#send(bytes));
      });
      this.#at = 0;
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (this.#signal?.aborted === true) {
      this.#onAbort();
      return;
    }
    this.#signal?.addEventListener('abort', this.#onAbort);
    this.#startLimit();
    this.#opening.begin();
  }

  get #leg(): Leg {
    const leg = this.#legs[this.#at];
    if (leg === undefined) throw new Error('an attempt without a leg');
    return leg;
  }

  #onOpen(socket: Socket): void {
    this.#socket = socket;
    socket.on('error', this.#onError);
    socket.on('end', this.#onEnd);
    this.#enter();
  }

  /** The connection reaches the present server: TLS first where it is wanted, then the dialogue. */
  #enter(): void {
    const { demand } = this.#leg;
    if (demand === undefined) this.#talk();
    else this.#secure(demand);
  }

  #secure(demand: Demand): void {
    const below = this.#secured ?? this.#socket;
    if (below === undefined) return;
    this.#stage = 'TLS';
    this.#unlisten(below);
    const secured = secure(below, demand);
    this.#secured = secured;
    secured.on('error', this.#onError);
    secured.on('end', this.#onEnd);
    secured.once('secureConnect', () => {
      if (this.#isOver) return;
      const refusal = refusalOf(secured, demand);
      if (refusal !== undefined) {
        this.#fail(refusal);
        return;
      }
      secured.on('data', this.#onData);
      this.#talk();
    });
  }

  #talk(): void {
    this.#stage = 'dialogue';
    const dialogue = this.#dialogues[this.#at];
    if (dialogue === undefined) {
      this.#succeed(nothing);
      return;
    }
    dialogue.start();
    this.#endLimitAtRequest();
  }

  /** Answers whether to read on. Below TLS it feeds the stream. */
  #onRead(socket: Socket, chunk: Buffer): boolean {
    if (this.#secured !== undefined) return socket.push(Buffer.from(chunk));
    return this.#receive(chunk);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#receive(chunk);
  };

  /** Gives the bytes to the dialogue, and what it leaves to the next one. Answers whether more is wanted at once. */
  #receive(chunk: Buffer): boolean {
    try {
      let rest = chunk;
      for (;;) {
        const used = this.#dialogues[this.#at]?.receive(rest);
        if (used === undefined) {
          this.#endLimitAtRequest();
          return true;
        }
        rest = rest.subarray(used);
        if (this.#at === this.#legs.length - 1) {
          this.#succeed(Buffer.from(rest));
          return false;
        }
        this.#at += 1;
        this.#startLimit();
        if (this.#leg.demand !== undefined && rest.length > 0) throw surplusBytes();
        this.#enter();
        if (this.#leg.demand !== undefined) return false;
        if (rest.length === 0) return true;
      }
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #send(bytes: Buffer): void {
    if (!this.#isOver) (this.#secured ?? this.#socket)?.write(bytes);
  }

  #startLimit(): void {
    clearTimeout(this.#limit);
    const { limitMs } = this.#leg;
    if (limitMs !== undefined) this.#limit = setTimeout(() => this.#late(limitMs), limitMs);
  }

  #endLimitAtRequest(): void {
    if (this.#leg.isLimitBeforeRequest === true && this.#dialogues[this.#at]?.stage === 'request')
      clearTimeout(this.#limit);
  }

  readonly #onEnd = (): void => {
    this.#fail(closed(undefined, this.#during()));
  };

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    const defect = this.#stage === 'TLS' ? tlsDefect(error) : undefined;
    this.#fail(defect ?? closed(error.code ?? 'failed', this.#during()));
  };

  #onUnreachable(error: unknown): void {
    const { code, syscall } = error as NodeJS.ErrnoException;
    // Everything that Node says of a connection has a system call; the rest is the socket maker's own.
    this.#fail(syscall === undefined ? error : unreachable(this.#leg.peer, code ?? ''));
  }

  #late(ms: number): void {
    this.#fail(late(this.#leg.peer, ms, this.#during()));
  }

  readonly #onAbort = (): void => {
    this.#fail(this.#signal?.reason);
  };

  #during(): Phrase {
    const { peer } = this.#leg;
    if (this.#stage === 'TLS') return phrase('connection.while-tls');
    if (this.#stage === 'connection') return whileAt(peer, undefined);
    return whileAt(peer, this.#dialogues[this.#at]?.stage);
  }

  #succeed(early: Buffer): void {
    const socket = this.#socket;
    const secured = this.#secured;
    this.#release();
    if (secured !== undefined) {
      secured.pause();
      this.#resolve({ ok: true, dialled: { kind: 'stream', socket: secured, early } });
    } else if (socket !== undefined) {
      socket.pause();
      this.#resolve({ ok: true, dialled: { kind: 'socket', socket, early } });
    }
  }

  #fail(reason: unknown): void {
    if (this.#isOver) return;
    const stumble = { reason, at: this.#at, stage: this.#stageName(), hasSpoken: this.#hasSpoken() };
    this.#release();
    this.#opening.cancel();
    const socket = this.#socket;
    for (const stream of [this.#secured, socket]) stream?.on('error', ignore);
    // A reset leaves no local port behind in TIME_WAIT.
    if (socket?.destroyed === false) socket.resetAndDestroy();
    this.#secured?.destroy();
    this.#resolve({ ok: false, stumble });
  }

  #stageName(): Stumble['stage'] {
    if (this.#stage !== 'dialogue') return this.#stage;
    return this.#dialogues[this.#at]?.stage ?? 'connection';
  }

  /** One with TLS has shown itself before its dialogue. */
  #hasSpoken(): boolean {
    if (this.#stage !== 'dialogue') return false;
    return this.#leg.demand !== undefined || this.#dialogues[this.#at]?.hasSpoken === true;
  }

  #release(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#limit);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    for (const stream of [this.#socket, this.#secured]) if (stream !== undefined) this.#unlisten(stream);
    this.#dialogues = [];
    this.#opening.leave();
  }

  #unlisten(stream: Socket): void {
    stream.off('error', this.#onError);
    stream.off('end', this.#onEnd);
    stream.off('data', this.#onData);
  }
}

function ignore(): void {}
