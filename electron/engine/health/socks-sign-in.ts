/**
 * Whether a SOCKS5 server takes a sign-in, without asking anything of it after that (RFC 1928 §3, RFC 1929).
 *
 * Must not: name a destination. The connection is ended, which the server sees as a client that thought better of it.
 */
import type { Upstream } from '#shared/model.ts';
import type { Phrase } from '#shared/phrase.ts';
import { closed, late, whileAt, type Dialled } from '../upstream/connection.ts';
import { peerOf } from '../upstream/dial.ts';
import { SocksDialogue } from '../upstream/socks.ts';

/** `accepted`: it asked and took what it was told. `not-wanted`: it goes on without. */
export type SignedIn = 'accepted' | 'not-wanted';

export interface SignInLimits {
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** Rejects like a dial through the server, or with the reason of the signal. */
export async function trySignIn(
  upstream: Upstream,
  { socket, early }: Pick<Dialled, 'socket' | 'early'>,
  { deadlineMs, signal }: SignInLimits,
): Promise<SignedIn> {
  const peer = peerOf(upstream);
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<SignedIn>((resolve, reject) => {
      let isAsked = false;
      const dialogue: SocksDialogue = new SocksDialogue(upstream, 'associate', (bytes) => {
        // What comes next is the request: the sign-in is over.
        if (dialogue.stage === 'request') resolve(isAsked ? 'accepted' : 'not-wanted');
        else {
          isAsked = dialogue.stage === 'sign-in';
          socket.write(bytes);
        }
      });
      const during = (): Phrase => whileAt(peer, dialogue.stage);
      timer = setTimeout(() => reject(late(peer, deadlineMs, during())), deadlineMs);
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
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
