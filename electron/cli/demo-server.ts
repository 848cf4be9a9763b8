/**
 * The two servers of `culvert demo`, both on 127.0.0.1 only: a SOCKS5 server (RFC 1928, RFC 1929) that wants
 * a sign-in and knows one name, and the web page behind that name.
 *
 * The proxy connects to nothing but that page: whatever else it is asked for it writes down and refuses, so
 * that the demo sends no packet to any other computer.
 */
import { createHash, randomBytes } from 'node:crypto';
import { type Server as HttpServer, createServer as createHttpServer } from 'node:http';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';

const loopback = '127.0.0.1';

export const replies = { done: 0, notAllowed: 2, unreachable: 4, commandUnknown: 7 } as const;
const methods = { password: 2, none: 0xff } as const;
const maxDialogueBytes = 1024;

/** What a client wants of the proxy. */
export interface SocksRequest {
  readonly command: 'connect' | 'bind' | 'udp' | 'unknown';
  readonly form: 'name' | 'ipv4' | 'ipv6';
  readonly host: string;
  readonly port: number;
}

/** A parsed message and its length, `incomplete` while bytes are missing, `invalid` when more would not help. */
export type Parsed<T> = { readonly value: T; readonly size: number } | 'incomplete' | 'invalid';

/** RFC 1928 §3: the methods that the client offers. */
export function parseGreeting(bytes: Buffer): Parsed<readonly number[]> {
  if (bytes.length > 0 && bytes[0] !== 5) return 'invalid';
  const size = 2 + (bytes[1] ?? 0);
  return bytes.length < 2 || bytes.length < size
    ? 'incomplete'
    : { value: [...bytes.subarray(2, size)], size };
}

/** RFC 1929 §2: user name and password. */
export function parseSignIn(bytes: Buffer): Parsed<{ user: string; password: string }> {
  if (bytes.length > 0 && bytes[0] !== 1) return 'invalid';
  const userEnd = 2 + (bytes[1] ?? 0);
  const size = userEnd + 1 + (bytes[userEnd] ?? 0);
  if (bytes.length < 2 || bytes.length <= userEnd || bytes.length < size) return 'incomplete';
  const user = bytes.toString('utf8', 2, userEnd);
  return { value: { user, password: bytes.toString('utf8', userEnd + 1, size) }, size };
}

const commands: Readonly<Record<number, SocksRequest['command']>> = { 1: 'connect', 2: 'bind', 3: 'udp' };

/** RFC 1928 §4: command and destination. */
export function parseRequest(bytes: Buffer): Parsed<SocksRequest> {
  if (bytes.length > 0 && bytes[0] !== 5) return 'invalid';
  if (bytes.length < 5) return 'incomplete';
  const command = commands[bytes[1] ?? 0] ?? 'unknown';
  const [start, length, form] = placeOfAddress(bytes);
  if (form === undefined) return 'invalid';
  const size = start + length + 2;
  if (bytes.length < size) return 'incomplete';
  const address = bytes.subarray(start, start + length);
  const host = form === 'name' ? address.toString('latin1') : textOfAddress(address);
  return { value: { command, form, host, port: bytes.readUInt16BE(size - 2) }, size };
}

function placeOfAddress(bytes: Buffer): [number, number, SocksRequest['form'] | undefined] {
  switch (bytes[3]) {
    case 1:
      return [4, 4, 'ipv4'];
    case 3:
      return [5, bytes[4] ?? 0, 'name'];
    case 4:
      return [4, 16, 'ipv6'];
    default:
      return [0, 0, undefined];
  }
}

function textOfAddress(address: Buffer): string {
  if (address.length === 4) return address.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => address.readUInt16BE(2 * i).toString(16)).join(':');
  // The first run of zeros is shortened; alone it leaves one colon.
  return groups.replace(/\b0(?::0)+\b/, ':').replace(/:{3,}|^:$/, '::');
}

/** One request as the proxy saw it. */
export interface ProxyEntry extends SocksRequest {
  readonly answer: 'connected' | 'refused';
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** The SOCKS5 server. `page` is the only name and port that it connects to. */
export class DemoProxy implements AsyncDisposable {
  readonly log: ProxyEntry[] = [];
  /** Sign-ins with a wrong name or password. */
  refusedSignIns = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #credentials: Credentials;
  readonly #page: { readonly host: string; readonly port: number; readonly realPort: number };

  private constructor(credentials: Credentials, page: { host: string; port: number; realPort: number }) {
    this.#credentials = credentials;
    this.#page = page;
    this.#server = createServer((socket) => {
      this.#serve(socket);
    });
  }

  static async start(
    credentials: Credentials,
    page: { host: string; port: number; realPort: number },
  ): Promise<DemoProxy> {
    const proxy = new DemoProxy(credentials, page);
    await listen(proxy.#server);
    return proxy;
  }

  get port(): number {
    return portOf(this.#server);
  }

  #serve(client: Socket): void {
    this.#keep(client);
    let pending: Buffer = Buffer.alloc(0);
    let step: (bytes: Buffer) => number | undefined = (bytes) => {
      const greeting = parseGreeting(bytes);
      if (typeof greeting === 'string') return void this.#refuseInvalid(client, greeting);
      const isPossible = greeting.value.includes(methods.password);
      client.write(Buffer.from([5, isPossible ? methods.password : methods.none]));
      if (!isPossible) client.end();
      step = signIn;
      return greeting.size;
    };
    const signIn = (bytes: Buffer): number | undefined => {
      const given = parseSignIn(bytes);
      if (typeof given === 'string') return void this.#refuseInvalid(client, given);
      const { user, password } = this.#credentials;
      const isRight = given.value.user === user && given.value.password === password;
      client.write(Buffer.from([1, isRight ? 0 : 1]));
      if (!isRight) {
        this.refusedSignIns += 1;
        client.end();
      }
      step = request;
      return given.size;
    };
    const request = (bytes: Buffer): number | undefined => {
      const wanted = parseRequest(bytes);
      if (typeof wanted === 'string') return void this.#refuseInvalid(client, wanted);
      client.off('data', take);
      client.pause();
      this.#answer(client, wanted.value, bytes.subarray(wanted.size));
      return undefined;
    };
    const take = (bytes: Buffer) => {
      pending = Buffer.concat([pending, bytes]);
      if (pending.length > maxDialogueBytes) client.destroy();
      for (let used = step(pending); used !== undefined; used = step(pending))
        pending = pending.subarray(used);
    };
    client.on('data', take);
  }

  #refuseInvalid(client: Socket, why: 'incomplete' | 'invalid'): void {
    if (why === 'invalid') client.destroy();
  }

  #answer(client: Socket, wanted: SocksRequest, early: Buffer): void {
    const { host, port, realPort } = this.#page;
    const isPage = wanted.command === 'connect' && wanted.host === host && wanted.port === port;
    this.log.push({ ...wanted, answer: isPage ? 'connected' : 'refused' });
    if (!isPage) {
      client.end(reply(wanted.command === 'connect' ? replies.unreachable : replies.commandUnknown));
      return;
    }
    const page = connect(realPort, loopback, () => {
      client.write(reply(replies.done));
      page.write(early);
      client.pipe(page).pipe(client);
    });
    this.#keep(page);
    client.on('close', () => page.destroy());
    page.on('close', () => client.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => this.#sockets.delete(socket));
    // A reset is the other side's way to end; both sides are closed by the handlers above.
    socket.on('error', () => socket.destroy());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await closed(this.#server);
  }
}

function reply(code: number): Buffer {
  return Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
}

/** The web page: `/` a short text after a moment, `/file` random bytes. */
export class DemoPage implements AsyncDisposable {
  readonly file: Buffer;
  readonly fileHash: string;
  readonly text: string;
  readonly #server: HttpServer;

  private constructor(text: string, fileBytes: number, thinkMs: number) {
    this.text = text;
    this.file = randomBytes(fileBytes);
    this.fileHash = createHash('sha256').update(this.file).digest('hex');
    this.#server = createHttpServer((request, response) => {
      response.setHeader('Connection', 'close');
      if (request.url === '/file') response.end(this.file);
      // The moment keeps the connection open long enough to look up whose it is.
      else setTimeout(() => response.end(this.text), thinkMs);
    });
  }

  static async start(text: string, fileBytes: number, thinkMs: number): Promise<DemoPage> {
    const page = new DemoPage(text, fileBytes, thinkMs);
    await listen(page.#server);
    return page;
  }

  get port(): number {
    return portOf(this.#server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await closed(this.#server);
  }
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, loopback, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
