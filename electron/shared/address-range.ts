/**
 * Addresses as numbers, for places without Node: the window filters connections by them, too. Pure.
 *
 * Must not: match an IPv4 address with an IPv6 range, however wide. Rules have their own (engine/rules/address.ts),
 * made for speed.
 */

export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** All addresses whose first `length` bits are those of `first`. */
export interface AddressRange {
  readonly first: Address;
  readonly length: number;
}

const mappedHead = 0xffffn;
const bitsOf = { 4: 32, 6: 128 } as const;

/**
 * Reads an address without brackets (RFC 4291 §2.2); a zone (`%eth0`) is passed over, and an IPv4-mapped address is
 * the IPv4 address that it is. Undefined for what is no address.
 */
export function parseAddress(text: string): Address | undefined {
  if (!text.includes(':')) {
    const value = valueOfIPv4(text);
    return value === undefined ? undefined : { family: 4, value };
  }
  const value = valueOfIPv6(text.replace(/%[0-9a-z.:-]+$/i, ''));
  if (value === undefined) return undefined;
  return value >> 32n === mappedHead ? { family: 4, value: value & 0xffffffffn } : { family: 6, value };
}

/** Reads `10.0.0.0/8`, `2001:db8::/32` or a single address. Undefined for what is neither. */
export function parseAddressRange(text: string): AddressRange | undefined {
  const [host = '', bits, ...rest] = text.split('/');
  const first = parseAddress(host);
  if (first === undefined || rest.length > 0) return undefined;
  const most = bitsOf[first.family];
  if (bits === undefined) return { first, length: most };
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(bits)) return undefined;
  // Of an IPv4-mapped range the first 96 bits say that it is one.
  const length = Number(bits) - (host.includes(':') ? bitsOf[6] - most : 0);
  return length < 0 || length > most ? undefined : { first, length };
}

export function isWithin(range: AddressRange, address: Address): boolean {
  if (range.first.family !== address.family) return false;
  const shift = BigInt(bitsOf[address.family] - range.length);
  return address.value >> shift === range.first.value >> shift;
}

function valueOfIPv4(text: string): bigint | undefined {
  const bytes = text.split('.');
  const isAddress = bytes.length === 4 && bytes.every((byte) => /^(?:0|[1-9][0-9]{0,2})$/.test(byte));
  if (!isAddress || bytes.some((byte) => Number(byte) > 255)) return undefined;
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function valueOfIPv6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => groupsOf(half));
  if (head === undefined) return undefined;
  if (halves.length === 1) return head.length === 8 ? joined(head) : undefined;
  if (tail === undefined || head.length + tail.length > 7) return undefined;
  return joined([...head, ...Array<bigint>(8 - head.length - tail.length).fill(0n), ...tail]);
}

/** The groups of one side of `::`; the last two may be written as an IPv4 address. */
function groupsOf(text: string): bigint[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const last = parts.at(-1) ?? '';
  const embedded = last.includes('.') ? valueOfIPv4(last) : undefined;
  if (last.includes('.')) parts.pop();
  if (last.includes('.') && embedded === undefined) return undefined;
  if (!parts.every((part) => /^[0-9a-f]{1,4}$/i.test(part))) return undefined;
  const groups = parts.map((part) => BigInt(`0x${part}`));
  return embedded === undefined ? groups : [...groups, embedded >> 16n, embedded & 0xffffn];
}

function joined(groups: readonly bigint[]): bigint {
  return groups.reduce((value, group) => (value << 16n) | group, 0n);
}
