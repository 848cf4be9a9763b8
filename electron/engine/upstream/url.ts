/**
 * A proxy as people write it: `socks5://user:password@host:port`, or `host:port` for SOCKS5.
 *
 * Does: reads that text strictly, with the exact reason when it cannot. Must not: repeat any of the text
 * after the scheme in an error. It may hold a password, also in places where none belongs.
 */
import { isIPv6 } from 'node:net';
import { CulvertError } from '#shared/failure.ts';
import type { Upstream, UpstreamKind } from '#shared/model.ts';
import { phrase, type Phrase } from '#shared/phrase.ts';
import { authorityOf, nameDefect } from './destination.ts';

const kindsByScheme: ReadonlyMap<string, UpstreamKind> = new Map([
  ['socks', 'socks5'],
  ['socks5', 'socks5'],
  ['socks5h', 'socks5'],
  ['socks4', 'socks4'],
  ['socks4a', 'socks4a'],
  ['http', 'http'],
  ['https', 'https'],
]);

/** The registered ports of SOCKS and of HTTP over TLS (IANA); plain HTTP proxies have no usual one, so theirs must be written. */
const defaultSocksPort = 1080;
const defaultHttpsPort = 443;
/** RFC 1929 §2 has one byte for each length. */
const maxCredentialBytes = 255;
const maxTextLength = 4096;
/** What can be wrong with each part of a sign-in. */
const defects = {
  user: {
    long: 'proxy-text.user-long',
    controls: 'proxy-text.user-controls',
    percent: 'proxy-text.user-percent',
  },
  password: {
    long: 'proxy-text.password-long',
    controls: 'proxy-text.password-controls',
    percent: 'proxy-text.password-percent',
  },
} as const;

/**
 * Reads a proxy URL. A user without a password gets the one of `CULVERT_PASSWORD`, if it is set; `user:@`
 * means an empty password. A name behind `#` is ignored. Throws `proxy-url-invalid` with the reason.
 */
export function parseProxyUrl(text: string, env: NodeJS.ProcessEnv = process.env): Upstream {
  if (text.length > maxTextLength) throw invalid(phrase('proxy-text.too-long', { most: maxTextLength }));
  const { scheme, rest } = splitScheme(text.trim());
  const kind = scheme === undefined ? 'socks5' : kindsByScheme.get(scheme);
  if (kind === undefined) throw invalid(phrase('proxy-text.scheme'));
  // The last @, because passwords are often pasted with an unescaped one in them, and hosts have none.
  const at = rest.lastIndexOf('@');
  const { host, port } = parseAddress(rest.slice(at + 1), kind, scheme !== undefined);
  const credentials = at < 1 ? {} : parseCredentials(rest.slice(0, at), kind, env['CULVERT_PASSWORD']);
  return { kind, host, port, ...credentials };
}

/** The word that stands for "no proxy" where a proxy URL is expected. */
export const directWord = 'direct';

/** Whether a proxy has a user but no password yet, and its kind knows passwords. */
export function lacksPassword({ kind, user, password }: Upstream): boolean {
  return user !== undefined && password === undefined && kind !== 'socks4' && kind !== 'socks4a';
}

/** The upstream for display, without its secrets: `socks5://host:port`. */
export function formatUpstream(upstream: Upstream): string {
  return `${upstream.kind}://${authorityOf(upstream)}`;
}

function splitScheme(text: string): { scheme: string | undefined; rest: string } {
  const end = text.indexOf('://');
  if (end === -1) return { scheme: undefined, rest: text };
  return { scheme: text.slice(0, end).toLowerCase(), rest: text.slice(end + 3) };
}

function parseAddress(text: string, kind: UpstreamKind, hasScheme: boolean): { host: string; port: number } {
  const address = /^([^#/?]*)\/?(?:#.*)?$/s.exec(text)?.[1];
  if (address === undefined) throw invalid(phrase('proxy-text.after-port'));
  if (address === '') throw invalid(phrase('proxy-text.host-missing'));
  const parts = /^(?:\[([^\]]*)\]|([^[\]:]*))(?::([^:]*))?$/s.exec(address);
  if (parts === null) {
    throw invalid(isIPv6(address) ? phrase('proxy-text.brackets') : phrase('proxy-text.form'));
  }
  const [, literal, name, port] = parts;
  return { host: parseHost(literal, name), port: parsePort(port, kind, hasScheme) };
}

function parseHost(literal: string | undefined, name: string | undefined): string {
  if (literal !== undefined) {
    if (!isIPv6(literal)) throw invalid(phrase('proxy-text.not-ipv6'));
    return literal;
  }
  if (name === undefined || name === '') throw invalid(phrase('proxy-text.host-missing'));
  const defect = nameDefect(name);
  if (defect !== undefined) throw invalid(phrase('proxy-text.host', { defect }));
  return name;
}

function parsePort(text: string | undefined, kind: UpstreamKind, hasScheme: boolean): number {
  if (text === undefined) {
    if (kind === 'http') throw invalid(phrase('proxy-text.http-port'));
    if (!hasScheme) throw invalid(phrase('proxy-text.port-missing-form'));
    return kind === 'https' ? defaultHttpsPort : defaultSocksPort;
  }
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw invalid(phrase('proxy-text.port'));
  return port;
}

function parseCredentials(
  text: string,
  kind: UpstreamKind,
  envPassword: string | undefined,
): { user: string; password?: string } {
  if (/[/?#]/.test(text)) throw invalid(phrase('proxy-text.escapes'));
  const colon = text.indexOf(':');
  const user = decode(colon === -1 ? text : text.slice(0, colon), 'user');
  if (user === '') throw invalid(phrase('proxy-text.user-missing'));
  checkUser(user, kind);
  if (kind === 'socks4' || kind === 'socks4a') {
    if (colon !== -1) throw invalid(phrase('proxy-text.socks4-password'));
    return { user };
  }
  const password = colon === -1 ? envPassword : decode(text.slice(colon + 1), 'password');
  if (password === undefined) return { user };
  checkText(password, 'password', kind);
  return { user, password };
}

function checkUser(user: string, kind: UpstreamKind): void {
  checkText(user, 'user', kind);
  // RFC 7617 §2: the first colon ends the user name.
  if ((kind === 'http' || kind === 'https') && user.includes(':'))
    throw invalid(phrase('proxy-text.user-colon'));
}

function checkText(text: string, what: keyof typeof defects, kind: UpstreamKind): void {
  if (Buffer.byteLength(text) > maxCredentialBytes)
    throw invalid(phrase(defects[what].long, { most: maxCredentialBytes }));
  if (kind === 'socks5') return;
  // SOCKS4 ends the name with a NUL; RFC 7617 §2 forbids control characters.
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(text)) throw invalid(phrase(defects[what].controls));
}

function decode(text: string, what: keyof typeof defects): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // The error of decodeURIComponent would only say "malformed"; which part it was is more useful.
    throw invalid(phrase(defects[what].percent));
  }
}

function invalid(detail: Phrase): CulvertError {
  return new CulvertError('proxy-url-invalid', { detail });
}
