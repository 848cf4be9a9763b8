/**
 * A connection to the session's message bus, to ask services something and to hear their signals.
 *
 * Must not: start a service for a question, own a name, answer anybody, or wait for a bus that is silent.
 */
import { connect, type Socket } from 'node:net';
import { isAbsolute, join } from 'node:path';
import { maxMessageBytes, methodCall, readMessage, type BusCall } from './bus-message.ts';

const answerMs = 1000;

export class MessageBus {
  readonly #socket: Socket;
  /** Who waits for the answer to the call of this serial number; at 0, for the end of signing in. */
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
  constructor(
    env: NodeJS.ProcessEnv,
    onSignal: () => void = () => undefined,
    onEnd: () => void = () => undefined,
  ) {
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
        if (this.#received.length > maxMessageBytes) throw new Error('too long a line');
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

  /** Signs in, within a second; false where there is no bus. */
  async begin(): Promise<boolean> {
    const timer = setTimeout(() => {
      this.close();
    }, answerMs);
    try {
      return (await this.#signedIn) && (await this.call(ofBus('Hello'))) !== undefined;
    } finally {
      clearTimeout(timer);
    }
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
      const line = this.#take(end + 2).toString('latin1');
      if (!line.startsWith('OK ')) throw new Error('the bus refused');
      this.#isSignedIn = true;
      this.#socket.write('BEGIN\r\n');
      this.#answer(0, Buffer.alloc(0));
      return true;
    }
    const message = readMessage(this.#received);
    if (message === undefined) return false;
    this.#take(message.lengthBytes);
    if (message.isSignal) this.#onSignal();
    if (message.answers !== undefined) this.#answer(message.answers.serial, message.answers.body);
    return true;
  }

  #take(length: number): Buffer {
    const taken = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return taken;
  }
}

/** A call of the bus itself (D-Bus Specification, Message Bus Messages). */
export function ofBus(member: string, ...strings: string[]): BusCall {
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
