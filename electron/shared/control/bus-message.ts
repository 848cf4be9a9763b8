/**
 * Messages of D-Bus as bytes (D-Bus Specification 0.43, Marshaling and Message Protocol): calls whose arguments are
 * strings, in little endian, and of what comes back the kind, the body and what it answers.
 */
/** What is asked here has short answers; whoever says more is no bus. */
export const maxMessageBytes = 64 * 1024;
const fixedBytes = 16;
const kinds = { call: 1, answer: 2, error: 3, signal: 4 };
/** Header fields by their codes. */
const fields = { path: 1, interface: 2, member: 3, replySerial: 5, destination: 6, signature: 8 };
/** Must not be started for the call. */
const noAutoStart = 2;

export interface BusCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly strings?: readonly string[];
}

/** A message that came: a signal, or what answers a call, without a body where that is an error. */
export interface BusMessage {
  readonly lengthBytes: number;
  readonly isSignal: boolean;
  readonly answers?: { readonly serial: number; readonly body: Buffer | undefined };
}

/** A message in little endian: the fixed part, the array of header fields, padding to eight, the body. */
export function methodCall(serial: number, call: BusCall): Buffer {
  const strings = call.strings ?? [];
  const header: [number, string, string][] = [
    [fields.path, 'o', call.path],
    [fields.interface, 's', call.interface],
    [fields.member, 's', call.member],
    [fields.destination, 's', call.destination],
  ];
  if (strings.length > 0) header.push([fields.signature, 'g', 's'.repeat(strings.length)]);
  let array = Buffer.alloc(0);
  for (const [code, type, value] of header) {
    const named = Buffer.concat([padded(array, 8), Buffer.from([code, 1]), Buffer.from(`${type}\0`)]);
    array = Buffer.concat([named, marshal(type, value)]);
  }
  let body = Buffer.alloc(0);
  for (const value of strings) body = Buffer.concat([padded(body, 4), marshal('s', value)]);
  const fixed = Buffer.alloc(fixedBytes);
  fixed.write('l', 0, 'latin1');
  fixed.writeUInt8(kinds.call, 1);
  fixed.writeUInt8(noAutoStart, 2);
  fixed.writeUInt8(1, 3);
  fixed.writeUInt32LE(body.length, 4);
  fixed.writeUInt32LE(serial, 8);
  fixed.writeUInt32LE(array.length, 12);
  return Buffer.concat([padded(Buffer.concat([fixed, array]), 8), body]);
}

/** A string or object path has four bytes of length before it, a signature one; all end with NUL. */
function marshal(type: string, value: string): Buffer {
  const text = Buffer.from(`${value}\0`);
  const length = Buffer.alloc(type === 'g' ? 1 : 4);
  if (type === 'g') length.writeUInt8(text.length - 1);
  else length.writeUInt32LE(text.length - 1);
  return Buffer.concat([length, text]);
}

function padded(bytes: Buffer, to: number): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((to - (bytes.length % to)) % to)]);
}

/** The message at the beginning of these bytes; undefined while it is not all there. Throws for what is no message. */
export function readMessage(bytes: Buffer): BusMessage | undefined {
  if (bytes.length < fixedBytes) return undefined;
  if (bytes[0] !== 0x6c) throw new Error('the bus speaks big endian');
  const kind = bytes[1];
  const bodyAt = Math.ceil((fixedBytes + bytes.readUInt32LE(12)) / 8) * 8;
  const lengthBytes = bodyAt + bytes.readUInt32LE(4);
  if (lengthBytes > maxMessageBytes) throw new Error('too long a message');
  if (bytes.length < lengthBytes) return undefined;
  const isSignal = kind === kinds.signal;
  if (kind !== kinds.answer && kind !== kinds.error) return { lengthBytes, isSignal };
  const message = bytes.subarray(0, lengthBytes);
  const body = kind === kinds.error ? undefined : message.subarray(bodyAt);
  return { lengthBytes, isSignal, answers: { serial: replySerialOf(message), body } };
}

/** The serial of the call that a message answers, from its header fields: a struct of a byte and a variant each. */
function replySerialOf(message: Buffer): number {
  const end = fixedBytes + message.readUInt32LE(12);
  let at = fixedBytes;
  while (at < end) {
    const code = message.readUInt8(at);
    const type = message.toString('latin1', at + 2, at + 3);
    if (message.readUInt8(at + 1) !== 1) throw new Error('a header field of a kind that is not known');
    const valueAt = at + 4;
    if (code === fields.replySerial && type === 'u') return message.readUInt32LE(valueAt);
    const isSignature = type === 'g';
    const textBytes = isSignature ? message.readUInt8(valueAt) + 2 : message.readUInt32LE(valueAt) + 5;
    at = Math.ceil((valueAt + (type === 'u' ? 4 : textBytes)) / 8) * 8;
  }
  throw new Error('an answer to nothing');
}
