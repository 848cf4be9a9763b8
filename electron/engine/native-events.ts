/** What the native parts tell of: the records of native/culvert.h (`cv_flow_event`, `cv_udp_event`) as objects. */
import ipaddr from 'ipaddr.js';

/** Bytes of one `cv_flow_event`. */
export const flowEventBytes = 72;
/** Bytes of a `cv_udp_event` before its payload. */
export const udpEventHeader = 72;

/** How the pump says that a flow ended (CV_END_…). */
const flowEnds = [
  'clean',
  'app-reset',
  'proxy-reset',
  'aborted',
  'half-idle',
  'unreachable',
  'dial-closed',
  'dial-answer',
  'dial-late',
] as const;
export type FlowEnd = (typeof flowEnds)[number];

/** What a dial waited for when it failed (CV_DIAL_…). */
const dialStages = ['connecting', 'greeting', 'sign-in', 'request'] as const;
export type DialStage = (typeof dialStages)[number];
/** `at` of an answer that went on behind its end. */
export const surplusAt = 255;

/** An app's connection: what the pump tells first of a flow. */
export interface AcceptedFlow {
  readonly flow: number;
  readonly listener: number;
  /** Textual, what the app connected to. */
  readonly address: string;
  readonly port: number;
  readonly sourcePort: number;
}

export interface EndedFlow {
  readonly flow: number;
  readonly end: FlowEnd;
  readonly errno: number;
  /** Undefined when it was not dialled, or without success. */
  readonly dialMs: number | undefined;
  readonly stage: DialStage;
  /** For `dial-answer`: which byte of the proxy's answer was not a yes, and what it was. */
  readonly at: number;
  readonly value: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Milliseconds from when both sides were there to the first byte for the app; undefined where there was none. */
  readonly firstByteMs: number | undefined;
}

export type FlowEvent = {
  readonly flow: number;
  /** Set in the first event of a flow; one that is not `accepted` was dialled as the last of its kind. */
  readonly first: AcceptedFlow | undefined;
} & (
  | { readonly kind: 'accepted' | 'dialling' }
  | { readonly kind: 'opened'; readonly dialMs: number }
  | { readonly kind: 'ended'; readonly ended: EndedFlow }
);

export type UdpEvent =
  | { kind: 'unknown'; lane: number; source: Buffer; destination: Buffer }
  | { kind: 'dns'; lane: number; source: Buffer; destination: Buffer; query: Buffer }
  | { kind: 'expired'; lane: number; association: number; bytesUp: number; bytesDown: number };

export function readFlowEvent(bytes: Buffer, at: number): FlowEvent {
  const flow = bytes.readUInt32LE(at + 4);
  const first = bytes[at + 23] === 0 ? undefined : readAccepted(bytes, at, flow);
  switch (bytes.readUInt32LE(at)) {
    case 1:
      return { kind: 'accepted', flow, first };
    case 2:
      return { kind: 'opened', flow, first, dialMs: bytes.readUInt32LE(at + 16) };
    case 4:
      return { kind: 'dialling', flow, first };
    default:
      return { kind: 'ended', flow, first, ended: readEnded(bytes, at, flow) };
  }
}

function readAccepted(bytes: Buffer, at: number, flow: number): AcceptedFlow {
  return {
    flow,
    listener: bytes.readUInt32LE(at + 40),
    address: readIp(bytes, at + 48),
    port: bytes.readUInt16BE(at + 64),
    sourcePort: bytes.readUInt16LE(at + 44),
  };
}

function readEnded(bytes: Buffer, at: number, flow: number): EndedFlow {
  const dialMs = bytes.readUInt32LE(at + 16);
  return {
    flow,
    end: flowEnds[bytes.readUInt32LE(at + 8) - 1] ?? 'aborted',
    errno: bytes.readInt32LE(at + 12),
    dialMs: dialMs === 0xffff_ffff ? undefined : dialMs,
    stage: dialStages[bytes.readUInt8(at + 20)] ?? 'connecting',
    at: bytes.readUInt8(at + 21),
    value: bytes.readUInt8(at + 22),
    bytesUp: readCount(bytes, at + 24),
    bytesDown: readCount(bytes, at + 32),
    firstByteMs: firstByteOf(bytes.readUInt32LE(at + 68)),
  };
}

/** Told plus one, so that 0 is for none. */
export function firstByteOf(told: number): number | undefined {
  return told === 0 ? undefined : told - 1;
}

/** Up to 2^53, and without a BigInt for each. */
function readCount(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 0x1_0000_0000;
}

/** The address of a `cv_addr` as text, an IPv4-mapped one as IPv4 (RFC 4291 §2.5.5.2). */
export function readIp(bytes: Buffer, at: number): string {
  const isMapped =
    bytes.readUInt32LE(at) === 0 && bytes.readUInt32LE(at + 4) === 0 && bytes.readUInt32BE(at + 8) === 0xffff;
  if (!isMapped) return ipaddr.fromByteArray([...bytes.subarray(at, at + 16)]).toString();
  return `${bytes[at + 12]}.${bytes[at + 13]}.${bytes[at + 14]}.${bytes[at + 15]}`;
}

export function readUdpEvent(bytes: Buffer, size: number): UdpEvent | undefined {
  const lane = bytes.readUInt32LE(4);
  const source = Buffer.from(bytes.subarray(16, 36));
  const destination = Buffer.from(bytes.subarray(36, 56));
  switch (bytes.readUInt32LE(0)) {
    case 1:
      return { kind: 'unknown', lane, source, destination };
    case 2:
      return {
        kind: 'dns',
        lane,
        source,
        destination,
        query: Buffer.from(bytes.subarray(udpEventHeader, size)),
      };
    case 3:
      return {
        kind: 'expired',
        lane,
        association: bytes.readUInt32LE(8),
        bytesUp: Number(bytes.readBigUInt64LE(56)),
        bytesDown: Number(bytes.readBigUInt64LE(64)),
      };
    default:
      return undefined;
  }
}
