/**
 * A client's query as a value, and the bytes of the answer to it.
 *
 * Does: decides what is a query at all (drop, error answer, or query), copies id and question into answers
 * byte for byte (so that the case of the letters survives, "0x20"), speaks EDNS for this hop only, and cuts
 * an answer that is too long for the client's datagram down to a truncated one.
 * Must not: throw for any input, or know where answers come from.
 */
import * as dnsPacket from 'dns-packet';
import { classIn, flag, headerBytes, rcode, recordType, scan } from './wire.ts';
import type { Rcode, Scan, WireRecord } from './wire.ts';

/** What this hop offers for datagrams: no fragments on any usual path (DNS flag day 2020). */
const ownUdpBytes = 1232;
/** Largest datagram for a client that says nothing (RFC 1035 §4.2.1). */
const plainUdpBytes = 512;
/** Longest query taken: room for padding (RFC 8467: 128-byte blocks) and cookies, far from 64 KiB. */
const maxQueryBytes = 4096;

/** One well-formed question of class IN with a type that can be asked for. */
export interface Query {
  readonly id: number;
  readonly flags: number;
  /** The question as it came: name, type and class. */
  readonly question: Buffer;
  /**
   * Lower case, labels joined by dots, without the last dot; '' for the root. A byte that is no letter,
   * digit, hyphen or underscore, a dot inside a label above all, is written `\DDD` (RFC 1035 §5.1).
   */
  readonly name: string;
  readonly type: number;
  /** Undefined when the client does not speak EDNS. */
  readonly edns: Edns | undefined;
}

interface Edns {
  readonly udpBytes: number;
  readonly version: number;
  readonly wantsDnssec: boolean;
}

/** Whole encoded records, ready to be appended. */
export interface Records {
  readonly count: number;
  readonly bytes: Buffer;
}

export type Reading =
  | { readonly kind: 'query'; readonly query: Query }
  | { readonly kind: 'error'; readonly answer: Buffer }
  | { readonly kind: 'drop' };

/**
 * Reads what a client sent. Answers and pieces without a header are dropped (an answer to an answer is a
 * loop); what has a header gets FORMERR, NOTIMP, REFUSED or BADVERS where it is not a query we take.
 */
export function readQuery(message: Buffer): Reading {
  if (message.length < headerBytes) return { kind: 'drop' };
  const flags = message.readUInt16BE(2);
  if ((flags & flag.response) !== 0) return { kind: 'drop' };
  if ((flags & flag.opcode) !== 0)
    return { kind: 'error', answer: bareAnswer(message, rcode.notImplemented) };
  const found = scan(message, maxQueryBytes);
  const query = found !== undefined && isDecodable(message) ? toQuery(message, found) : undefined;
  if (found === undefined || query === undefined) {
    return { kind: 'error', answer: bareAnswer(message, rcode.formatError) };
  }
  const refusal = refusalOf(query, found);
  if (refusal !== undefined) return { kind: 'error', answer: answer(query, { rcode: refusal }) };
  return { kind: 'query', query };
}

/**
 * Whether the library, too, can read every record of a message whose bounds are known to be right. It
 * catches record data that contradicts its own type.
 */
function isDecodable(message: Buffer): boolean {
  try {
    dnsPacket.decode(message);
    return true;
  } catch {
    // The sender is told by FORMERR.
    return false;
  }
}

function toQuery(message: Buffer, found: Scan): Query | undefined {
  const options = found.records.filter((record) => record.type === recordType.OPT);
  if (options.length > 1 || options.some((record) => record.section !== 'additional')) return undefined;
  const [option] = options;
  return {
    id: found.id,
    flags: found.flags,
    question: message.subarray(headerBytes, found.questionEnd),
    name: readName(message),
    type: found.type,
    edns: option === undefined ? undefined : toEdns(option),
  };
}

/** RFC 6891 §6.1.3: the class is the datagram size, the TTL is extended code, version and flags. */
function toEdns(option: WireRecord): Edns {
  return {
    udpBytes: Math.max(plainUdpBytes, option.class),
    version: (option.ttl >>> 16) & 0xff,
    wantsDnssec: (option.ttl & 0x8000) !== 0,
  };
}

function refusalOf(query: Query, found: Scan): Rcode | undefined {
  if (query.edns !== undefined && query.edns.version !== 0) return rcode.badVersion;
  if (found.class !== classIn) return rcode.refused;
  switch (query.type) {
    case 0:
    case recordType.OPT:
    case recordType.TSIG:
      return rcode.formatError;
    case recordType.AXFR:
    case recordType.IXFR:
      return rcode.refused;
    case recordType.TKEY:
    case recordType.MAILA:
    case recordType.MAILB:
      return rcode.notImplemented;
    default:
      return undefined;
  }
}

/** The question's name, which is known to be within bounds and, being the first, without pointers. */
function readName(message: Buffer): string {
  let at = headerBytes;
  let used = 0;
  for (let length = message[at] ?? 0; length !== 0; length = message[at] ?? 0) {
    if (used > 0) scratch[used++] = 0x2e;
    for (const end = at + length; at < end;) {
      const byte = message[++at] ?? 0;
      if (isPlainByte(byte)) scratch[used++] = byte;
      else if (byte >= 0x41 && byte <= 0x5a) scratch[used++] = byte + 0x20;
      else used += scratch.write(`\\${String(byte).padStart(3, '0')}`, used, 'latin1');
    }
    at += 1;
  }
  return scratch.toString('latin1', 0, used);
}

/** Room for a name of which every byte is escaped. */
const scratch = Buffer.alloc(4 * 256);

function isPlainByte(byte: number): boolean {
  return (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte === 0x2d || byte === 0x5f;
}

/** Header only: for what cannot be read any further. */
function bareAnswer(message: Buffer, code: Rcode): Buffer {
  const bytes = Buffer.alloc(headerBytes);
  const flags = message.readUInt16BE(2);
  bytes.writeUInt16BE(message.readUInt16BE(0), 0);
  bytes.writeUInt16BE(flag.response | (flags & (flag.opcode | flag.recursionDesired)) | code, 2);
  return bytes;
}

/** The answer to a query: its id and question, the records given, and an OPT record if the client sent one. */
export function answer(
  query: Query,
  content: { rcode: Rcode; answers?: Records; authority?: Records; isTruncated?: boolean },
): Buffer {
  const { question, edns } = query;
  const answers = content.answers?.bytes;
  const authority = content.authority?.bytes;
  const recordsAt = headerBytes + question.length;
  const authorityAt = recordsAt + (answers?.length ?? 0);
  const optAt = authorityAt + (authority?.length ?? 0);
  const bytes = Buffer.allocUnsafe(optAt + (edns === undefined ? 0 : 11));
  bytes.writeUInt16BE(query.id, 0);
  const copied = query.flags & (flag.recursionDesired | flag.checkingDisabled);
  const truncated = content.isTruncated === true ? flag.truncated : 0;
  bytes.writeUInt16BE(flag.response | flag.recursionAvailable | copied | truncated | (content.rcode & 15), 2);
  bytes.writeUInt16BE(1, 4);
  bytes.writeUInt16BE(content.answers?.count ?? 0, 6);
  bytes.writeUInt16BE(content.authority?.count ?? 0, 8);
  bytes.writeUInt16BE(edns === undefined ? 0 : 1, 10);
  question.copy(bytes, headerBytes);
  answers?.copy(bytes, recordsAt);
  authority?.copy(bytes, authorityAt);
  if (edns !== undefined) writeOpt(bytes, optAt, content.rcode);
  return bytes;
}

/** Version 0, our size, no options; the DO bit stays clear, as nothing here is signed. */
function writeOpt(bytes: Buffer, at: number, code: Rcode): void {
  bytes[at] = 0;
  bytes.writeUInt16BE(recordType.OPT, at + 1);
  bytes.writeUInt16BE(ownUdpBytes, at + 3);
  bytes.writeUInt32BE((code >> 4) << 24, at + 5);
  bytes.writeUInt16BE(0, at + 9);
}

/** The answer as it is, or an empty one with the TC bit when it does not fit the client's datagram. */
export function fitDatagram(query: Query, whole: Buffer): Buffer {
  const limit = Math.min(query.edns?.udpBytes ?? plainUdpBytes, 4096);
  if (whole.length <= limit) return whole;
  return answer(query, { rcode: (whole.readUInt16BE(2) & 15) as Rcode, isTruncated: true });
}

/**
 * The same question for the next hop: own id, EDNS for this hop only (so cookies, client subnet and the
 * like of the app's are not passed on, RFC 6891 §6.2.1), everything that changes the answer kept.
 */
export function forwardedQuery(query: Query, id: number): Buffer {
  const optAt = headerBytes + query.question.length;
  const bytes = Buffer.alloc(optAt + (query.edns === undefined ? 0 : 11));
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(query.flags & forwardedFlags, 2);
  bytes.writeUInt16BE(1, 4);
  query.question.copy(bytes, headerBytes);
  if (query.edns !== undefined) {
    bytes.writeUInt16BE(1, 10);
    writeOpt(bytes, optAt, rcode.noError);
    if (query.edns.wantsDnssec) bytes.writeUInt16BE(0x8000, optAt + 7);
  }
  return bytes;
}

const forwardedFlags = flag.recursionDesired | flag.checkingDisabled | flag.authenticData;

/** Names everything on which the answer may depend: queries with one key may share an answer. */
export function questionKey(query: Query): string {
  const how =
    (query.flags & forwardedFlags) | (query.edns === undefined ? 0 : 1) | (query.edns?.wantsDnssec ? 2 : 0);
  // The wire form, since a label may itself contain a dot. Its length bytes are below 64, so no letters; and
  // letters are those of ASCII only (RFC 4343), which `toLowerCase` alone would not respect.
  const name = query.question.toString('latin1', 0, query.question.length - 4);
  return `${how}:${query.type}:${name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())}`;
}
