/** A small proxy that works: SOCKS4a, SOCKS5 and CONNECT, told apart by the first byte, for tests of chains. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { listen } from './scripted-proxy.ts';

/** What a small proxy was asked for: `host:port`, as it was written. */
export interface SmallProxy extends AsyncDisposable {
  readonly port: number;
  readonly asked: string[];
  /** Connections that came, whatever was said on them. */
  connections(): number;
  /** Ends it; connections to its port are refused from then on. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface SmallProxyOptions {
  /** Destinations that it refuses, `host:port`. */
  readonly refuses?: readonly string[];
  /** Takes connections and says nothing. */
  readonly isSilent?: boolean;
  /** Says nothing to requests for these. */
  readonly hangsAt?: readonly string[];
}

interface Request {
  readonly host: string;
  readonly port: number;
  readonly yes: Buffer;
  readonly no: Buffer;
}

export async function smallProxy(options: SmallProxyOptions = {}): Promise<SmallProxy> {
  const sockets = new Set<Socket>();
  const asked: string[] = [];
  let connections = 0;
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    return socket.on('error', () => socket.destroy());
  };
  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    connections += 1;
    keep(client);
    if (options.isSilent !== true) void serve(client);
  });
  const serve = async (client: Socket): Promise<void> => {
    const request = await readRequest(client);
    if (request === undefined) return;
    const target = `${request.host}:${request.port}`;
    asked.push(target);
    if (options.hangsAt?.includes(target) === true) return;
    if (options.refuses?.includes(target) === true) {
      client.end(request.no);
      return;
    }
    const host = /^[0-9.]+$|:/.test(request.host) ? request.host : '127.0.0.1';
    const far = keep(connect({ host, port: request.port, allowHalfOpen: true }));
    far.on('error', () => client.end(request.no));
    far.on('connect', () => {
      client.write(request.yes);
      client.pipe(far).pipe(client);
    });
  };
  const port = await listen(server);
  return {
    port,
    asked,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readRequest(client: Socket): Promise<Request | undefined> {
  const reader = new Reader(client);
  const first = (await reader.take(1))[0];
  if (first === 5) return readSocks5(reader, client);
  if (first === 4) return readSocks4(reader);
  if (first === 0x43) return readConnect(reader);
  client.destroy();
  return undefined;
}

async function readSocks5(reader: Reader, client: Socket): Promise<Request> {
  const [methods = 0] = await reader.take(1);
  await reader.take(methods);
  client.write(Buffer.of(5, 0));
  const type = (await reader.take(4))[3];
  const host =
    type === 3
      ? (await reader.take((await reader.take(1))[0] ?? 0)).toString()
      : type === 1
        ? [...(await reader.take(4))].join('.')
        : ((await reader.take(16)).toString('hex').match(/.{4}/g) ?? []).join(':');
  const port = (await reader.take(2)).readUInt16BE(0);
  const answer = (code: number): Buffer => Buffer.of(5, code, 0, 1, 0, 0, 0, 0, 0, 0);
  return { host, port, yes: answer(0), no: answer(5) };
}

async function readSocks4(reader: Reader): Promise<Request> {
  await reader.take(1);
  const port = (await reader.take(2)).readUInt16BE(0);
  const address = await reader.take(4);
  await reader.takeTo(0);
  const isName = address.readUInt32BE(0) < 256;
  const host = isName ? (await reader.takeTo(0)).subarray(0, -1).toString() : [...address].join('.');
  const answer = (code: number): Buffer => Buffer.of(0, code, 0, 0, 0, 0, 0, 0);
  return { host, port, yes: answer(90), no: answer(91) };
}

async function readConnect(reader: Reader): Promise<Request> {
  let head = 'C';
  while (!head.endsWith('\r\n\r\n')) head += (await reader.takeTo(10)).toString('latin1');
  const [, host = '', port = ''] = /^CONNECT ([^ ]*):([0-9]+) /.exec(head) ?? [];
  return {
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port),
    yes: Buffer.from('HTTP/1.1 200 OK\r\n\r\n'),
    no: Buffer.from('HTTP/1.1 502 Bad Gateway\r\n\r\n'),
  };
}

class Reader {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  async take(count: number): Promise<Buffer> {
    if (count === 0) return Buffer.alloc(0);
    for (;;) {
      const bytes = this.#socket.read(count) as Buffer | null;
      if (bytes !== null) return bytes;
      await new Promise((resolve) => this.#socket.once('readable', resolve));
    }
  }

  async takeTo(last: number): Promise<Buffer> {
    const bytes: number[] = [];
    do bytes.push(...(await this.take(1)));
    while (bytes.at(-1) !== last);
    return Buffer.from(bytes);
  }
}
