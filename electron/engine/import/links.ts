/**
 * Proxies as people pass them on: one a line, in every form that is usual.
 *
 *   scheme://user:password@host:port#name      socks5, socks5h, socks4, socks4a, http, https
 *   socks://BASE64(user:password@host:port)    as v2rayN writes it, also BASE64(user:password)@host:port
 *   https://t.me/socks?server=…&port=…         Telegram, also tg://socks
 *   host:port   host:port:user:password        SOCKS5; the second also behind a scheme
 *
 * Does: says of every line what became of it. Must not: show any part of a line that was not understood, which may
 * be a password wherever it stands.
 */
import { formatUpstream } from '../upstream/url.ts';
import type { Upstream } from '#shared/model.ts';
import { phrase, type Phrase, type Said } from '#shared/phrase.ts';
import type { Read } from './addresses.ts';
import { authorityOf } from '../upstream/destination.ts';
import { printable } from './line.ts';
import { Draft, type ImportResult } from './result.ts';
import { linesOf, type TextLine } from './text.ts';
import { readProxyUrl, readServer } from './upstream.ts';

const comments = ['#', '//', ';'];
const maxLinkLength = 4096;
const asSocks5 = phrase('proxy-text.as-socks5');

/** What speaks neither SOCKS nor HTTP; their clients offer a local SOCKS port. */
const otherProtocols: Readonly<Record<string, string>> = {
  ss: 'Shadowsocks',
  ssr: 'ShadowsocksR',
  vmess: 'VMess',
  vless: 'VLESS',
  trojan: 'Trojan',
  'trojan-go': 'Trojan',
  hysteria: 'Hysteria',
  hysteria2: 'Hysteria 2',
  hy2: 'Hysteria 2',
  tuic: 'TUIC',
  snell: 'Snell',
  anytls: 'AnyTLS',
  mieru: 'Mieru',
  juicity: 'Juicity',
  naive: 'NaïveProxy',
  'naive+https': 'NaïveProxy',
  wg: 'WireGuard',
  wireguard: 'WireGuard',
  ssh: 'SSH',
};

export interface ProxyLink {
  readonly upstream: Upstream;
  readonly name?: string;
  /** What was assumed, for the user. */
  readonly remark?: Phrase;
}

/** Why Culvert cannot use a protocol of this name, in the words of the import's table. */
export function otherProtocolReason(protocol: string): Phrase {
  return phrase('proxy-text.other-protocol', { protocol });
}

/** It is a proxy, but of a protocol that Culvert does not speak. */
const otherKinds: ReadonlySet<string> = new Set([
  phrase('proxy-text.mtproto').key,
  otherProtocolReason('').key,
]);

/** Reads many links, one a line. */
export function importLinks(text: string): ImportResult {
  const draft = new Draft('links');
  const seen = new Map<string, number>();
  for (const line of linesOf(text, comments)) takeLink(draft, line, seen);
  return draft.finish();
}

/** Reads one line into the draft; `seen` has the line of every proxy that is already there. */
export function takeLink(draft: Draft, line: TextLine, seen: Map<string, number>): void {
  const link = readLink(line.text);
  if (!link.ok) {
    const status = otherKinds.has(link.reason.key) ? 'skipped' : 'invalid';
    draft.say(line.number, status, unreadText(line.text), link.reason);
    return;
  }
  const { upstream, name, remark } = link.value;
  const shown = formatUpstream(upstream);
  const key = JSON.stringify([shown, upstream.user, upstream.password]);
  const first = seen.get(key);
  if (first !== undefined)
    return draft.say(line.number, 'skipped', shown, phrase('proxy-text.same-proxy', { line: first }));
  seen.set(key, line.number);
  const profile = draft.addProfile({ name: name ?? authorityOf(upstream), servers: [upstream] });
  draft.say(line.number, 'taken', name === undefined ? shown : `${profile.name}: ${shown}`, remark);
}

/** Reads one link in any of the forms. The reason of a refusal repeats none of it. */
export function readLink(line: string): Read<ProxyLink> {
  if (line.length > maxLinkLength) return no(phrase('proxy-text.too-long', { most: maxLinkLength }));
  const text = unwrap(line);
  const scheme = schemeOf(text);
  const telegram = telegramPart(text);
  if (telegram !== undefined) return readTelegram(telegram);
  if (scheme !== undefined && Object.hasOwn(otherProtocols, scheme)) {
    return no(otherProtocolReason(otherProtocols[scheme] ?? scheme));
  }
  return readBase64(text, scheme) ?? readColons(text, scheme) ?? readUrl(text, scheme);
}

function readUrl(text: string, scheme: string | undefined): Read<ProxyLink> {
  const upstream = readProxyUrl(text);
  if (!upstream.ok) return upstream;
  const hash = text.indexOf('#');
  const name = hash === -1 ? '' : decodeName(text.slice(hash + 1));
  return yes(upstream.value, name, scheme === undefined ? asSocks5 : undefined);
}

/** `host:port:user:password`, whose password may hold anything. */
function readColons(text: string, scheme: string | undefined): Read<ProxyLink> | undefined {
  const rest = scheme === undefined ? text : text.slice(scheme.length + 3);
  const parts =
    /^(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253}):([0-9]{1,5}):([^:@\s]{1,255}):(\S{1,255})$/.exec(rest);
  if (parts === null) return undefined;
  const [, host = '', port = '', user, password] = parts;
  const kind = kindOf(scheme);
  if (kind === undefined) return undefined;
  if (/@(?:[^@:]+|\[[^@]+\]):[0-9]+\/?$/.test(rest)) return no(phrase('proxy-text.two-readings'));
  const upstream = readServer({ kind, host, port, user, password });
  if (!upstream.ok) return upstream;
  return yes(upstream.value, '', scheme === undefined ? asSocks5 : undefined);
}

/** The whole behind the scheme in base64, or the sign-in alone. Undefined if it is neither. */
function readBase64(text: string, scheme: string | undefined): Read<ProxyLink> | undefined {
  if (scheme === undefined || kindOf(scheme) === undefined) return undefined;
  const parts = /^([A-Za-z0-9+/_=%-]{4,})(?:@([^@#]*))?(?:#(.*))?$/s.exec(text.slice(scheme.length + 3));
  const inner = parts?.[1] === undefined ? undefined : decodeBase64(parts[1]);
  if (inner === undefined || parts === null) return undefined;
  const name = decodeName(parts[3] ?? '');
  if (parts[2] === undefined) {
    if (!/:[0-9]{1,5}$/.test(inner)) return undefined;
    const upstream = readSigned(scheme, inner);
    return upstream.ok ? yes(upstream.value, name) : upstream;
  }
  const colon = inner.indexOf(':');
  if (scheme !== 'socks' || colon < 1) return undefined;
  const address = readProxyUrl(`${scheme}://${parts[2]}`);
  if (!address.ok) return address;
  const { kind, host, port } = address.value;
  const upstream = readServer({
    kind,
    host,
    port,
    user: inner.slice(0, colon),
    password: inner.slice(colon + 1),
  });
  return upstream.ok ? yes(upstream.value, name) : upstream;
}

/** `user:password@host:port` with nothing in it escaped. */
function readSigned(scheme: string, inner: string): Read<Upstream> {
  const at = inner.lastIndexOf('@');
  const address = readProxyUrl(`${scheme}://${inner.slice(at + 1)}`);
  if (!address.ok || at === -1) return address;
  const colon = inner.indexOf(':');
  const hasPassword = colon !== -1 && colon < at;
  const { kind, host, port } = address.value;
  return readServer({
    kind,
    host,
    port,
    user: inner.slice(0, hasPassword ? colon : at),
    ...(hasPassword && { password: inner.slice(colon + 1, at) }),
  });
}

function telegramPart(text: string): string | undefined {
  return /^(?:(?:https?:\/\/)?(?:t\.me|telegram\.(?:me|dog))\/|tg:\/\/)((?:socks|proxy|http)\/?\?.*)$/is.exec(
    text,
  )?.[1];
}

function readTelegram(text: string): Read<ProxyLink> {
  if (!text.toLowerCase().startsWith('socks')) return no(phrase('proxy-text.mtproto'));
  const fields = new URLSearchParams(text.slice(text.indexOf('?') + 1).split('#')[0]);
  const host = fields.get('server') ?? '';
  if (host === '') return no(phrase('proxy-text.server-missing'));
  const port = fields.get('port') ?? '';
  if (port === '') return no(phrase('proxy-text.port-missing'));
  const [user, password] = [fields.get('user') ?? undefined, fields.get('pass') ?? undefined];
  const upstream = readServer({ kind: 'socks5', host, port, user, password });
  return upstream.ok ? yes(upstream.value, '') : upstream;
}

/** Takes off what comes along when a line is copied: quotes, commas, the bullet of a list. */
function unwrap(line: string): string {
  let text = line.trim();
  while (/[,;]$/.test(text)) text = text.slice(0, -1).trimEnd();
  text = text.replace(/^[-*•]\s+/, '');
  const quote = text[0] ?? '';
  const isQuoted = text.length > 1 && '"\'`'.includes(quote) && text.endsWith(quote);
  return isQuoted
    ? text.slice(1, -1).trim()
    : text.startsWith('<') && text.endsWith('>')
      ? text.slice(1, -1)
      : text;
}

function schemeOf(text: string): string | undefined {
  return /^([a-z][a-z0-9+.-]{0,19}):\/\//i.exec(text)?.[1]?.toLowerCase();
}

function kindOf(scheme: string | undefined): Upstream['kind'] | undefined {
  if (scheme === undefined) return 'socks5';
  const probe = readProxyUrl(`${scheme}://h:1`);
  return probe.ok ? probe.value.kind : undefined;
}

/** What stands in the table for a line that was not understood. */
function unreadText(line: string): Said {
  const scheme = schemeOf(unwrap(line.slice(0, 100)));
  const isKnown =
    scheme !== undefined && (Object.hasOwn(otherProtocols, scheme) || kindOf(scheme) !== undefined);
  return isKnown ? `${scheme}://…` : phrase('proxy-text.unread-line');
}

/** Text of printable ASCII behind base64 in either alphabet; undefined if it is none. */
function decodeBase64(text: string): string | undefined {
  const plain = text.replace(/%3d/gi, '=').replace(/-/g, '+').replace(/_/g, '/').replace(/=+$/, '');
  if (!/^[A-Za-z0-9+/]+$/.test(plain) || plain.length % 4 === 1) return undefined;
  const decoded = Buffer.from(plain, 'base64').toString('utf8');
  return decoded.includes(':') && !/[\p{Cc}\ufffd]/u.test(decoded) ? decoded : undefined;
}

function decodeName(text: string): string {
  try {
    return printable(decodeURIComponent(text), 60);
  } catch {
    // A name with a stray % in it is still a name.
    return printable(text, 60);
  }
}

function no(reason: Phrase): { ok: false; reason: Phrase } {
  return { ok: false, reason };
}

function yes(upstream: Upstream, name = '', remark?: Phrase): Read<ProxyLink> {
  return {
    ok: true,
    value: { upstream, ...(name !== '' && { name }), ...(remark !== undefined && { remark }) },
  };
}
