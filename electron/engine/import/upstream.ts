/**
 * One proxy server out of its parts or out of a URL, checked by the one parser that Culvert has for them.
 */
import { failureOf } from '#shared/failure.ts';
import type { Upstream, UpstreamKind } from '#shared/model.ts';
import { phrase } from '#shared/phrase.ts';
import { authorityOf } from '../upstream/destination.ts';
import { parseProxyUrl } from '../upstream/url.ts';
import type { Read } from './addresses.ts';

/** The parts of a server as a file has them; nothing of it is checked yet. */
export interface ServerParts {
  readonly kind: UpstreamKind;
  readonly host: string;
  readonly port: string | number;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

/** Reads a proxy URL, or `host:port` for SOCKS5. The reason of a refusal repeats nothing after the scheme. */
export function readProxyUrl(text: string): Read<Upstream> {
  try {
    return { ok: true, value: parseProxyUrl(text, {}) };
  } catch (error) {
    // What else than a refusal with its reason could come out of a parser would be a defect of it.
    return { ok: false, reason: failureOf(error).phrase ?? phrase('proxy-text.not-proxy') };
  }
}

/** Makes a server of its parts. A password for SOCKS4, which has none, is left out. */
export function readServer({ kind, host, port, user, password }: ServerParts): Read<Upstream> {
  const isSocks4 = kind === 'socks4' || kind === 'socks4a';
  const hasPassword = password !== undefined && password !== '' && !isSocks4;
  const hasUser = (user !== undefined && user !== '') || hasPassword;
  try {
    const secret = hasPassword ? `:${encodeURIComponent(password)}` : '';
    const signIn = hasUser ? `${encodeURIComponent(user ?? '')}${secret}@` : '';
    const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
    if (/[@/?#\s]/.test(bare)) return { ok: false, reason: phrase('address.not-host') };
    return readProxyUrl(`${kind}://${signIn}${authorityOf({ host: bare, port: Number(port) })}`);
  } catch {
    // encodeURIComponent refuses halves of characters, and says no more than that.
    return { ok: false, reason: phrase('proxy-text.sign-in') };
  }
}
