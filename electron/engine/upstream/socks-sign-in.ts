/**
 * What a SOCKS5 server says by itself, without anything being asked of it: whether it speaks at all, and whether it
 * takes a sign-in (RFC 1928 §3, RFC 1929).
 *
 * Must not: name a destination. The connection is ended, which the server sees as a client that thought better of it.
 */
import type { Upstream } from '#shared/model.ts';
import type { Phrase } from '#shared/phrase.ts';
import { closed, late, whileAt, type Dialled } from './connection.ts';
import { peerOf } from './journey.ts';
import { SocksDialogue } from './socks.ts';

/** `accepted`: it asked and took what it was told. `not-wanted`: it goes on without. */
export type SignedIn = 'accepted' | 'not-wanted';

export interface SignInLimits {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
}

type Connection = Pick<Dialled, 'socket' | 'early'>;
/** What is about to be said. */
type Stage = SocksDialogue['stage'];

/** Whether it takes the sign-in. Rejects like a dial through the server, or with the reason of the signal. */
export function trySignIn(
  upstream: Upstream,
  connection: Connection,
  limits: SignInLimits,
): Promise<SignedIn> {
  let isAsked = false;
  return converse(upstream, connection, limits, (stage) => {
    // What comes next is the request: the sign-in is over.
    if (stage === 'request') return isAsked ? 'accepted' : 'not-wanted';
    isAsked = stage === 'sign-in';
    return undefined;
  });
}

/** Resolves when it has answered the greeting; no password is said. Rejects as `trySignIn` does. */
export async function greet(upstream: Upstream, connection: Connection, limits: SignInLimits): Promise<void> {
  await converse(upstream, connection, limits, (stage) => (stage === 'greeting' ? undefined : 'answered'));
}

/** Goes on until `endAt` answers what came of it, and that is said no more. */
async function converse<T>(
  upstream: Upstream,
  { socket, early }: Connection,
  { deadlineMs, signal }: SignInLimits,
  endAt: (stage: Stage) => T | undefined,
): Promise<T> {
  const peer = peerOf(upstream);
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      const dialogue: SocksDialogue = new SocksDialogue(upstream, 'associate', (bytes) => {
        const result = endAt(dialogue.stage);
        if (result === undefined) socket.write(bytes);
        else resolve(result);
      });
      const during = (): Phrase => whileAt(peer, dialogue.stage);
      timer = setTimeout(() => reject(late(peer, deadlineMs, during())), deadlineMs);
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      socket.on('data', (chunk: Buffer) => {
        try {
          dialogue.receive(chunk);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
      socket.on('end', () => reject(closed(undefined, during())));
      socket.on('error', (error: NodeJS.ErrnoException) => reject(closed(error.code ?? 'failed', during())));
      if (early.length > 0) socket.unshift(early);
      dialogue.start();
      socket.resume();
    });
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}
