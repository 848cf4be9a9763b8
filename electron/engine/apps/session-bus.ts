/**
 * Asks the session's message bus who has a name, and nothing else (D-Bus Specification 0.43): an app that is
 * single-instance by its name on the bus would hand over to the process behind it.
 *
 * Does: connect, sign in as this user, ask, hang up, within one second and 64 KiB. Must not: start a service, or
 * need the bus: where there is none, nobody has the name.
 */
import { connect, type Socket } from 'node:net';
import { isAbsolute, join } from 'node:path';

const deadlineMs = 1000;
const maxAnswerBytes = 64 * 1024;

/** The process that has the name on the session's bus; undefined where nobody has, or there is no bus to ask. */
export async function ownerOnBus(
  name: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<number | undefined> {
  if (!isBusName(name)) return undefined;
  const path = busPath(env);
  if (path === undefined) return undefined;
  const bus = new Conversation(connect({ path }));
  try {
    await bus.signIn();
    await bus.ask('Hello');
    // Answers an error where nobody has the name: it must not be started for the question.
    const pid = await bus.ask('GetConnectionUnixProcessID', name);
    return pid === undefined ? undefined : pid.readUInt32LE(0);
  } catch {
    // A bus that does not answer properly tells nothing; the other signs and the look after the start remain.
    return undefined;
  } finally {
    bus.end();
  }
}

/** A well-known name: at least two elements, none beginning with a digit, 255 bytes at most. */
export function isBusName(name: string): boolean {
  return name.length <= 255 && /^[A-Za-z_-][A-Za-z0-9_-]*(?:\.[A-Za-z_-][A-Za-z0-9_-]*)+$/.test(name);
}

/** The first address that is a socket of this computer; abstract ones begin with a NUL. */
function busPath(env: NodeJS.ProcessEnv): string | undefined {
  for (const address of (env['DBUS_SESSION_BUS_ADDRESS'] ?? '').split(';')) {
    const [, kind, value] = /^unix:(?:.*,)?(path|abstract)=([^,]+)/.exec(address) ?? [];
    if (value === undefined) continue;
    const decoded = value.replaceAll(/%([0-9a-f]{2})/gi, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    );
    return kind === 'abstract' ? `\0${decoded}` : decoded;
  }
  const runtime = env['XDG_RUNTIME_DIR'];
  return runtime !== undefined && isAbsolute(runtime) ? join(runtime, 'bus') : undefined;
}

class Conversation {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #serial = 0;
  #wake: () => void = () => undefined;
  #end: Error | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    const timer = setTimeout(() => socket.destroy(new Error('no answer in time')), deadlineMs);
    socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      if (this.#received.length > maxAnswerBytes) socket.destroy(new Error('too long an answer'));
      this.#wake();
    });
    socket.on('error', (error) => {
      this.#end = error;
    });
    socket.on('close', () => {
      clearTimeout(timer);
      this.#end ??= new Error('the bus hung up');
      this.#wake();
    });
  }

  /** EXTERNAL: the bus takes the uid from the socket and compares it with the one that is named. */
  async signIn(): Promise<void> {
    const uid = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex');
    this.#socket.write(`\0AUTH EXTERNAL ${uid}\r\n`);
    const end = await this.#until(() => {
      const at = this.#received.indexOf('\r\n');
      return at === -1 ? undefined : at;
    });
    const answer = this.#take(end + 2).toString('latin1');
    if (!answer.startsWith('OK ')) throw new Error('the bus refused');
    this.#socket.write('BEGIN\r\n');
  }

  /** Calls a method of the bus itself; answers the body, or undefined where the bus answers an error. */
  async ask(member: string, argument?: string): Promise<Buffer | undefined> {
    this.#serial += 1;
    this.#socket.write(methodCall(this.#serial, member, argument));
    for (;;) {
      const header = readHeader(await this.#atLeast(16));
      const message = this.#take((await this.#atLeast(header.length)).length);
      const isAnswer = header.type === methodReturn || header.type === errorReturn;
      // Signals, such as the one that tells of our own name, come in between.
      if (!isAnswer || replySerialOf(message) !== this.#serial) continue;
      return header.type === errorReturn ? undefined : message.subarray(header.bodyAt);
    }
  }

  end(): void {
    this.#socket.destroy();
  }

  async #atLeast(length: number): Promise<Buffer> {
    return this.#until(() =>
      this.#received.length >= length ? this.#received.subarray(0, length) : undefined,
    );
  }

  async #until<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (this.#end !== undefined) throw this.#end;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #take(length: number): Buffer {
    const taken = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return taken;
  }
}

const methodReturn = 2;
const errorReturn = 3;
const replySerialField = 5;
const busName = 'org.freedesktop.DBus';

/** A message in little endian: the fixed part, the array of header fields, padding to eight, the body. */
function methodCall(serial: number, member: string, argument: string | undefined): Buffer {
  const field = (code: number, type: string, value: string) => ({ code, type, value });
  const fields = [
    field(1, 'o', '/org/freedesktop/DBus'),
    field(2, 's', busName),
    field(3, 's', member),
    field(6, 's', busName),
    ...(argument === undefined ? [] : [field(8, 'g', 's')]),
  ];
  let array = Buffer.alloc(0);
  for (const { code, type, value } of fields) {
    array = Buffer.concat([
      padded(array, 8),
      Buffer.from([code, 1]),
      Buffer.from(`${type}\0`),
      marshal(type, value),
    ]);
  }
  const body = argument === undefined ? Buffer.alloc(0) : marshal('s', argument);
  const fixed = Buffer.alloc(16);
  fixed.write('l', 0, 'latin1');
  fixed.writeUInt8(1, 1);
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

function readHeader(fixed: Buffer): { type: number; bodyAt: number; length: number } {
  if (fixed[0] !== 0x6c) throw new Error('the bus speaks big endian');
  const bodyAt = Math.ceil((16 + fixed.readUInt32LE(12)) / 8) * 8;
  const length = bodyAt + fixed.readUInt32LE(4);
  if (length > maxAnswerBytes) throw new Error('too long an answer');
  return { type: fixed[1] ?? 0, bodyAt, length };
}

/** The serial of the call that this message answers, from its header fields: a struct of a byte and a variant each. */
function replySerialOf(message: Buffer): number | undefined {
  const end = 16 + message.readUInt32LE(12);
  let at = 16;
  while (at < end) {
    const code = message.readUInt8(at);
    const type = message.toString('latin1', at + 2, at + 3);
    if (message.readUInt8(at + 1) !== 1) throw new Error('a header field of a kind that is not known');
    const valueAt = at + 4;
    if (code === replySerialField && type === 'u') return message.readUInt32LE(valueAt);
    const isSignature = type === 'g';
    const size = type === 'u' ? 4 : (isSignature ? 1 : 4) + 1 + lengthAt(message, valueAt, isSignature);
    at = Math.ceil((valueAt + size) / 8) * 8;
  }
  return undefined;
}

function lengthAt(message: Buffer, at: number, isSignature: boolean): number {
  return isSignature ? message.readUInt8(at) : message.readUInt32LE(at);
}
