/**
 * HTTP CONNECT (RFC 9110 §9.3.6, RFC 9112) as a dialogue; how to sign in is sign-in.ts's to know.
 *
 * Does: writes one request and reads the head of the answer, bounded in bytes and lines, provisional
 * answers included. Must not: look for a body. In a 2xx answer to CONNECT there is none, whatever
 * Content-Length or Transfer-Encoding say: what follows the head is the app's.
 */
import { CulvertError } from '#shared/failure.ts';
import { phrase, type Phrase, type Said } from '#shared/phrase.ts';
import type { Upstream } from '#shared/model.ts';
import { Again, type Dialogue, type Send } from './dialogue.ts';
import { authorityOf, checkDestination, type Destination } from './destination.ts';
import { parseChallenges, type Challenge } from './digest.ts';
import { signInTo, type Credentials, type SignIn } from './sign-in.ts';

/** All heads of one dialogue together. */
export const maxHeadBytes = 16 * 1024;
const maxHeadLines = 100;

const opening = Buffer.from('HTTP/1.');
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

export class ConnectDialogue implements Dialogue {
  readonly stage = 'request';
  readonly hasSpoken = false;
  readonly #send: Send;
  readonly #authority: string;
  readonly #signIn: SignIn;
  readonly #secrets: readonly string[];
  #said: Credentials | undefined;
  #head = Buffer.alloc(0);
  #total = 0;
  #lines = 0;
  /** Bytes in the present line; a carriage return counts only when something follows it. */
  #lineBytes = 0;
  #hasReturn = false;

  constructor(upstream: Upstream, destination: Destination, send: Send) {
    checkDestination(destination);
    this.#signIn = signInTo(upstream);
    this.#send = send;
    this.#authority = authorityOf(destination);
    const { user = '', password = '' } = upstream;
    const basic = Buffer.from(`${user}:${password}`).toString('base64');
    this.#secrets = password === '' ? [] : [password, basic];
  }

  start(): void {
    this.#said = this.#signIn.begin(this.#authority);
    const { header } = this.#said;
    this.#send(requestOf(this.#authority, header));
  }

  receive(chunk: Buffer): number | undefined {
    let used = 0;
    while (used < chunk.length) {
      const end = this.#endOfHead(chunk, used);
      this.#keep(chunk.subarray(used, end ?? chunk.length));
      if (end === undefined) return undefined;
      used = end;
      if (this.#judge()) return used;
      this.#head = Buffer.alloc(0);
    }
    return undefined;
  }

  /** Where the present head ends in the chunk, if it does: right behind an empty line (a bare LF will do). */
  #endOfHead(chunk: Buffer, from: number): number | undefined {
    for (let at = from; at < chunk.length; at += 1) {
      if (++this.#total > maxHeadBytes) throw wrong(phrase('proxy.head-bytes', { most: maxHeadBytes }));
      const byte = chunk[at];
      if (byte === lineFeed) {
        if (++this.#lines > maxHeadLines) throw wrong(phrase('proxy.head-lines', { most: maxHeadLines }));
        const isEmpty = this.#lineBytes === 0;
        this.#lineBytes = 0;
        this.#hasReturn = false;
        if (isEmpty) return at + 1;
      } else if (byte === carriageReturn && !this.#hasReturn) {
        this.#hasReturn = true;
      } else {
        this.#lineBytes += 1;
      }
    }
    return undefined;
  }

  #keep(bytes: Buffer): void {
    this.#head = Buffer.concat([this.#head, bytes]);
    const length = Math.min(this.#head.length, opening.length);
    if (opening.compare(this.#head, 0, length, 0, length) !== 0) throw wrong(phrase('proxy.no-http'));
  }

  /** Whether the complete head is the yes; throws for a no, answers false for a provisional one. */
  #judge(): boolean {
    const text = this.#head.toString('latin1');
    const parts = /^HTTP\/1\.[0-9] ([1-5][0-9]{2})(?: ([^\r\n]*))?\r?\n/.exec(text);
    const status = Number(parts?.[1] ?? 0);
    if (parts === null || status === 101) throw wrong(phrase('proxy.no-status'));
    if (status < 200) return false;
    const said = this.#printable(`${status} ${parts[2] ?? ''}`.trim());
    // 401 is an origin's word, but the answer to CONNECT is always the proxy's, and tinyproxy says it so.
    if (status === 407 || status === 401) throw this.#challenged(said, text);
    const credentials = this.#said;
    const isAgain = credentials !== undefined && this.#signIn.settled(credentials);
    if (isAgain) throw new Again(signInRefused(phrase('proxy.answers-without')));
    if (status >= 300) throw new CulvertError('proxy-refused', { detail: said });
    return true;
  }

  #challenged(said: string, head: string): Error {
    const challenges = challengesIn(head);
    const refused = signInRefused(this.#offered(said, challenges));
    const credentials = this.#said;
    const isAgain = credentials !== undefined && this.#signIn.challenged(credentials, challenges);
    return isAgain ? new Again(refused) : refused;
  }

  /** Which ways of signing in the proxy names, because a wrong password is not the only cause of a 407. */
  #offered(said: string, challenges: readonly Challenge[]): Said {
    const schemes = [...new Set(challenges.map(({ scheme }) => scheme.slice(0, 20)))].slice(0, 4);
    if (schemes.length === 0) return said;
    return phrase('proxy.offers', { said, schemes: schemes.map((scheme) => this.#printable(scheme)) });
  }

  /** The proxy's words as far as they may be shown: printable, short and without what we told it. */
  #printable(text: string): string {
    const clean = text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 120);
    return this.#secrets.some((secret) => text.includes(secret)) ? text.slice(0, 3) : clean;
  }
}

/** `signIn` is latin1, as the bytes are to be. */
function requestOf(authority: string, signIn: string | undefined): Buffer {
  const line = signIn === undefined ? '' : `Proxy-Authorization: ${signIn}\r\n`;
  return Buffer.from(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${line}\r\n`, 'latin1');
}

function challengesIn(head: string): Challenge[] {
  const headers = [...head.matchAll(/^(?:proxy|www)-authenticate:([^\r\n]*)/gim)];
  return headers.flatMap(([, value = '']) => parseChallenges(value));
}

function signInRefused(detail: Said): CulvertError {
  return new CulvertError('proxy-sign-in-refused', { detail });
}

function wrong(detail: Phrase): CulvertError {
  return new CulvertError('proxy-protocol-error', { detail });
}
