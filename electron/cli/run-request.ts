/** The options of `culvert run` as typed values. Plain functions; what is not possible throws `option-invalid`. */
import { isIP } from 'node:net';
import { CulvertError } from '#shared/failure.ts';
import { dnsModes, isolations, type Isolation } from '#shared/model.ts';
import { type DnsChoice, type Route, parseProxyUrl } from '#engine';

/** As commander hands them over. */
export interface RunOptions {
  readonly proxy: string;
  readonly dns?: string | undefined;
  readonly udp: string;
  readonly isolation: string;
  readonly wait: boolean;
  readonly quiet?: boolean | undefined;
  readonly passwordStdin?: boolean | undefined;
}

/** The word that stands for "no proxy" where a proxy URL is expected. */
export const directWord = 'direct';

/** One of the words, or `option-invalid` that names them all. */
export function wordOf<T extends string>(option: string, text: string, words: readonly T[]): T {
  const found = words.find((word) => word === text);
  if (found === undefined) throw invalid(`${option} is one of ${words.join(', ')}, not “${text}”`);
  return found;
}

export function isolationOf(text: string): Isolation {
  return wordOf('--isolation', text, isolations);
}

/**
 * How names are answered: `fake`, `remote`, `remote=ADDRESS[:PORT]` or `host`; without the option `fake`
 * through a proxy and `host` without one. `host` beside a proxy is refused: the questions would go around it.
 */
export function dnsOf(text: string | undefined, isDirect: boolean): DnsChoice {
  if (text === undefined) return { mode: isDirect ? 'host' : 'fake' };
  const equals = text.indexOf('=');
  const mode = wordOf('--dns', equals === -1 ? text : text.slice(0, equals), dnsModes);
  if (mode === 'host' && !isDirect) {
    throw invalid('--dns host would send names around the proxy; it goes with --proxy direct only');
  }
  if (equals === -1) return { mode };
  const resolver = text.slice(equals + 1);
  if (mode !== 'remote') throw invalid(`--dns ${mode} takes no address`);
  if (!isResolver(resolver))
    throw invalid('the resolver is an IP address, with :PORT or as [IPv6]:PORT if need be');
  return { mode, resolver };
}

function isResolver(text: string): boolean {
  if (isIP(text) !== 0) return true;
  const parts = /^(?:\[(?<v6>[^\]]+)\]|(?<v4>[0-9.]+))(?::(?<port>[0-9]{1,5}))?$/.exec(text)?.groups;
  if (parts === undefined) return false;
  const isAddress = parts['v6'] === undefined ? isIP(parts['v4'] ?? '') === 4 : isIP(parts['v6']) === 6;
  const port = parts['port'] === undefined ? 53 : Number(parts['port']);
  return isAddress && port >= 1 && port <= 65_535;
}

/** Where the traffic goes. `env` is where a password may be (CULVERT_PASSWORD). Throws `proxy-url-invalid`. */
export function routeOf(proxy: string, env: NodeJS.ProcessEnv): Route {
  if (proxy === directWord) return { kind: 'direct' };
  return { kind: 'upstream', upstream: parseProxyUrl(proxy, env) };
}

/** Whether the proxy has a user but no password yet, and its kind knows passwords. */
export function lacksPassword(route: Route): boolean {
  if (route.kind === 'direct') return false;
  const { kind, user, password } = route.upstream;
  return user !== undefined && password === undefined && kind !== 'socks4' && kind !== 'socks4a';
}

function invalid(detail: string): CulvertError {
  return new CulvertError('option-invalid', { detail });
}
