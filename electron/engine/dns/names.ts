/**
 * What kind of name a name is: which may be sent to a proxy (S49), and which never leave this computer.
 *
 * Does: the rules of RFC 6761 and its successors as one function, without state.
 * Must not: look anything up.
 */
import ipaddr from 'ipaddr.js';

export type NameKind =
  /** May be sent to a proxy as it is. */
  | { readonly kind: 'host' }
  /** `localhost` and below: 127.0.0.1 and ::1, answered here (RFC 6761 §6.3). */
  | { readonly kind: 'localhost' }
  /** Does not exist, by definition or by our choice. */
  | { readonly kind: 'absent' }
  /** Exists, but has no record of any type. */
  | { readonly kind: 'empty' }
  /** Below in-addr.arpa or ip6.arpa; the address if the name spells out a whole one. */
  | { readonly kind: 'reverse'; readonly address: string | undefined; readonly isPublic: boolean }
  /**
   * `.onion` (RFC 7686): not a DNS name, so no resolver may be asked, but the proxy may be Tor: it goes to
   * the proxy as a name.
   */
  | { readonly kind: 'onion' }
  /** A name for DNS, but with bytes that no host name has: not for a proxy. */
  | { readonly kind: 'not-a-host' };

/** Special names; what holds for one holds for every name below it. */
const endings: readonly (readonly [string, 'localhost' | 'absent' | 'empty' | 'onion'])[] = [
  ['localhost', 'localhost'],
  // Multicast DNS (RFC 6762): to ask a unicast server for it tells strangers what is on the local network.
  ['local', 'absent'],
  ['invalid', 'absent'],
  ['onion', 'onion'],
  // Discovery of encrypted resolvers (RFC 9462): "this resolver has none" keeps clients from going past us.
  ['resolver.arpa', 'empty'],
  // Discovery of NAT64 (RFC 7050): there is none on a lane.
  ['ipv4only.arpa', 'empty'],
  // Firefox asks for this before it turns its own DNS over HTTPS on by default. That would not leak, as it
  // goes through the proxy too, but rules and the list of connections would see addresses instead of names,
  // and one more company would see the names. "No such name" keeps the default off; a user's own setting
  // is not affected.
  ['use-application-dns.net', 'absent'],
];

/** Sorts a name: lower case, without the last dot, '' for the root (`Query.name`). */
export function classifyName(name: string): NameKind {
  if (name === '') return { kind: 'empty' };
  for (const [ending, kind] of endings) {
    if (name === ending || (name.endsWith(ending) && name.at(-ending.length - 1) === '.')) return { kind };
  }
  if (name.endsWith('.arpa')) {
    const reverse = classifyReverse(name);
    if (reverse !== undefined) return reverse;
  }
  if (looksLikeAddress(name)) return { kind: 'absent' };
  return { kind: isHostName(name) ? 'host' : 'not-a-host' };
}

/**
 * Whether a name may be written into a request to a proxy: 1 to 253 bytes; labels of 1 to 63 out of
 * a-z, A-Z, 0-9, hyphen and underscore; and not something that would be read as an address there.
 */
export function isHostName(name: string): boolean {
  return name.length <= 253 && hostNamePattern.test(name) && !looksLikeAddress(name);
}

const hostNamePattern = /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/i;

/**
 * Whether inet_aton(3) or a URL parser could take the name for an IPv4 address, odd forms such as `127.1`
 * and `0x7f000001` included: its last label is a number (WHATWG URL, "ends in a number"; no top-level
 * domain is one, RFC 3696 §2). As a fake address such a name would lead around rules about addresses.
 */
function looksLikeAddress(name: string): boolean {
  return /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/i.test(name);
}

function classifyReverse(name: string): NameKind | undefined {
  const labels = name.split('.');
  const zone = labels.splice(-2).join('.');
  if (zone !== 'in-addr.arpa' && zone !== 'ip6.arpa') return undefined;
  const isV4 = zone === 'in-addr.arpa';
  const width = isV4 ? 4 : 32;
  const isDigit = isV4 ? /^(?:0|[1-9][0-9]{0,2})$/ : /^[0-9a-f]$/;
  const digits = labels.reverse();
  const known = digits.findIndex((label) => !isDigit.test(label));
  const prefix = digits.slice(0, Math.min(known === -1 ? digits.length : known, width));
  const isWhole = prefix.length === width && digits.length === width;
  while (prefix.length < width) prefix.push('0');
  const text = isV4 ? prefix.join('.') : (prefix.join('').match(/.{4}/g) ?? []).join(':');
  if (!ipaddr.isValid(text)) return { kind: 'reverse', address: undefined, isPublic: false };
  const address = ipaddr.parse(text);
  return {
    kind: 'reverse',
    address: isWhole ? address.toString() : undefined,
    // A zone cut above every range (`in-addr.arpa` itself) is public; RFC 6303 and its registry are the rest.
    isPublic: digits.length === 0 || known === 0 || address.range() === 'unicast',
  };
}
