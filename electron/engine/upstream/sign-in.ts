/**
 * How an HTTP proxy is signed in to, as far as it has said (RFC 7235 as of RFC 9110 §11, RFC 7617, RFC 7616).
 *
 * Does: remember per upstream what it asked for, and its nonces, so that later connections need one round trip.
 * A nonce is in use by one connection at a time: proxies want its count to rise in the order of their arrival.
 * Must not: send a password in the clear before the proxy could ask for Digest, or ever after it has.
 *
 * Decision: over plain HTTP the first connection asks without credentials. Whatever else the proxy answers than
 * Digest, from then on Basic is sent unasked: there are proxies that take a user name for a session and never ask.
 */
import { randomBytes } from 'node:crypto';
import { CulvertError } from '#shared/failure.ts';
import type { Upstream } from '#shared/model.ts';
import { answerOf, strongestDigest, type Challenge, type DigestOffer } from './digest.ts';

interface Nonce {
  readonly offer: DigestOffer;
  readonly cnonce: string;
  count: number;
}

/** What one request said of its sender. */
export interface Credentials {
  /** The value of Proxy-Authorization, latin1; none is sent where it is undefined. */
  readonly header: string | undefined;
  readonly nonce: Nonce | undefined;
  /** Whether there are credentials that were held back to see what is asked for. */
  readonly isAsking: boolean;
}

/** Nonces that are kept for later. */
const maxIdle = 64;

const none: Credentials = { header: undefined, nonce: undefined, isAsking: false };
const known = new WeakMap<Upstream, SignIn>();

/** The memory for an upstream, for as long as that object is there. */
export function signInTo(upstream: Upstream): SignIn {
  const found = known.get(upstream) ?? new SignIn(upstream);
  known.set(upstream, found);
  return found;
}

export class SignIn {
  readonly #upstream: Upstream;
  readonly #idle: Nonce[] = [];
  #scheme: 'unknown' | 'basic' | 'digest';

  /** Throws `proxy-url-invalid` for what cannot be said in a header. */
  constructor(upstream: Upstream) {
    this.#upstream = upstream;
    // Behind TLS the first request shows the password to the proxy alone, which has it anyway.
    this.#scheme = upstream.kind === 'https' ? 'basic' : 'unknown';
    checkCredentials(upstream);
  }

  /** What the next request says. */
  begin(uri: string): Credentials {
    const { user, password = '' } = this.#upstream;
    if (user === undefined) return none;
    if (this.#scheme === 'basic') {
      const header = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
      return { header, nonce: undefined, isAsking: false };
    }
    const nonce = this.#idle.pop();
    if (nonce === undefined) return { ...none, isAsking: true };
    nonce.count += 1;
    const request = { method: 'CONNECT', uri, user, password, cnonce: nonce.cnonce, count: nonce.count };
    return { header: answerOf(nonce.offer, request), nonce, isAsking: false };
  }

  /** Takes a yes or a no that is no 407. Answers whether to begin again, now with credentials. */
  settled({ nonce, isAsking }: Credentials): boolean {
    if (nonce !== undefined) this.#keep(nonce);
    if (!isAsking || this.#scheme !== 'unknown') return false;
    this.#scheme = 'basic';
    return true;
  }

  /** Takes a 407 with its challenges. Answers whether to begin again; else the sign-in is refused. */
  challenged(said: Credentials, challenges: readonly Challenge[]): boolean {
    if (this.#upstream.user === undefined) return false;
    const offer = strongestDigest(challenges);
    if (offer !== undefined) {
      this.#scheme = 'digest';
      this.#keep({ offer, cnonce: randomBytes(16).toString('hex'), count: 0 });
      return said.nonce === undefined || said.nonce.count > 1 || offer.isStale;
    }
    const offersBasic = challenges.length === 0 || challenges.some(({ scheme }) => /^basic$/i.test(scheme));
    if (!said.isAsking || !offersBasic || this.#scheme === 'digest') return false;
    this.#scheme = 'basic';
    return true;
  }

  #keep(nonce: Nonce): void {
    if (this.#idle.length < maxIdle) this.#idle.push(nonce);
  }
}

/** RFC 7617 §2: a colon ends the user name, and control characters are not for either. */
function checkCredentials({ user = '', password = '' }: Upstream): void {
  // eslint-disable-next-line no-control-regex
  const isSpeakable = !/[\u0000-\u001f\u007f]/.test(user + password);
  if (isSpeakable && !user.includes(':')) return;
  const detail = 'a user name or password with control characters, or a user name with a colon';
  throw new CulvertError('proxy-url-invalid', { detail });
}
