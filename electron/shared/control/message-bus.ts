/**
 * As much of D-Bus (D-Bus Specification 0.43) as it takes to ask services of the session something and to hear
 * their signals: methods with strings for arguments.
 *
 * Must not: start a service for a question, own a name, or answer anybody.
 */
import { connect, type Socket } from 'node:net';
import { isAbsolute, join } from 'node:path';

const answerMs = 1000;
const maxMessageBytes = 1024 * 1024;
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

export class MessageBus {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (body: Buffer | undefined) => void>();
  readonly #onSignal: () => void;
  readonly #onEnd: () => void;
  #received = Buffer.alloc(0);
  #isSignedIn = false;
  #serial = 0;
  readonly #signedIn: Promise<boolean>;

  /**
   * Connects to the session's bus. `onSignal` is called with every signal, `onEnd` once when the bus is gone or
   * never was there.
   */
  constructor(env: NodeJS.ProcessEnv, onSignal: () => void, onEnd: () => void) {
    this.#onSignal = onSignal;
    this.#onEnd = onEnd;
    this.#socket = connect({ path: busPath(env) ?? '/nonexistent' });
    const uid = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex');
    this.#signedIn = new Promise((resolve) => {
      this.#waiting.set(0, (line) => {
        resolve(line !== undefined);
      });
    });
    this.#socket.on('error', () => {
      // `close` follows and tells whoever waits.
    });
    this.#socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      try {
        while (this.#takeOne());
      } catch {
        // Nothing of a message that makes no sense can be trusted, nor what follows it.
        this.#socket.destroy();
      }
    });
    this.#socket.once('close', () => {
      for (const answer of this.#waiting.values()) answer(undefined);
      this.#waiting.clear();
      this.#onEnd();
    });
    // EXTERNAL: the bus takes the uid from the socket and compares it with the one that is named.
    this.#socket.write(`\0AUTH EXTERNAL ${uid}\r\n`);
  }

  /** Signs in; false where there is no bus. */
  async begin(): Promise<boolean> {
    if (!(await this.#signedIn)) return false;
    return (await this.call(ofBus('Hello'))) !== undefined;
  }

  /** The body of the answer; undefined for an error, for no answer within a second, and when the bus is gone. */
  async call(call: BusCall): Promise<Buffer | undefined> {
    if (this.#socket.destroyed) return undefined;
    this.#serial += 1;
    const serial = this.#serial;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#answer(serial, undefined);
      }, answerMs);
      this.#waiting.set(serial, (body) => {
        clearTimeout(timer);
        resolve(body);
      });
      this.#socket.write(methodCall(serial, call));
    });
  }

  /** Asks for the signals that match (D-Bus Specification, Match Rules). */
  async listen(rule: string): Promise<void> {
    await this.call(ofBus('AddMatch', rule));
  }

  close(): void {
    this.#socket.destroy();
  }

  #answer(serial: number, body: Buffer | undefined): void {
    const answer = this.#waiting.get(serial);
    this.#waiting.delete(serial);
    answer?.(body);
  }

  /** Takes the line that ends signing in, or one message; false while it is not all there. */
  #takeOne(): boolean {
    if (!this.#isSignedIn) {
      const end = this.#received.indexOf('\r\n');
      if (end === -1) return false;
      if (
        !this.#take(end + 2)
          .toString('latin1')
          .startsWith('OK ')
      )
        throw new Error('the bus refused');
      this.#isSignedIn = true;
      this.#socket.write('BEGIN\r\n');
      this.#answer(0, Buffer.alloc(0));
      return true;
    }
    if (this.#received.length < fixedBytes) return false;
    const { kind, bodyAt, length } = readHeader(this.#received);
    if (this.#received.length < length) return false;
    const message = this.#take(length);
    if (kind === kinds.signal) this.#onSignal();
    if (kind === kinds.answer || kind === kinds.error)
      this.#answer(replySerialOf(message), kind === kinds.error ? undefined : message.subarray(bodyAt));
    return true;
  }

  #take(length: number): Buffer {
    const taken = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return taken;
  }
}

function ofBus(member: string, ...strings: string[]): BusCall {
  const name = 'org.freedesktop.DBus';
  return { destination: name, path: '/org/freedesktop/DBus', interface: name, member, strings };
}

/** The first address that is a socket of this computer; abstract ones begin with a NUL. */
function busPath(env: NodeJS.ProcessEnv): string | undefined {
  const given = env['DBUS_SESSION_BUS_ADDRESS'];
  for (const address of (given ?? '').split(';')) {
    const [, kind, value] = /^unix:(?:.*,)?(path|abstract)=([^,]+)/.exec(address) ?? [];
    if (value === undefined) continue;
    const decoded = value.replaceAll(/%([0-9a-f]{2})/gi, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    );
    return kind === 'abstract' ? `\0${decoded}` : decoded;
  }
  const runtime = env['XDG_RUNTIME_DIR'];
  if (given !== undefined || runtime === undefined || !isAbsolute(runtime)) return undefined;
  return join(runtime, 'bus');
}

/** A message in little endian: the fixed part, the array of header fields, padding to eight, the body. */
function methodCall(serial: number, call: BusCall): Buffer {
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

function readHeader(fixed: Buffer): { kind: number; bodyAt: number; length: number } {
  if (fixed[0] !== 0x6c) throw new Error('the bus speaks big endian');
  const bodyAt = Math.ceil((fixedBytes + fixed.readUInt32LE(12)) / 8) * 8;
  const length = bodyAt + fixed.readUInt32LE(4);
  if (length > maxMessageBytes) throw new Error('too long a message');
  return { kind: fixed[1] ?? 0, bodyAt, length };
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
