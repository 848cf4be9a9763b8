/**
 * Variables of the environment: `export ALL_PROXY=socks5h://192.0.2.1:1080`, as in a shell's profile, in
 * /etc/environment or in the output of `env`. Each proxy becomes a profile; no_proxy becomes rules that go direct,
 * for all of them.
 */
import { phrase } from '#shared/phrase.ts';
import { formatUpstream } from '../upstream/url.ts';
import { authorityOf } from '../upstream/destination.ts';
import { isOwnLoopback, readHostPattern, readPattern, readPort, readRange, type Read } from './addresses.ts';
import { readLink, takeLink } from './links.ts';
import { Draft, limits, refuse, type ImportResult } from './result.ts';
import { linesOf, type TextLine } from './text.ts';

/** `NAME=value`, with what shells and service files put in front. Only names of this pattern are recognised. */
const assignment =
  /^(?:export\s+|set\s+|setenv\s+|declare\s+-x\s+|Environment=["']?)?([A-Za-z_]\w{0,60})(?:\s*=\s*|\s+)(.*)$/s;
const proxyVariable = /^(?:all|http|https|socks|socks5)_proxy$/i;
const otherVariable = /^(?:ftp|rsync|rtsp|gopher|auto|npm_config|[a-z_]+)_proxy$/i;

interface Exception {
  readonly line: number;
  readonly shown: string;
  readonly to: string;
  readonly port?: string;
}

/** Whether this line assigns one of the variables. */
export function isProxyAssignment(line: string): boolean {
  const name = /^[^=]{0,100}=/.test(line) ? assignment.exec(line.slice(0, 200))?.[1] : undefined;
  return name !== undefined && (proxyVariable.test(name) || name.toLowerCase() === 'no_proxy');
}

/** Reads assignments, one a line; other lines are tried as proxy links. */
export function importEnvironment(text: string): ImportResult {
  const draft = new Draft('environment');
  const seen = new Map<string, number>();
  const exceptions: Exception[] = [];
  for (const line of linesOf(text, ['#'])) {
    const parts = assignment.exec(line.text);
    const name = parts?.[1] ?? '';
    const value = unquote(parts?.[2] ?? '');
    if (proxyVariable.test(name)) takeProxy(draft, line, name, value, seen);
    else if (name.toLowerCase() === 'no_proxy') takeExceptions(draft, line, value, exceptions);
    else if (otherVariable.test(name)) draft.say(line.number, 'skipped', name, phrase('import.one-protocol'));
    else if (parts !== null && line.text.includes('='))
      draft.say(line.number, 'skipped', phrase('import.a-variable'), phrase('import.not-proxy-variable'));
    else takeLink(draft, line, seen);
  }
  placeExceptions(draft, exceptions);
  return draft.finish();
}

function takeProxy(
  draft: Draft,
  line: TextLine,
  name: string,
  value: string,
  seen: Map<string, number>,
): void {
  if (value === '') return draft.say(line.number, 'skipped', name, phrase('address.empty'));
  const isSocks = name.toLowerCase().startsWith('socks');
  const link = readLink(value.includes('://') || isSocks ? value : `http://${value}`);
  if (!link.ok) return draft.say(line.number, 'invalid', name, link.reason);
  const { upstream } = link.value;
  const shown = `${name}: ${formatUpstream(upstream)}`;
  const key = JSON.stringify([formatUpstream(upstream), upstream.user, upstream.password]);
  const first = seen.get(key);
  if (first !== undefined)
    return draft.say(line.number, 'skipped', shown, phrase('proxy-text.same-proxy', { line: first }));
  seen.set(key, line.number);
  draft.addProfile({ name: link.value.name ?? authorityOf(upstream), servers: [upstream] });
  draft.say(line.number, 'taken', shown, phrase('import.for-all-traffic'));
}

function takeExceptions(draft: Draft, line: TextLine, value: string, exceptions: Exception[]): void {
  const hosts = value.split(/[\s,;|]+/).filter((host) => host !== '');
  if (hosts.length === 0) return draft.say(line.number, 'skipped', 'no_proxy', phrase('address.empty'));
  for (const host of hosts) {
    const shown = `no_proxy: ${host}`;
    if (isOwnLoopback(host) || isOwnLoopback(host.replace(/:[0-9]{1,5}$/, ''))) {
      draft.say(line.number, 'note', shown, phrase('import.own-loopback'));
      continue;
    }
    if (exceptions.length >= limits.rules)
      refuse(phrase('import-refusal.exceptions-most', { most: limits.rules }));
    const read = readException(host);
    if (read.ok) exceptions.push({ line: line.number, shown, ...read.value });
    else draft.say(line.number, 'skipped', shown, read.reason);
  }
}

/** A name stands for itself and all below it, as curl and others read it. */
function readException(text: string): Read<{ to: string; port?: string }> {
  if (text === '*' || text.endsWith('/0')) return { ok: false, reason: phrase('import.all-direct') };
  const range = readRange(text);
  if (range.ok) return { ok: true, value: { to: range.value } };
  const [, host = text, port] = /^(.*?)(?::([0-9]{1,5}))?$/s.exec(text) ?? [];
  const withPort = port === undefined ? {} : { port };
  if (port !== undefined && readPort(port) === undefined)
    return { ok: false, reason: phrase('address.not-port') };
  const address = readRange(host);
  if (address.ok) return { ok: true, value: { to: address.value, ...withPort } };
  const pattern = readHostPattern(host);
  if (!pattern.ok) return pattern;
  const hasMark = pattern.value.includes('*') || pattern.value.startsWith('.') || pattern.value.includes('/');
  const whole = hasMark ? pattern : readPattern(`.${pattern.value}`);
  return whole.ok ? { ok: true, value: { to: whole.value, ...withPort } } : whole;
}

function placeExceptions(draft: Draft, exceptions: readonly Exception[]): void {
  const profiles = draft.profiles.map(({ id }) => id);
  for (const { line, shown, to, port } of exceptions) {
    if (profiles.length === 0) {
      draft.say(line, 'skipped', shown, phrase('import.no-proxy-to-except'));
      continue;
    }
    const match = { to: [to], ...(port !== undefined && { ports: [port] }), profiles };
    draft.addRule({ name: 'no-proxy', note: 'no_proxy', match, action: 'direct' });
    draft.say(line, 'taken', shown);
  }
}

function unquote(text: string): string {
  const trimmed = text.trim().replace(/;$/, '').trimEnd();
  const quote = trimmed[0] ?? '';
  if (quote === '"' || quote === "'") {
    const end = trimmed.indexOf(quote, 1);
    return end === -1 ? trimmed.slice(1) : trimmed.slice(1, end);
  }
  return trimmed.endsWith('"') || trimmed.endsWith("'")
    ? trimmed.slice(0, -1)
    : (trimmed.split(/\s+#/, 1)[0] ?? '');
}
