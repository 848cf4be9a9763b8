/** Proxies as people paste them: everything that an import of links takes, one at a time. */
import { CulvertError } from '#shared/failure.ts';
import type { Upstream } from '#shared/model.ts';
import { phrase } from '#shared/phrase.ts';
import { readLink } from '../import/links.ts';
import { nameOf } from '../import/result.ts';
import { authorityOf } from '../upstream/destination.ts';
import { directWord, lacksPassword } from '../upstream/url.ts';

export interface TypedProxy {
  readonly upstream: Upstream;
  /** What it calls itself behind its `#`, else its address. */
  readonly name: string;
}

export interface TypedProxies {
  /** With those passwords that were typed; empty for `direct`. */
  readonly upstreams: readonly Upstream[];
  /** What they call themselves behind their `#`, else their addresses. */
  readonly name: string;
}

/**
 * The servers of a chain, in order. `env` is where a password may be (CULVERT_PASSWORD). Throws `proxy-url-invalid`,
 * `option-invalid` for `direct` among others.
 */
export function readProxies(texts: readonly string[], env: NodeJS.ProcessEnv): TypedProxies {
  if (texts.includes(directWord)) {
    if (texts.length > 1)
      throw new CulvertError('option-invalid', { detail: phrase('proxy-text.direct-alone') });
    return { upstreams: [], name: 'Direct' };
  }
  const read = texts.map((text) => readProxy(text, env));
  const name = read.map((proxy) => proxy.name).join(' → ');
  return { upstreams: read.map(({ upstream }) => upstream), name: cut(name) };
}

/** A text with any number of proxies, taken apart: one a line, or links beside each other; comments are left out. */
export function proxyTextsIn(text: string): string[] {
  return text
    .split(/[\r\n]+|[\s,;]+(?=[a-z][a-z0-9+.-]{0,19}:\/\/)/i)
    .map((part) => part.trim())
    .filter((part) => part !== '' && !/^(?:#|\/\/|;)/.test(part));
}

/** To the length that a name may have. */
function cut(name: string): string {
  return name.length <= 60 ? name : `${name.slice(0, 59).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** Reads one of any form that an import of links takes. Throws `proxy-url-invalid`. */
export function readProxy(text: string, env: NodeJS.ProcessEnv): TypedProxy {
  const link = readLink(text);
  if (!link.ok) throw new CulvertError('proxy-url-invalid', { detail: link.reason });
  const { upstream } = link.value;
  const name = nameOf(link.value.name ?? authorityOf(upstream), 'Proxy');
  const fromEnv = env['CULVERT_PASSWORD'];
  const takesIt = fromEnv !== undefined && lacksPassword(upstream);
  return { name, upstream: takesIt ? { ...upstream, password: fromEnv } : upstream };
}
