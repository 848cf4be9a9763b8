/**
 * HTTP CONNECT (RFC 9110 §9.3.6, RFC 9112) as a dialogue, with Basic sign-in (RFC 7617).
 *
 * Does: writes one request and reads the head of the answer, bounded in bytes and lines, provisional
 * answers included. Must not: look for a body. In a 2xx answer to CONNECT there is none, whatever
 * Content-Length or Transfer-Encoding say: what follows the head is the app's.
 */
import { CulvertError } from '#shared/failure.ts';
import type { Upstream } from '#shared/model.ts';
import type { Dialogue, Send } from './dialogue.ts';
import { authorityOf, checkDestination, type Destination } from './destination.ts';

/** All heads of one dialogue together. */
export const maxHeadBytes = 16 * 1024;
export const maxHeadLines = 100;

const opening = Buffer.from('HTTP/1.');
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

export class ConnectDialogue implements Dialogue {
  readonly stage = 'request';
  readonly hasSpoken = false;
  readonly #send: Send;
  readonly #request: Buffer;
  readonly #secrets: readonly string[];
  #head = Buffer.alloc(0);
  #total = 0;
  #lines = 0;
  /** Bytes in the present line; a carriage return counts only when something follows it. */
  #lineBytes = 0;
  #hasReturn = false;

  constructor(upstream: Upstream, destination: Destination, send: Send) {
    checkDestination(destination);
    const basic = basicOf(upstream);
    this.#send = send;
    this.#request = requestOf(authorityOf(destination), basic);
    this.#secrets = [upstream.password ?? '', basic ?? ''].filter((text) => text !== '');
  }

  start(): void {
    this.#send(this.#request);
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
      if (++this.#total > maxHeadBytes)
        throw wrong(`the head of the answer is longer than ${maxHeadBytes} bytes`);
      const byte = chunk[at];
      if (byte === lineFeed) {
        if (++this.#lines > maxHeadLines)
          throw wrong(`the head of the answer has more than ${maxHeadLines} lines`);
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
    if (opening.compare(this.#head, 0, length, 0, length) !== 0) throw wrong('the answer is not HTTP/1');
  }

  /** Whether the complete head is the yes; throws for a no, answers false for a provisional one. */
  #judge(): boolean {
    const text = this.#head.toString('latin1');
    const parts = /^HTTP\/1\.[0-9] ([1-5][0-9]{2})(?: ([^\r\n]*))?\r?\n/.exec(text);
    const status = Number(parts?.[1] ?? 0);
    if (parts === null || status === 101)
      throw wrong('the first line of the answer is not a status of HTTP/1');
    if (status < 200) return false;
    if (status < 300) return true;
    const said = this.#printable(`${status} ${parts[2] ?? ''}`.trim());
    // 401 is an origin's word, but the answer to CONNECT is always the proxy's, and tinyproxy says it so.
    if (status !== 407 && status !== 401) throw new CulvertError('proxy-refused', { detail: said });
    throw new CulvertError('proxy-sign-in-refused', { detail: this.#printable(`${said}${schemesIn(text)}`) });
  }

  /** The proxy's words as far as they may be shown: printable, short and without what we told it. */
  #printable(text: string): string {
    const clean = text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 120);
    return this.#secrets.some((secret) => text.includes(secret)) ? text.slice(0, 3) : clean;
  }
}

function basicOf({ user, password }: Upstream): string | undefined {
  return user === undefined ? undefined : Buffer.from(`${user}:${password ?? ''}`).toString('base64');
}

function requestOf(authority: string, basic: string | undefined): Buffer {
  const signIn = basic === undefined ? '' : `Proxy-Authorization: Basic ${basic}\r\n`;
  return Buffer.from(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${signIn}\r\n`);
}

/** Which ways of signing in the proxy names, because a wrong password is not the only cause of a 407. */
function schemesIn(head: string): string {
  const schemes = [...head.matchAll(/^(?:proxy|www)-authenticate:[ \t]*([a-z0-9-]{1,20})/gim)].map(
    ([, scheme]) => scheme,
  );
  return schemes.length === 0 ? '' : `; it offers ${[...new Set(schemes)].slice(0, 4).join(', ')}`;
}

function wrong(detail: string): CulvertError {
  return new CulvertError('proxy-protocol-error', { detail });
}
