/**
 * The lines behind [ProxyList] in a proxychains.conf: `type host port [user password]`, or a URL.
 */
import type { Upstream, UpstreamKind } from '#shared/model.ts';
import { phrase, type Phrase, type Said } from '#shared/phrase.ts';
import type { Read } from './addresses.ts';
import { readLink } from './links.ts';
import { readServer } from './upstream.ts';

const kinds: ReadonlyMap<string, UpstreamKind> = new Map([
  ['socks4', 'socks4a'],
  ['socks5', 'socks5'],
  ['http', 'http'],
]);

/** Options of the part before: one of them here is a mistake that proxychains ends at. */
const options =
  /^(?:(?:strict|dynamic|random|round_robin)_chain|chain_len|proxy_dns\w*|localnet|dnat|quiet_mode|tcp_\w+_time_out|remote_dns_subnet|\[ProxyList\])$/;

export interface ProxyLine {
  readonly server: Read<Upstream>;
  /** What may be shown of the line if the server was not understood. */
  readonly shown: Said;
  readonly isRaw: boolean;
  /** It is no server at all, but an option at the wrong place. */
  readonly isOption: boolean;
  /** What was made of it that is not in it. */
  readonly remark?: Phrase;
}

/** Whether a line that begins with this word belongs behind [ProxyList]. */
export function isProxyType(word: string): boolean {
  return kinds.has(word) || word === 'raw';
}

/** Reads one line, which may hold a password anywhere. */
export function readProxyLine(text: string): ProxyLine {
  const [type = '', host = '', port = '', ...rest] = text.split(/\s+/, 9);
  const isRaw = type === 'raw';
  const isOption = options.test(type);
  if (isOption) {
    const reason = phrase('proxychains.misplaced-option');
    return { server: { ok: false, reason }, shown: type, isRaw, isOption };
  }
  const kind = kinds.get(type);
  const shown =
    kind === undefined && !isRaw
      ? phrase('proxychains.unread-proxy')
      : phrase('proxychains.kind-of-proxy', { kind: type });
  if (isRaw) {
    const reason = phrase('proxychains.raw-type');
    return { server: { ok: false, reason }, shown, isRaw, isOption };
  }
  if (port === '') return { server: readUrl(text), shown, isRaw, isOption };
  if (kind === undefined) {
    const reason = phrase('proxychains.other-list-type');
    return { server: { ok: false, reason }, shown, isRaw, isOption };
  }
  const hasComment = rest[0]?.startsWith('#') === true;
  const [user, password] = hasComment ? [] : rest;
  const server = readServer({ kind, host, port, user, password });
  const remark = remarkOf(kind, hasComment, password);
  return { server, shown, isRaw, isOption, ...(remark !== undefined && { remark }) };
}

function remarkOf(kind: UpstreamKind, hasComment: boolean, password: string | undefined): Phrase | undefined {
  if (hasComment) return phrase('proxychains.hash-comment');
  return kind === 'socks4a' && password !== undefined ? phrase('proxychains.socks4-password') : undefined;
}

function readUrl(text: string): Read<Upstream> {
  const link = readLink(text);
  if (!text.includes('://')) return { ok: false, reason: phrase('proxychains.list-form') };
  if (!link.ok) return link;
  const { upstream } = link.value;
  return { ok: true, value: upstream.kind === 'socks4' ? { ...upstream, kind: 'socks4a' } : upstream };
}
