/**
 * SOCKS4, SOCKS4a (the protocol notes of their authors) and SOCKS5 (RFC 1928, RFC 1929) as a dialogue.
 *
 * Does: lets the `socks` package write the requests and keep the order, and reads every answer itself
 * first: the package takes any address type, any version in two places and bytes that come too early, and
 * hands surplus bytes over only later. It is given whole, checked messages and never a byte of the app's.
 * Must not: hold more than one answer (262 bytes at most).
 */
import type { Duplex } from 'node:stream';
import { SocksClient } from 'socks';
import { CulvertError } from '#shared/failure.ts';
import { phrase, type Phrase } from '#shared/phrase.ts';
import type { Upstream } from '#shared/model.ts';
import type { Dialogue, Send, Stage } from './dialogue.ts';
import { checkDestination, type Destination } from './destination.ts';
import {
  anotherVersion,
  methodRefused,
  protocolError,
  replyRefused,
  signInRefused,
  signInStatus,
  surplusBytes,
  unknownAddressType,
  type ReplyKey,
} from './socks5-answers.ts';

const socks4Replies: Readonly<Record<number, ReplyKey>> = {
  91: 'proxy.reply-failed',
  92: 'proxy.reply-no-identity',
  93: 'proxy.reply-other-identity',
};

const addressLengths: Readonly<Record<number, number>> = { 1: 4, 4: 16 };

/** The longest answer: four bytes, a name with its length, a port (RFC 1928 §6). */
const maxAnswerBytes = 4 + 1 + 255 + 2;

/** Made once per connection to the proxy. Throws for destinations that the kind of proxy cannot carry. */
export class SocksDialogue implements Dialogue {
  stage: Stage;
  readonly #upstream: Upstream;
  readonly #command: 'connect' | 'associate';
  readonly #client: QuietClient;
  readonly #wire: Wire;
  readonly #answer = Buffer.allocUnsafe(maxAnswerBytes);
  #have = 0;
  #need: number;
  #isEstablished = false;

  constructor(upstream: Upstream, destination: Destination | 'associate', send: Send) {
    const isSocks5 = upstream.kind === 'socks5';
    this.#upstream = upstream;
    this.#command = destination === 'associate' ? 'associate' : 'connect';
    this.stage = isSocks5 ? 'greeting' : 'request';
    this.#need = isSocks5 ? 2 : 8;
    this.#wire = new Wire(send);
    checkCredentials(upstream);
    if (destination !== 'associate') checkCarries(upstream, destination);
    const { host, port } = destination === 'associate' ? { host: '0.0.0.0', port: 0 } : destination;
    this.#client = new QuietClient({
      command: this.#command,
      destination: { host, port },
      proxy: {
        type: isSocks5 ? 5 : 4,
        host: upstream.host,
        port: upstream.port,
        ...(upstream.user === undefined ? {} : { userId: upstream.user }),
        ...(upstream.password === undefined ? {} : { password: upstream.password }),
      },
      timeout: 1,
    });
    this.#client.on('error', ignore);
    this.#client.once('established', () => {
      this.#isEstablished = true;
    });
  }

  get hasSpoken(): boolean {
    return this.#upstream.kind === 'socks5' && this.stage !== 'greeting';
  }

  start(): void {
    this.#client.connect(this.#wire as unknown as Duplex);
  }

  receive(chunk: Buffer): number | undefined {
    let used = 0;
    while (used < chunk.length) {
      const take = Math.min(this.#need - this.#have, chunk.length - used);
      chunk.copy(this.#answer, this.#have, used, used + take);
      this.#have += take;
      used += take;
      this.#inspect();
      if (this.#have < this.#need) continue;
      this.#finishAnswer();
      if (this.#isEstablished) return used;
      if (used < chunk.length) throw surplusBytes();
    }
    return undefined;
  }

  /** Address bytes and port of the proxy's last answer; after `receive` has answered a number, SOCKS5 only. */
  bound(): { readonly type: number; readonly address: Buffer; readonly port: number } {
    const end = this.#have - 2;
    return {
      type: this.#answer[3] ?? 0,
      address: Buffer.from(this.#answer.subarray(4, end)),
      port: this.#answer.readUInt16BE(end),
    };
  }

  /** Judges as much of the present answer as there is, so that a no needs no further byte. */
  #inspect(): void {
    const [first = 0, second = 0] = this.#answer;
    if (this.#upstream.kind !== 'socks5') {
      if (first !== 0) throw protocolError(phrase('proxy.another-version', { byte: first, version: 0 }));
      if (this.#have > 1 && second !== 90) throw this.#refusalOf4(second);
      return;
    }
    // RFC 1929 numbers its own version; proxies that repeat the 5 there are known, and do no harm.
    if (this.stage !== 'sign-in' && first !== 5) throw anotherVersion(first);
    if (this.#have < 2) return;
    if (this.stage === 'greeting') this.#inspectMethod(second);
    else if (this.stage === 'sign-in' && second !== 0) throw signInStatus(second);
    else if (this.stage === 'request') this.#inspectReply(second);
  }

  #inspectMethod(method: number): void {
    const isOffered = hasCredentials(this.#upstream);
    if (method === 0 || (method === 2 && isOffered)) return;
    throw methodRefused(method, isOffered);
  }

  #inspectReply(code: number): void {
    if (code !== 0) throw replyRefused(code, this.#command);
    if (this.#have < 5) {
      this.#need = 5;
      return;
    }
    const type = this.#answer[3] ?? 0;
    const length = type === 3 ? 1 + (this.#answer[4] ?? 0) : addressLengths[type];
    if (length === undefined) throw unknownAddressType(type);
    this.#need = 4 + length + 2;
  }

  #finishAnswer(): void {
    const answer = Buffer.from(this.#answer.subarray(0, this.#have));
    const isLast = this.stage === 'request';
    if (this.stage === 'greeting' && answer[1] === 2) this.stage = 'sign-in';
    else this.stage = 'request';
    if (!isLast) {
      this.#have = 0;
      this.#need = this.stage === 'sign-in' ? 2 : 5;
    }
    this.#wire.deliver(answer);
  }

  #refusalOf4(code: number): CulvertError {
    const meaning = socks4Replies[code];
    if (meaning === undefined) return protocolError(phrase('proxy.unknown-reply', { code }));
    const isIdentity = code === 92 || code === 93;
    const detail = phrase('proxy.reply', { reason: phrase(meaning), code });
    return isIdentity ? signInRefused(detail) : new CulvertError('proxy-refused', { detail });
  }
}

/**
 * The package arms a timer of its own per connection and never clears it, so each would keep its buffers
 * for that long. Here the deadline belongs to the connection: the timer gets one millisecond and does nothing.
 * It also arranges to hand over surplus bytes in a later turn of the event loop; here there are none.
 */
class QuietClient extends SocksClient {
  override prependOnceListener(): this {
    return this;
  }
}
Reflect.defineProperty(QuietClient.prototype, 'onEstablishedTimeout', { value: ignore });

/** The part of a socket that the package uses. It says `connect` to an existing socket itself, to begin. */
class Wire {
  readonly #send: Send;
  #onConnect: () => void = ignore;
  #onData: (bytes: Buffer) => void = ignore;

  constructor(send: Send) {
    this.#send = send;
  }

  on(event: string, listener: (bytes: Buffer) => void): void {
    if (event === 'data') this.#onData = listener;
  }

  once(event: string, listener: () => void): void {
    if (event === 'connect') this.#onConnect = listener;
  }

  emit(event: string): void {
    if (event === 'connect') this.#onConnect();
  }

  write(bytes: Buffer): void {
    this.#send(bytes);
  }

  deliver(bytes: Buffer): void {
    this.#onData(bytes);
  }

  removeListener(): void {}
  pause(): void {}
  resume(): void {}
  destroy(): void {}
}

function checkCarries(upstream: Upstream, destination: Destination): void {
  checkDestination(destination);
  if (upstream.kind === 'socks5' || destination.kind === 'ipv4') return;
  if (destination.kind === 'ipv6') throw refusal(phrase('proxy.socks4-ipv6'));
  if (upstream.kind === 'socks4') throw refusal(phrase('proxy.socks4-names'));
}

/** Each length is one byte (RFC 1929 §2). Whoever made the upstream has checked it; a cut one would be sent as requests. */
export function checkCredentials({ user = '', password = '' }: Upstream): void {
  if (Buffer.byteLength(user) <= 255 && Buffer.byteLength(password) <= 255) return;
  throw new CulvertError('proxy-url-invalid', { detail: 'user name or password is longer than 255 bytes' });
}

export function hasCredentials({ user, password }: Upstream): boolean {
  return Boolean(user) || Boolean(password);
}

function refusal(detail: Phrase): CulvertError {
  return new CulvertError('proxy-refused', { detail });
}

function ignore(): void {}
