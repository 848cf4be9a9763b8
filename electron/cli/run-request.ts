/** The options of `culvert run` as typed values. Plain functions; what is not possible throws `option-invalid`. */
import { CulvertError } from '#shared/failure.ts';
import { dnsModes, isolations, type Isolation } from '#shared/model.ts';
import { type ChainMode, chainModes } from '#shared/profile.ts';
import { addressAndPort, directWord, type DnsChoice, parseProxyUrl } from '#engine';
import type { Upstream } from '#shared/model.ts';

/** As commander hands them over. */
export interface RunOptions {
  /** Several are a chain, in their order. */
  readonly proxy?: readonly string[] | undefined;
  readonly profile?: string | undefined;
  /** A file in the form of proxychains. */
  readonly file?: string | undefined;
  readonly chain?: string | undefined;
  readonly chainLength?: string | undefined;
  readonly egress?: string | undefined;
  readonly dns?: string | undefined;
  readonly udp?: string | undefined;
  readonly isolation?: string | undefined;
  readonly wait: boolean;
  readonly quiet?: boolean | undefined;
  readonly passwordStdin?: boolean | undefined;
}

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
  if (addressAndPort(resolver) === undefined)
    throw invalid('the resolver is an IP address, with :PORT or as [IPv6]:PORT if need be');
  return { mode, resolver };
}

/**
 * The proxies of a chain; none for `direct`. `env` is where a password may be (CULVERT_PASSWORD). Throws
 * `proxy-url-invalid`, and `option-invalid` for `direct` among others.
 */
export function upstreamsOf(proxies: readonly string[], env: NodeJS.ProcessEnv): Upstream[] {
  if (!proxies.includes(directWord)) return proxies.map((proxy) => parseProxyUrl(proxy, env));
  if (proxies.length > 1) throw invalid('--proxy direct goes with no other proxy');
  return [];
}

/** How several proxies are gone through. Throws `option-invalid`. */
export function chainOf({ chain, chainLength }: Pick<RunOptions, 'chain' | 'chainLength'>): {
  mode?: ChainMode;
  length?: number;
} {
  const mode = chain === undefined ? undefined : wordOf('--chain', chain, chainModes);
  if (chainLength === undefined) return mode === undefined ? {} : { mode };
  const length = /^[0-9]{1,2}$/.test(chainLength) ? Number(chainLength) : 0;
  if (length < 1 || length > 16) throw invalid('--chain-length is a number from 1 to 16');
  if (mode !== 'random' && mode !== 'round-robin')
    throw invalid('--chain-length goes with --chain random or round-robin');
  return { mode, length };
}

function invalid(detail: string): CulvertError {
  return new CulvertError('option-invalid', { detail });
}
