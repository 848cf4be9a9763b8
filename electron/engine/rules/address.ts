/**
 * Addresses and ranges of addresses as numbers, so that rules can compare them.
 *
 * Does: take IPv4-mapped IPv6 addresses (RFC 4291 §2.5.5.2) for the IPv4 addresses that they are.
 * Must not: match an IPv4 address with an IPv6 range, however wide.
 */
import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

export type Address =
  { readonly family: 4; readonly value: number } | { readonly family: 6; readonly value: bigint };

/** All addresses whose first `length` bits are those of `first`. */
export type AddressRange =
  | { readonly family: 4; readonly first: number; readonly length: number }
  | { readonly family: 6; readonly first: bigint; readonly length: number };

const mappedBits = 96;
const mappedHead = 0xffffn;

/** Reads an address without brackets; a zone (`%eth0`) is passed over. Undefined for what is no address. */
export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { family: 4, value: valueOfIPv4(text) };
  if (!isIPv6(text)) return undefined;
  const zone = text.indexOf('%');
  let value = 0n;
  for (const part of ipaddr.IPv6.parse(zone === -1 ? text : text.slice(0, zone)).parts) {
    value = (value << 16n) | BigInt(part);
  }
  if (value >> 32n === mappedHead) return { family: 4, value: Number(value & 0xffffffffn) };
  return { family: 6, value };
}

/** Reads `10.0.0.0/8`, `2001:db8::/32` or a single address without zone. Undefined for what is neither. */
export function parseRange(text: string): AddressRange | undefined {
  const [host = '', bits, ...rest] = text.split('/');
  if (rest.length > 0 || host.includes('%')) return undefined;
  const address = parseAddress(host);
  if (address === undefined) return undefined;
  if (bits === undefined) return rangeOf(address, address.family === 4 ? 32 : 128);
  const length = /^(?:0|[1-9][0-9]{0,2})$/.test(bits) ? Number(bits) : Number.NaN;
  if (!(length <= (isIPv4(host) ? 32 : 128))) return undefined;
  if (isIPv4(host) || address.family === 6) return rangeOf(address, length);
  if (length >= mappedBits) return rangeOf(address, length - mappedBits);
  return rangeOf({ family: 6, value: (mappedHead << 32n) | BigInt(address.value) }, length);
}

/** The range of all addresses that share the first `length` bits with this one. */
export function rangeOf(address: Address, length: number): AddressRange {
  if (address.family === 4) return { family: 4, first: prefixOf4(address.value, length), length };
  const shift = BigInt(128 - length);
  return { family: 6, first: (address.value >> shift) << shift, length };
}

export function contains(range: AddressRange, address: Address): boolean {
  if (range.family === 4) {
    return address.family === 4 && prefixOf4(address.value, range.length) === range.first;
  }
  if (address.family === 4) return false;
  const shift = BigInt(128 - range.length);
  return address.value >> shift === range.first >> shift;
}

/** Whether every address of the other range is in this one. */
export function containsRange(range: AddressRange, other: AddressRange): boolean {
  return range.length <= other.length && contains(range, firstOf(other));
}

export function firstOf(range: AddressRange): Address {
  return range.family === 4 ? { family: 4, value: range.first } : { family: 6, value: range.first };
}

/** The first `length` bits of an IPv4 address, the others 0. */
export function prefixOf4(value: number, length: number): number {
  return length === 0 ? 0 : (value & (-1 << (32 - length))) >>> 0;
}

function valueOfIPv4(text: string): number {
  let value = 0;
  let byte = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit >= 0) byte = byte * 10 + digit;
    else {
      value = value * 256 + byte;
      byte = 0;
    }
  }
  return value * 256 + byte;
}
