/** Proxies as people paste them: everything that an import of links takes, one at a time. */
import { CulvertError } from '#shared/failure.ts';
import type { Upstream } from '#shared/model.ts';
import { formatUpstream, parseProxyUrl, upstreamOf } from '#engine';
import { importText } from '#engine/import';
import { directWord, lacksPassword } from './run-request.ts';

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
      throw new CulvertError('option-invalid', { detail: '“direct” goes with no other proxy' });
    return { upstreams: [], name: 'Direct' };
  }
  const read = texts.map((text) => readOne(text, env));
  const name = read.map((proxy) => proxy.name).join(' → ');
  return { upstreams: read.map(({ upstream }) => upstream), name: cut(name) };
}

/** To the length that a name may have. */
function cut(name: string): string {
  return name.length <= 60 ? name : `${name.slice(0, 59).replace(/[\ud800-\udbff]$/, '')}…`;
}

interface TypedProxy {
  readonly upstream: Upstream;
  readonly name: string;
}

/** As a link, which may be more than a URL; what is none gets the reason of the URL's parser. */
function readOne(text: string, env: NodeJS.ProcessEnv): TypedProxy {
  const link = readLink(text);
  if (link === undefined) {
    const upstream = parseProxyUrl(text, env);
    return { upstream, name: formatUpstream(upstream) };
  }
  const fromEnv = env['CULVERT_PASSWORD'];
  const takesIt = fromEnv !== undefined && lacksPassword(link.upstream);
  return takesIt ? { ...link, upstream: { ...link.upstream, password: fromEnv } } : link;
}

function readLink(text: string): TypedProxy | undefined {
  try {
    const { profiles, secrets } = importText(text, { kind: 'links' });
    const [profile, ...more] = profiles;
    const [server, ...rest] = profile?.chain.servers ?? [];
    if (profile === undefined || server === undefined || more.length + rest.length > 0) return undefined;
    const password = secrets.find((secret) => secret.server === server.id)?.password;
    return { upstream: upstreamOf(server, password), name: profile.name };
  } catch {
    // Nor is it a link: the reason of the URL is told.
    return undefined;
  }
}
