/**
 * Bounds of a DNS message, checked before anything else looks at it (S51).
 *
 * Does: walks the whole message once and says where its question and records are. Every name has at most
 * 128 labels and 255 bytes, a compression pointer leads strictly backwards and never into the header, every
 * count and length is covered by bytes that are there, and nothing is left over at the end.
 * Must not: throw, allocate by a number found in the message, or interpret record data.
 *
 * The `dns-packet` library alone would not do: it bounds the length of names but not the number of records
 * by what is left, follows pointers into the header, reads option data past the end of its record, joins
 * labels with dots even where a label contains one, and turns bytes that are not UTF-8 into U+FFFD.
 */

export const headerBytes = 12;
export const maxMessageBytes = 65_535;
const maxNameBytes = 255;
const maxLabels = 128;

/** Record types by number (IANA DNS parameters). */
export const recordType = {
  A: 1,
  NS: 2,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  AAAA: 28,
  OPT: 41,
  SVCB: 64,
  HTTPS: 65,
  TKEY: 249,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  MAILB: 253,
  MAILA: 254,
  ANY: 255,
} as const;

export const classIn = 1;

/** Response codes; `badVersion` needs the extended bits of an OPT record (RFC 6891 §6.1.3). */
export const rcode = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  noSuchName: 3,
  notImplemented: 4,
  refused: 5,
  badVersion: 16,
} as const;
export type Rcode = (typeof rcode)[keyof typeof rcode];

export const flag = {
  response: 0x8000,
  opcode: 0x7800,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  authenticData: 0x0020,
  checkingDisabled: 0x0010,
} as const;

/** One resource record, as places in the message. */
export interface WireRecord {
  readonly section: 'answer' | 'authority' | 'additional';
  readonly nameOffset: number;
  readonly type: number;
  readonly class: number;
  readonly ttlOffset: number;
  readonly ttl: number;
  readonly dataOffset: number;
  readonly dataBytes: number;
}

/** A message whose bounds are right; its question lies between byte 12 and `questionEnd`. */
export interface Scan {
  readonly id: number;
  readonly flags: number;
  readonly questionEnd: number;
  readonly type: number;
  readonly class: number;
  readonly records: readonly WireRecord[];
}

/**
 * Follows the name at `offset` to its end, pointers included, and answers where the bytes after it begin,
 * or -1 when it breaks a bound (RFC 1035 §§2.3.4, 4.1.4).
 */
export function skipName(message: Buffer, offset: number): number {
  let at = offset;
  let segment = offset;
  let end = -1;
  let bytes = 1;
  for (let labels = 0; labels <= maxLabels;) {
    const length = message[at];
    if (length === undefined) return -1;
    if (length === 0) return end === -1 ? at + 1 : end;
    if (length >= 0xc0) {
      const low = message[at + 1];
      if (low === undefined) return -1;
      const target = ((length & 0x3f) << 8) | low;
      if (target < headerBytes || target >= segment) return -1;
      if (end === -1) end = at + 2;
      at = target;
      segment = target;
    } else {
      if (length > 63) return -1;
      bytes += length + 1;
      at += length + 1;
      labels += 1;
      if (bytes > maxNameBytes || at >= message.length) return -1;
    }
  }
  return -1;
}

/** Checks the bounds of a message with exactly one question; undefined when one is broken. */
export function scan(message: Buffer, maxBytes: number = maxMessageBytes): Scan | undefined {
  if (message.length < headerBytes || message.length > maxBytes) return undefined;
  if (message.readUInt16BE(4) !== 1) return undefined;
  const nameEnd = skipName(message, headerBytes);
  if (nameEnd === -1 || nameEnd + 4 > message.length) return undefined;
  const records: WireRecord[] = [];
  let at = nameEnd + 4;
  for (const [section, countOffset] of sections) {
    for (let left = message.readUInt16BE(countOffset); left > 0; left -= 1) {
      const record = scanRecord(message, at, section);
      if (record === undefined) return undefined;
      records.push(record);
      at = record.dataOffset + record.dataBytes;
    }
  }
  if (at !== message.length) return undefined;
  return {
    id: message.readUInt16BE(0),
    flags: message.readUInt16BE(2),
    questionEnd: nameEnd + 4,
    type: message.readUInt16BE(nameEnd),
    class: message.readUInt16BE(nameEnd + 2),
    records,
  };
}

const sections = [
  ['answer', 6],
  ['authority', 8],
  ['additional', 10],
] as const;

function scanRecord(message: Buffer, offset: number, section: WireRecord['section']): WireRecord | undefined {
  const fixed = skipName(message, offset);
  if (fixed === -1 || fixed + 10 > message.length) return undefined;
  const dataBytes = message.readUInt16BE(fixed + 8);
  if (fixed + 10 + dataBytes > message.length) return undefined;
  const record: WireRecord = {
    section,
    nameOffset: offset,
    type: message.readUInt16BE(fixed),
    class: message.readUInt16BE(fixed + 2),
    ttlOffset: fixed + 4,
    ttl: message.readUInt32BE(fixed + 4),
    dataOffset: fixed + 10,
    dataBytes,
  };
  if (record.type === recordType.OPT && !areOptionsBounded(message, record)) return undefined;
  return record;
}

/** OPT: root name, and options that end exactly where their record ends (RFC 6891 §6.1.2). */
function areOptionsBounded(message: Buffer, record: WireRecord): boolean {
  if (message[record.nameOffset] !== 0) return false;
  const end = record.dataOffset + record.dataBytes;
  let at = record.dataOffset;
  while (at + 4 <= end) at += 4 + message.readUInt16BE(at + 2);
  return at === end;
}
