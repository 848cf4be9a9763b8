/**
 * Where an app wants to go, in the form in which it may be said to a proxy.
 *
 * Does: checks names and addresses before any request is built (S49), because a name that an app asked
 * for is untrusted text. Must not: resolve anything.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { CulvertError } from '#shared/failure.ts';
import { phrase, type Phrase, type Said } from '#shared/phrase.ts';

export interface Destination {
  /** A name as the app wrote it, or an address without brackets. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
  readonly kind: 'name' | 'ipv4' | 'ipv6';
}

/** Longest name in bytes: what DNS can carry (RFC 1035 §3.1), below the 255 of SOCKS5 (RFC 1928 §5). */
export const maxNameBytes = 253;

const nameCharacters = /^[A-Za-z0-9._-]+$/;

/** Makes a checked destination of a name or address. Throws `host-name-invalid`. */
export function destinationOf(host: string, port: number): Destination {
  const destination: Destination = { host, port, kind: kindOf(host) };
  checkDestination(destination);
  return destination;
}

/** Throws `host-name-invalid` unless this may be put into a request; called again right before it is. */
export function checkDestination({ host, port, kind }: Destination): void {
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw invalid('port outside of 1 to 65535');
  if (kind !== kindOf(host)) throw invalid(`not an address of the kind ${kind}`);
  if (kind === 'ipv6' && host.includes('%')) throw invalid('an IPv6 address with a zone');
  const reason = kind === 'name' ? nameDefect(host) : undefined;
  if (reason !== undefined) throw invalid(reason);
}

/** What is wrong with a host name, or undefined when it may be sent. Does not repeat the name. */
export function nameDefect(name: string): Phrase | undefined {
  if (name === '') return phrase('proxy-text.name-empty');
  if (name.length > maxNameBytes) return phrase('proxy-text.name-long', { most: maxNameBytes });
  return nameCharacters.test(name) ? undefined : phrase('proxy-text.name-characters');
}

/** `host:port` with brackets round an IPv6 address (RFC 3986 §3.2.2). */
export function authorityOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Reads `address`, `address:port` or `[address]:port`; undefined for a name and for all else. */
export function addressAndPort(
  text: string,
): { readonly host: string; readonly port: number | undefined } | undefined {
  const whole = kindOf(text) !== 'name';
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::([0-9]{1,5}))?$/.exec(text);
  const host = whole ? text : (parts?.[1] ?? parts?.[2] ?? '');
  const port = whole || parts?.[3] === undefined ? undefined : Number(parts[3]);
  if (kindOf(host) === 'name' || host.includes('%')) return undefined;
  if (parts?.[1] !== undefined && kindOf(host) !== 'ipv6') return undefined;
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  return { host, port };
}

/** What a host text is; an IPv6 address may have a zone. */
export function kindOf(host: string): Destination['kind'] {
  if (isIPv4(host)) return 'ipv4';
  return isIPv6(host) ? 'ipv6' : 'name';
}

function invalid(detail: Said): CulvertError {
  return new CulvertError('host-name-invalid', { detail });
}
