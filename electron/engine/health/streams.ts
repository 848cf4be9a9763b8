/** A question to a resolver over a connection that is there already (RFC 7766). */
import type { Duplex } from 'node:stream';
import { CulvertError } from '#shared/failure.ts';
import { phrase, type Said } from '#shared/phrase.ts';
import { frame, FrameReader } from '../dns/stream.ts';
import { answerTo, type ResolverAnswer } from './dns-question.ts';

/**
 * Asks, and leaves the connection open for the next question. Rejects with `dns-failed` when it ends or what comes
 * is no answer, or with the reason of the signal.
 */
export function askByTcp(
  socket: Duplex,
  early: Buffer,
  question: Buffer,
  signal: AbortSignal,
): Promise<ResolverAnswer> {
  return new Promise((resolve, reject) => {
    const reader = new FrameReader();
    const settle = (act: () => void): void => {
      socket.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onError);
      // Whatever happens to it later has nobody to tell.
      socket.on('error', ignore);
      act();
    };
    const fail = (detail: Said): void => settle(() => reject(new CulvertError('dns-failed', { detail })));
    const onData = (chunk: Buffer): void => {
      reader.push(chunk);
      const message = reader.next();
      if (message === undefined) return;
      const answer = answerTo(question, message);
      if (answer === undefined) fail(phrase('dns.no-answer'));
      else settle(() => resolve(answer));
    };
    const onEnd = (): void => fail(phrase('page.closed'));
    const onError = (error: NodeJS.ErrnoException): void => fail(error.code ?? error.message);
    signal.addEventListener('abort', () => settle(() => reject(signal.reason as Error)), { once: true });
    socket.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onError);
    if (early.length > 0) socket.unshift(early);
    socket.resume();
    socket.write(frame(question));
  });
}

function ignore(): void {}
