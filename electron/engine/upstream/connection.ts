/**
 * One TCP connection from the host namespace, from nothing to "everything from here on is the app's".
 *
 * Does: own the socket, the one deadline (S48) and every listener until that point; on success it gives the
 * socket away unread, on failure nothing of it is left. Must not: read further once the dialogue has ended.
 * The socket reads into a buffer of ours (`onread`) because only then does Node stop at once: an ordinary
 * stream would go on filling its own buffer, and the native pump would miss those bytes.
 */
import { Socket } from 'node:net';
import type { OnReadOpts, SocketConstructorOpts, TcpSocketConnectOpts } from 'node:net';
import { CulvertError, type FailureCode } from '#shared/failure.ts';
import type { Destination } from './destination.ts';
import { authorityOf } from './destination.ts';
import type { Dialogue, Send } from './dialogue.ts';
import { ProxyNames } from './names.ts';

/** What a dial may take; the deadline is the whole of it, names, connecting and dialogue together. */
export interface DialOptions {
  /** Milliseconds from now; 15,000 when neither is given. */
  readonly deadlineMs?: number;
  /** On the clock of `now`; takes precedence. */
  readonly deadlineAt?: number;
  /** Milliseconds, monotonic; `performance.now` when not given. */
  readonly now?: () => number;
  readonly signal?: AbortSignal;
}

/** `kind` tells whether the connection is a socket of the kernel's own or, as behind TLS, a stream of this process. */
export interface Dialled {
  readonly kind: 'socket' | 'stream';
  /**
   * Connected, not reading, without a listener of ours, half-open allowed. For the pump as it is; for
   * JavaScript `unshift(early)`, then `resume()` and it is an ordinary stream.
   */
  readonly socket: Socket;
  /** What the other side has said to the app so far. */
  readonly early: Buffer;
}

/** Whom to connect to, and how failures to reach it are called. */
export interface Peer extends Destination {
  readonly unreachable: FailureCode;
  readonly timeout: FailureCode;
}

export const defaultDeadlineMs = 15_000;

/** Read by all sockets in turn: libuv reads and calls back at once, and nobody keeps a part of it. */
const scratch = Buffer.allocUnsafeSlow(16 * 1024);
const nothing = Buffer.alloc(0);
const proxyNames = new ProxyNames();

/** Connects and has the dialogue, if one is wanted. Rejects with a CulvertError or the signal's reason. */
export function connect(
  peer: Peer,
  dialogueFor: ((send: Send) => Dialogue) | undefined,
  options: DialOptions = {},
): Promise<Dialled> {
  return new Promise((resolve, reject) => {
    new Attempt(peer, options, resolve, reject).begin(dialogueFor);
  });
}

class Attempt {
  readonly #peer: Peer;
  readonly #signal: AbortSignal | undefined;
  readonly #resolve: (dialled: Dialled) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #socket: Socket;
  readonly #timer: NodeJS.Timeout;
  readonly #totalMs: number;
  #dialogue: Dialogue | undefined;
  #isConnected = false;
  #isOver = false;

  constructor(
    peer: Peer,
    options: DialOptions,
    resolve: (dialled: Dialled) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#peer = peer;
    this.#signal = options.signal;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#totalMs = remainingMs(options);
    this.#timer = setTimeout(this.#onDeadline, this.#totalMs);
    // The typings know `onread` only at `net.connect`, which hands it to this constructor.
    const socketOptions: SocketConstructorOpts & { onread: OnReadOpts } = {
      allowHalfOpen: true,
      onread: { buffer: scratch, callback: (count) => this.#onRead(count) },
    };
    this.#socket = new Socket(socketOptions);
  }

  begin(dialogueFor: ((send: Send) => Dialogue) | undefined): void {
    try {
      this.#dialogue = dialogueFor?.((bytes) => this.#send(bytes));
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (this.#signal?.aborted === true) {
      this.#onAbort();
      return;
    }
    this.#signal?.addEventListener('abort', this.#onAbort);
    this.#socket.on('connect', this.#onConnect);
    this.#socket.on('error', this.#onError);
    this.#socket.on('end', this.#onEnd);
    this.#socket.connect(connectOptions(this.#peer));
  }

  readonly #onConnect = (): void => {
    this.#isConnected = true;
    if (this.#dialogue === undefined) this.#succeed(nothing);
    else this.#dialogue.start();
  };

  /** Answers whether to read on. Once the socket belongs to somebody else it feeds the stream. */
  #onRead(count: number): boolean {
    const chunk = scratch.subarray(0, count);
    if (this.#isOver) return this.#socket.push(Buffer.from(chunk));
    try {
      const used = this.#dialogue?.receive(chunk);
      if (used === undefined) return true;
      this.#succeed(Buffer.from(chunk.subarray(used)));
    } catch (error) {
      this.#fail(error);
    }
    return false;
  }

  #send(bytes: Buffer): void {
    if (!this.#isOver) this.#socket.write(bytes);
  }

  readonly #onEnd = (): void => {
    this.#fail(closed(undefined, this.#stage()));
  };

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    if (this.#isConnected) {
      this.#fail(closed(error.code ?? 'failed', this.#stage()));
      return;
    }
    if (this.#peer.kind === 'name') proxyNames.forget(this.#peer.host);
    this.#fail(unreachable(this.#peer, error.code ?? ''));
  };

  readonly #onDeadline = (): void => {
    this.#fail(late(this.#peer, this.#totalMs, this.#stage()));
  };

  readonly #onAbort = (): void => {
    this.#fail(this.#signal?.reason);
  };

  #stage(): string {
    return whileAt(this.#peer, this.#isConnected ? (this.#dialogue?.stage ?? 'connection') : undefined);
  }

  #succeed(early: Buffer): void {
    this.#release();
    this.#socket.pause();
    this.#resolve({ kind: 'socket', socket: this.#socket, early });
  }

  #fail(reason: unknown): void {
    if (this.#isOver) return;
    this.#release();
    // Errors of a socket that is being given up tell nothing more.
    this.#socket.on('error', ignore);
    // A reset leaves no local port behind in TIME_WAIT; while connecting, Node would wait for the end of that.
    if (this.#isConnected && !this.#socket.destroyed) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
    this.#reject(reason);
  }

  #release(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#socket.off('connect', this.#onConnect);
    this.#socket.off('error', this.#onError);
    this.#socket.off('end', this.#onEnd);
    this.#dialogue = undefined;
  }
}

function remainingMs({ deadlineAt, deadlineMs = defaultDeadlineMs, now = monotonic }: DialOptions): number {
  return Math.max(0, Math.round(deadlineAt === undefined ? deadlineMs : deadlineAt - now()));
}

function monotonic(): number {
  return performance.now();
}

function connectOptions({ host, port, kind }: Peer): TcpSocketConnectOpts {
  if (kind !== 'name') return { host, port, noDelay: true, autoSelectFamily: false };
  // The typings know `lookup` only in its form for a single address.
  const lookup = proxyNames.lookup as unknown as NonNullable<TcpSocketConnectOpts['lookup']>;
  return { host, port, noDelay: true, autoSelectFamily: true, lookup };
}

const meanings: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'no answer',
  ENOTFOUND: 'the name was not found',
  EAI_AGAIN: 'the name could not be looked up',
  EADDRNOTAVAIL: 'no local address or port is left for it',
  EACCES: 'this system forbids the connection',
  EPERM: 'this system forbids the connection',
};

/** What was being done, for messages: connecting, or waiting at a stage of the dialogue. */
export function whileAt(peer: Peer, stage: string | undefined): string {
  if (stage === undefined) return `while connecting to ${authorityOf(peer)}`;
  return `while waiting for the answer to the ${stage}`;
}

/** The deadline of a dial has come. */
export function late(peer: Peer, totalMs: number, during: string): CulvertError {
  return new CulvertError(peer.timeout, { detail: `nothing after ${totalMs / 1000} s, ${during}` });
}

/** The connection ended before the dialogue did; `code` is the system's word if it failed. */
export function closed(code: string | undefined, during: string): CulvertError {
  const how = code === undefined ? 'closed' : code === 'ECONNRESET' ? 'reset' : code;
  return new CulvertError('proxy-closed', { detail: `${how} ${during}` });
}

/** There is no connection to the peer; `code` is the system's word for the reason. */
export function unreachable(peer: Peer, code: string): CulvertError {
  if (code === 'EMFILE' || code === 'ENFILE') return new CulvertError('engine-limit', { detail: code });
  return new CulvertError(peer.unreachable, { detail: `${authorityOf(peer)}: ${meanings[code] ?? code}` });
}

function ignore(): void {}
