/**
 * Addresses, ranges, host names and ports as other programs write them, in the form in which rules have them
 * (electron/shared/profile.ts, `ruleMatch`). Must not: look anything up.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { phrase, type Phrase } from '#shared/phrase.ts';
import { parsePattern } from '../rules/pattern.ts';

export type Read<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: Phrase };

const no = (reason: Phrase): { ok: false; reason: Phrase } => ({ ok: false, reason });
const yes = <T>(value: T): { ok: true; value: T } => ({ ok: true, value });

/** `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`; brackets round IPv6 are taken off. */
export function readRange(text: string): Read<string> {
  const slash = text.indexOf('/');
  const address = unbracket(slash === -1 ? text : text.slice(0, slash));
  const width = widthOf(address);
  if (width === undefined) return no(phrase('address.not-address-or-range'));
  if (slash === -1) return yes(address);
  const prefix = readPrefix(text.slice(slash + 1), width);
  return prefix === undefined
    ? no(phrase('address.prefix-length', { most: width }))
    : yes(`${address}/${prefix}`);
}

/** An address with an optional port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`. */
export function readAddressPort(text: string): Read<{ address: string; port?: number }> {
  if (isIPv6(text) && !text.includes('%')) return yes({ address: text });
  const parts = /^(?:\[([^\]]{2,45})\]|([0-9.]{7,15}))(?::([0-9]{1,5}))?$/.exec(text);
  const address = parts?.[1] ?? parts?.[2] ?? '';
  const width = widthOf(address);
  if (width === undefined || (parts?.[1] !== undefined && width === 32))
    return no(phrase('address.not-address'));
  if (parts?.[3] === undefined) return yes({ address });
  const port = readPort(parts[3]);
  return port === undefined ? no(phrase('address.not-port')) : yes({ address, port });
}

/** Length of a prefix: `24`, or for IPv4 a mask such as `255.255.255.0`; undefined for anything else. */
export function readPrefix(text: string, width: 32 | 128): number | undefined {
  if (/^[0-9]{1,3}$/.test(text)) return Number(text) <= width ? Number(text) : undefined;
  if (width !== 32 || !isIPv4(text)) return undefined;
  const bits = valueOf(text).toString(2).padStart(32, '0');
  const ones = bits.lastIndexOf('1') + 1;
  return bits.slice(0, ones).includes('0') ? undefined : ones;
}

/** 1 to 65535, or undefined. */
export function readPort(text: string): number | undefined {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

/** `443` or `8000-8100`. */
export function readPorts(text: string): Read<string> {
  const [from = '', to, ...more] = text.split('-').map((part) => part.trim());
  const [first, last] = [readPort(from), to === undefined ? readPort(from) : readPort(to)];
  if (first === undefined || last === undefined || more.length > 0 || first > last) {
    return no(phrase('address.not-ports'));
  }
  return yes(first === last ? String(first) : `${first}-${last}`);
}

/** The ranges that together are all from `first` to `last`; at most 2 × 128 of them. */
export function readSpan(first: string, last: string): Read<string[]> {
  const [from, to] = [unbracket(first), unbracket(last)];
  const width = widthOf(from);
  if (width === undefined || width !== widthOf(to)) return no(phrase('address.not-span'));
  const end = valueOf(to);
  const ranges: string[] = [];
  for (let at = valueOf(from); at <= end;) {
    let free = 0;
    while (free < width && (at & (1n << BigInt(free))) === 0n && at + (2n << BigInt(free)) - 1n <= end)
      free += 1;
    ranges.push(free === 0 ? addressOf(at, width) : `${addressOf(at, width)}/${width - free}`);
    at += 1n << BigInt(free);
  }
  return ranges.length === 0 ? no(phrase('address.span-order')) : yes(ranges);
}

/** A name or a pattern with `*`; names in other scripts become their ASCII form, `192.168.*.*` a range. */
export function readHostPattern(text: string): Read<string> {
  if (text.includes('?')) return no(phrase('address.question-mark'));
  if (/^[.*]*$/.test(text)) return no(phrase(text === '' ? 'address.empty' : 'address.everything'));
  const masked = readMaskedAddress(text);
  if (masked !== undefined) return masked;
  // eslint-disable-next-line no-control-regex
  const name = /[^\u0000-\u007f]/.test(text) && !text.includes('*') ? domainToASCII(text) : text;
  if (!/^[A-Za-z0-9._*-]{1,253}$/.test(name)) return no(phrase('address.not-host'));
  return readPattern(name.toLowerCase());
}

/** What rules take as a destination, by their own parser. */
export function readPattern(text: string): Read<string> {
  const pattern = parsePattern(text);
  return 'key' in pattern ? no(phrase('address.not-entry', { defect: pattern })) : yes(text);
}

/** Whether it only ever means the computer that the app runs on; in a lane that is the lane itself. */
export function isOwnLoopback(text: string): boolean {
  const host = unbracket(text.toLowerCase());
  if (host === 'localhost' || host === '::1' || host === '::1/128' || host.endsWith('.localhost'))
    return true;
  return /^127(\.[0-9*]{1,3}){0,3}(\/[0-9]{1,2})?$/.test(host) && !/\/[0-7]$/.test(host);
}

/** Whether this is one address. */
export function isAddress(text: string): boolean {
  return widthOf(text) !== undefined;
}

/** Bits of an address, or undefined for what is none; an IPv6 address with a zone is none. */
export function widthOf(address: string): 32 | 128 | undefined {
  if (isIPv4(address)) return 32;
  return isIPv6(address) && !address.includes('%') ? 128 : undefined;
}

function readMaskedAddress(text: string): Read<string> | undefined {
  if (!/^[0-9*]{1,3}(\.[0-9*]{1,3}){1,3}$/.test(text) || !text.includes('*')) return undefined;
  const parts = text.split('.');
  const fixed = parts.slice(0, Math.max(0, parts.indexOf('*')));
  if (parts.slice(fixed.length).some((part) => part !== '*')) return no(phrase('address.not-mask'));
  const address = [...fixed, '0', '0', '0', '0'].slice(0, 4).join('.');
  return isIPv4(address) && fixed.length > 0
    ? yes(`${address}/${fixed.length * 8}`)
    : no(phrase('address.not-mask'));
}

function unbracket(text: string): string {
  return text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
}

/** The address as a number; the text must be an address. */
function valueOf(address: string): bigint {
  if (isIPv4(address)) return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const dotted = /^(.*:)([0-9.]+)$/.exec(address);
  const tail = dotted?.[2]?.includes('.') === true ? valueOf(dotted[2]) : undefined;
  const hex =
    tail === undefined
      ? address
      : `${dotted?.[1] ?? ''}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`;
  const [before = '', after] = hex.split('::');
  const head = before === '' ? [] : before.split(':');
  const rest = after === undefined || after === '' ? [] : after.split(':');
  const groups = [...head, ...Array<string>(8 - head.length - rest.length).fill('0'), ...rest];
  return groups.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}

function addressOf(value: bigint, width: 32 | 128): string {
  const [size, count, radix] = width === 32 ? ([8n, 4, 10] as const) : ([16n, 8, 16] as const);
  const groups = Array.from({ length: count }, (_, index) => {
    const shift = size * BigInt(count - 1 - index);
    return ((value >> shift) & ((1n << size) - 1n)).toString(radix);
  });
  return groups.join(width === 32 ? '.' : ':');
}
