/** What the native parts tell of: the records of native/culvert.h (`cv_ended`, `cv_udp_event`) as objects. */

/** Bytes of one `cv_ended`. */
export const endedBytes = 32;
/** Bytes of a `cv_udp_event` before its payload. */
export const udpEventHeader = 72;

/** How the pump says that a flow ended (CV_END_…). */
export const flowEnds = ['clean', 'app-reset', 'proxy-reset', 'aborted', 'half-idle'] as const;
export type FlowEnd = (typeof flowEnds)[number];

export interface EndedFlow {
  readonly flow: number;
  readonly end: FlowEnd;
  readonly errno: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

export type UdpEvent =
  | { kind: 'unknown'; lane: number; source: Buffer; destination: Buffer }
  | { kind: 'dns'; lane: number; source: Buffer; destination: Buffer; query: Buffer }
  | { kind: 'expired'; lane: number; association: number; bytesUp: number; bytesDown: number };

export function readEnded(bytes: Buffer, at: number): EndedFlow {
  return {
    flow: bytes.readUInt32LE(at),
    end: flowEnds[bytes.readUInt32LE(at + 4) - 1] ?? 'aborted',
    errno: bytes.readInt32LE(at + 8),
    bytesUp: Number(bytes.readBigUInt64LE(at + 16)),
    bytesDown: Number(bytes.readBigUInt64LE(at + 24)),
  };
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
