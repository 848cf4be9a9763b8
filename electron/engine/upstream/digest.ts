/**
 * Digest sign-in (RFC 7616; without qop RFC 2069) as plain functions: what a proxy offers, and what proves a password.
 *
 * Does: read WWW-style challenges strictly and within bounds, choose the strongest. Must not: put anything from a
 * challenge into a request that could end a header.
 */
import { createHash } from 'node:crypto';

/** One scheme that a proxy offers, as it wrote it, with its parameters; their names in small letters. */
export interface Challenge {
  readonly scheme: string;
  readonly params: ReadonlyMap<string, string>;
}

/** A Digest challenge that can be answered. Texts are latin1: the bytes as they came. */
export interface DigestOffer {
  readonly algorithm: 'MD5' | 'SHA-256';
  /** As the proxy wrote the algorithm; empty where it wrote none. */
  readonly algorithmText: string;
  readonly isSession: boolean;
  readonly hasQop: boolean;
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly isStale: boolean;
}

/** What a request says of itself. */
export interface DigestRequest {
  readonly method: string;
  readonly uri: string;
  /** UTF-8 of both is what is hashed. */
  readonly user: string;
  readonly password: string;
  /** The same for as long as the nonce, so that session keys are the same by either reading of the RFC. */
  readonly cnonce: string;
  /** From 1. */
  readonly count: number;
}

const maxChallenges = 16;
const maxParams = 32;
const maxValueLength = 4096;

const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const token68 = /[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))/y;
const assignment = /[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+.^_`|~0-9A-Za-z-]+))/y;
const gap = /[ \t,]*/y;

/** Reads the value of one Proxy-Authenticate header (RFC 9110 §11.6.1); stops where it makes no sense. */
export function parseChallenges(text: string): Challenge[] {
  const challenges: { scheme: string; params: Map<string, string> }[] = [];
  const cursor = new Cursor(text);
  cursor.take(gap);
  while (!cursor.isAtEnd) {
    const name = cursor.take(token)?.[0];
    if (name === undefined) break;
    const value = cursor.take(assignment);
    const current = challenges.at(-1);
    if (value === undefined) {
      if (challenges.length === maxChallenges) break;
      challenges.push({ scheme: name, params: new Map() });
      cursor.skipSpaces();
      cursor.take(token68IfNotParam(cursor));
    } else if (current === undefined || current.params.size === maxParams) break;
    else keepFirst(current.params, name.toLowerCase(), unquoted(value));
    cursor.take(gap);
  }
  return challenges;
}

/** The strongest Digest among the challenges that can be answered. */
export function strongestDigest(challenges: readonly Challenge[]): DigestOffer | undefined {
  const offers = challenges.flatMap((challenge) => digestOf(challenge) ?? []);
  const strength = ({ algorithm, hasQop }: DigestOffer): number =>
    (algorithm === 'SHA-256' ? 2 : 0) + (hasQop ? 1 : 0);
  return offers.sort((one, other) => strength(other) - strength(one))[0];
}

/** The value of Proxy-Authorization as latin1 text. */
export function answerOf(offer: DigestOffer, request: DigestRequest): string {
  const { realm, nonce, opaque, algorithmText, hasQop, isSession } = offer;
  const count = request.count.toString(16).padStart(8, '0');
  const user = Buffer.from(request.user).toString('latin1');
  const parts = [
    `username=${quoted(user)}`,
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(request.uri)}`,
    `response="${responseOf(offer, request, count)}"`,
    ...(algorithmText === '' ? [] : [`algorithm=${algorithmText}`]),
    ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
    ...(hasQop ? [`qop=auth`, `nc=${count}`] : []),
    ...(hasQop || isSession ? [`cnonce=${quoted(request.cnonce)}`] : []),
  ];
  return `Digest ${parts.join(', ')}`;
}

function responseOf(offer: DigestOffer, request: DigestRequest, count: string): string {
  const hash = (...parts: readonly string[]): string =>
    createHash(offer.algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(Buffer.from(parts.join(':'), 'latin1'))
      .digest('hex');
  const bytes = (text: string): string => Buffer.from(text).toString('latin1');
  const secret = hash(bytes(request.user), offer.realm, bytes(request.password));
  const key = offer.isSession ? hash(secret, offer.nonce, request.cnonce) : secret;
  const what = hash(request.method, request.uri);
  return offer.hasQop
    ? hash(key, offer.nonce, count, request.cnonce, 'auth', what)
    : hash(key, offer.nonce, what);
}

function digestOf({ scheme, params }: Challenge): DigestOffer | undefined {
  const realm = params.get('realm');
  const nonce = params.get('nonce');
  if (scheme.toLowerCase() !== 'digest' || realm === undefined || nonce === undefined) return undefined;
  const algorithmText = params.get('algorithm') ?? '';
  const [, algorithm, session] = /^(MD5|SHA-256)(-sess)?$/.exec(upper(algorithmText || 'MD5')) ?? [];
  if (algorithm !== 'MD5' && algorithm !== 'SHA-256') return undefined;
  const qop = params.get('qop');
  const ways = qop?.split(',').map((way) => way.trim().toLowerCase());
  if (ways?.includes('auth') === false) return undefined;
  const opaque = params.get('opaque');
  if ([realm, nonce, opaque ?? ''].some(isUnspeakable)) return undefined;
  return {
    algorithm,
    algorithmText,
    isSession: session !== undefined,
    hasQop: ways !== undefined,
    realm,
    nonce,
    opaque,
    isStale: params.get('stale')?.toLowerCase() === 'true',
  };
}

function keepFirst(params: Map<string, string>, name: string, value: string): void {
  if (!params.has(name)) params.set(name, value);
}

/** Capital letters but for the suffix. */
function upper(algorithm: string): string {
  return algorithm.toUpperCase().replace(/-SESS$/, '-sess');
}

function isUnspeakable(value: string): boolean {
  // eslint-disable-next-line no-control-regex
  return value.length > maxValueLength || /[\u0000-\u001f\u007f]/.test(value);
}

function unquoted([, text, plain = '']: RegExpExecArray): string {
  return text === undefined ? plain : text.replace(/\\(.)/gs, '$1');
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** Behind a scheme there is its token68 or its first parameter, and `a=` at the end of a text is no parameter. */
function token68IfNotParam(cursor: Cursor): RegExp {
  return cursor.matches(/[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*=[ \t]*["!#$%&'*+.^_`|~0-9A-Za-z-]/y)
    ? /(?:)/y
    : token68;
}

/** Reads a text from left to right. */
class Cursor {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** Takes what matches here. */
  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text) ?? undefined;
    if (found !== undefined) this.#at += found[0].length;
    return found;
  }

  matches(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    return pattern.test(this.#text);
  }

  skipSpaces(): void {
    this.take(/[ \t]*/y);
  }
}
