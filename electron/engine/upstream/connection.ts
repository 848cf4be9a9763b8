/**
 * What a dial takes and gives, and how it is said that there is no connection.
 *
 * Must not: open anything; attempt.ts does.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { CulvertError, type FailureCode } from '#shared/failure.ts';
import type { Destination } from './destination.ts';
import { authorityOf } from './destination.ts';

/** What a dial may take; the deadline is the whole of it, names, connecting and dialogues together. */
export interface DialOptions {
  /** Milliseconds from now; 15,000 when neither is given. */
  readonly deadlineMs?: number;
  /** On the clock of `now`; takes precedence. */
  readonly deadlineAt?: number;
  /** Milliseconds, monotonic; `performance.now` when not given. */
  readonly now?: () => number;
  readonly signal?: AbortSignal;
  /**
   * Makes the socket of the first connection, for sockets that are bound to an interface: a non-blocking TCP
   * descriptor that the connection owns from then on. May throw `egress-missing`.
   */
  readonly socketFor?: (family: 4 | 6) => number;
}

interface DialledSocket {
  readonly kind: 'socket';
  /**
   * Connected, not reading, without a listener of ours, half-open allowed. For the pump as it is; for
   * JavaScript `unshift(early)`, then `resume()` and it is an ordinary stream.
   */
  readonly socket: Socket;
  /** What the other side has said to the app so far. */
  readonly early: Buffer;
}

interface DialledStream {
  readonly kind: 'stream';
  /**
   * The same behind TLS, where no descriptor carries the plain bytes: bridge.ts makes one. It errs when the
   * connection below was reset or ended without TLS having said so, and only then.
   */
  readonly socket: TLSSocket;
  readonly early: Buffer;
}

/** A connection to a destination. Only a `socket` can be taken over by its descriptor. */
export type Dialled = DialledSocket | DialledStream;

/** Whom to connect to, and how failures to reach it are called. */
export interface Peer extends Destination {
  readonly unreachable: FailureCode;
  readonly timeout: FailureCode;
}

export const defaultDeadlineMs = 15_000;

/** Milliseconds that a dial has left, at least 0. */
export function remainingMs({
  deadlineAt,
  deadlineMs = defaultDeadlineMs,
  now = monotonic,
}: DialOptions): number {
  return Math.max(0, Math.round(deadlineAt === undefined ? deadlineMs : deadlineAt - now()));
}

/** The same options with the deadline as a moment, for dials of several attempts. */
export function withDeadline(options: DialOptions): DialOptions & { readonly deadlineAt: number } {
  return { ...options, deadlineAt: (options.now ?? monotonic)() + remainingMs(options) };
}

function monotonic(): number {
  return performance.now();
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
