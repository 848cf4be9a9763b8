/**
 * What a dial takes and gives, and how it is said that there is no connection.
 *
 * Must not: open anything; attempt.ts does.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { CulvertError, type FailureCode } from '#shared/failure.ts';
import { phrase, type Phrase } from '#shared/phrase.ts';
import type { Destination } from './destination.ts';
import { authorityOf } from './destination.ts';
import type { Stage } from './dialogue.ts';

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

const meanings: Readonly<Record<string, Phrase>> = {
  ECONNREFUSED: phrase('connection.refused'),
  ECONNRESET: phrase('connection.reset'),
  EHOSTUNREACH: phrase('connection.no-route'),
  ENETUNREACH: phrase('connection.no-network'),
  ETIMEDOUT: phrase('connection.no-answer'),
  ENOTFOUND: phrase('connection.name-unknown'),
  EAI_AGAIN: phrase('connection.name-not-looked-up'),
  EADDRNOTAVAIL: phrase('connection.no-port'),
  EACCES: phrase('connection.forbidden'),
  EPERM: phrase('connection.forbidden'),
};

/** What was being done, for messages: connecting, or waiting at a stage of the dialogue. */
export function whileAt(peer: Peer, stage: Stage | undefined): Phrase {
  if (stage === undefined) return phrase('connection.while-connecting', { peer: authorityOf(peer) });
  return phrase(`connection.while-${stage}`);
}

/** The deadline of a dial has come. */
export function late(peer: Peer, totalMs: number, during: Phrase): CulvertError {
  const detail = phrase('connection.late', { seconds: totalMs / 1000, during });
  return new CulvertError(peer.timeout, { detail });
}

/** The connection ended before the dialogue did; `code` is the system's word if it failed. */
export function closed(code: string | undefined, during: Phrase): CulvertError {
  return new CulvertError('proxy-closed', { detail: endOf(code, during) });
}

function endOf(code: string | undefined, during: Phrase): Phrase {
  if (code === undefined) return phrase('connection.closed-during', { during });
  if (code === 'ECONNRESET') return phrase('connection.reset-during', { during });
  return phrase('connection.ended-during', { words: code, during });
}

/** There is no connection to the peer; `code` is the system's word for the reason. */
export function unreachable(peer: Peer, code: string): CulvertError {
  if (code === 'EMFILE' || code === 'ENFILE') return new CulvertError('engine-limit', { detail: code });
  const why = meanings[code] ?? code;
  const detail = phrase('connection.unreachable', { peer: authorityOf(peer), why });
  return new CulvertError(peer.unreachable, { detail });
}
