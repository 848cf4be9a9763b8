/**
 * A proxy as people write it: `socks5://user:password@host:port`, or `host:port` for SOCKS5.
 *
 * Does: reads that text strictly, with the exact reason when it cannot. Must not: repeat any of the text
 * after the scheme in an error. It may hold a password, also in places where none belongs.
 */
import { isIPv6 } from 'node:net';
import { CulvertError } from '#shared/failure.ts';
import type { Upstream, UpstreamKind } from '#shared/model.ts';
import { authorityOf, nameDefect } from './destination.ts';

const kindsByScheme: Readonly<Record<string, UpstreamKind>> = {
  socks: 'socks5',
  socks5: 'socks5',
  socks5h: 'socks5',
  socks4: 'socks4',
  socks4a: 'socks4a',
  http: 'http',
  https: 'https',
};

/** The registered ports of SOCKS and of HTTP over TLS (IANA); plain HTTP proxies have no usual one, so theirs must be written. */
const defaultSocksPort = 1080;
const defaultHttpsPort = 443;
/** RFC 1929 §2 has one byte for each length. */
const maxCredentialBytes = 255;
const maxTextLength = 4096;

/**
 * Reads a proxy URL. A user without a password gets the one of `CULVERT_PASSWORD`, if it is set; `user:@`
 * means an empty password. A name behind `#` is ignored. Throws `proxy-url-invalid` with the reason.
 */
export function parseProxyUrl(text: string, env: NodeJS.ProcessEnv = process.env): Upstream {
  if (text.length > maxTextLength) throw invalid(`longer than ${maxTextLength} characters`);
  const { scheme, rest } = splitScheme(text.trim());
  const kind = scheme === undefined ? 'socks5' : kindsByScheme[scheme];
  if (kind === undefined)
    throw invalid('unknown scheme; possible are socks5, socks5h, socks4, socks4a, http and https');
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
  if (address === undefined) throw invalid('nothing may follow the port');
  if (address === '') throw invalid('the host is missing');
  const parts = /^(?:\[([^\]]*)\]|([^[\]:]*))(?::([^:]*))?$/s.exec(address);
  if (parts === null) {
    throw invalid(
      isIPv6(address)
        ? 'an IPv6 address needs brackets, for example socks5://[2001:db8::1]:1080'
        : 'the part after the user is not of the form host:port',
    );
  }
  const [, literal, name, port] = parts;
  return { host: parseHost(literal, name), port: parsePort(port, kind, hasScheme) };
}

function parseHost(literal: string | undefined, name: string | undefined): string {
  if (literal !== undefined) {
    if (!isIPv6(literal)) throw invalid('the brackets do not hold an IPv6 address');
    return literal;
  }
  if (name === undefined || name === '') throw invalid('the host is missing');
  const defect = nameDefect(name);
  if (defect !== undefined) throw invalid(`host: ${defect}`);
  return name;
}

function parsePort(text: string | undefined, kind: UpstreamKind, hasScheme: boolean): number {
  if (text === undefined) {
    if (kind === 'http') throw invalid('an HTTP proxy needs its port, for example http://host:3128');
    if (!hasScheme) throw invalid('the port is missing; write host:port or socks5://host');
    return kind === 'https' ? defaultHttpsPort : defaultSocksPort;
  }
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw invalid('the port must be a number from 1 to 65535');
  return port;
}

function parseCredentials(
  text: string,
  kind: UpstreamKind,
  envPassword: string | undefined,
): { user: string; password?: string } {
  if (/[/?#]/.test(text)) {
    throw invalid('“/”, “?” and “#” in a user name or password are written as %2F, %3F and %23');
  }
  const colon = text.indexOf(':');
  const user = decode(colon === -1 ? text : text.slice(0, colon), 'user name');
  if (user === '') throw invalid('there is a password but no user name');
  checkUser(user, kind);
  if (kind === 'socks4' || kind === 'socks4a') {
    if (colon !== -1) throw invalid('SOCKS4 has a user name but no password');
    return { user };
  }
  const password = colon === -1 ? envPassword : decode(text.slice(colon + 1), 'password');
  if (password === undefined) return { user };
  checkText(password, 'password', kind);
  return { user, password };
}

function checkUser(user: string, kind: UpstreamKind): void {
  checkText(user, 'user name', kind);
  // RFC 7617 §2: the first colon ends the user name.
  if ((kind === 'http' || kind === 'https') && user.includes(':'))
    throw invalid('an HTTP proxy takes no user name with a colon');
}

function checkText(text: string, what: string, kind: UpstreamKind): void {
  if (Buffer.byteLength(text) > maxCredentialBytes) {
    throw invalid(`the ${what} is longer than ${maxCredentialBytes} bytes`);
  }
  if (kind === 'socks5') return;
  // SOCKS4 ends the name with a NUL; RFC 7617 §2 forbids control characters.
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(text)) throw invalid(`the ${what} has control characters`);
}

function decode(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // The error of decodeURIComponent would only say "malformed"; which part it was is more useful.
    throw invalid(`the ${what} has a % that is not followed by the two digits of a UTF-8 byte`);
  }
}

function invalid(detail: string): CulvertError {
  return new CulvertError('proxy-url-invalid', { detail });
}
