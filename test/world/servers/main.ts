/** The servers of a world, one process in the internet's or the host's namespace; ends with its parent. */
import { readFileSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import { ports } from '../addresses.ts';
import { answer } from './dns.ts';
import type { Reply, Request, Seen, ServersConfig } from './protocol.ts';
import { tcpServices } from './tcp.ts';
import { serveWeb } from './web.ts';

const config = JSON.parse(process.argv[2] ?? '') as ServersConfig;
let seen: Seen[] = [];

function note(entry: Seen): Seen {
  seen.push(entry);
  return entry;
}

function plain(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:/, '');
}

function noteConnection(socket: Socket, asked?: string): Seen {
  const entry = note({
    proto: 'tcp',
    port: socket.localPort ?? 0,
    address: plain(socket.localAddress),
    peer: plain(socket.remoteAddress),
    peerPort: socket.remotePort ?? 0,
    bytes: 0,
    ...(asked === undefined ? {} : { asked }),
  });
  socket.on('error', () => (entry.end = 'reset'));
  socket.on('close', () => (entry.end ??= 'closed'));
  return entry;
}

async function listen(server: Server, port: number): Promise<void> {
  if (config.without.includes(port)) return;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '::', backlog: 4096 }, resolve);
  });
}

function listenTcp(): Promise<void>[] {
  return Object.entries(tcpServices).map(([port, serve]) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      serve(socket, noteConnection(socket));
    });
    return listen(server, Number(port));
  });
}

function listenWeb(): Promise<void>[] {
  const options = { key: readFileSync(config.key), cert: readFileSync(config.certificate) };
  return [
    listen(createHttp(serveWeb(config.files, noteConnection)), ports.http),
    listen(createHttps(options, serveWeb(config.files, noteConnection)), ports.https),
  ];
}

function listenUdp(
  address: string,
  port: number,
  reply: (message: Buffer, entry: Seen) => Buffer | undefined,
) {
  if (config.without.includes(port)) return Promise.resolve();
  const type = isIPv6(address) ? 'udp6' : 'udp4';
  const other = createSocket({ type, recvBufferSize: 4 * 1024 * 1024 });
  const socket = createSocket({ type, recvBufferSize: 4 * 1024 * 1024 });
  socket.on('message', (message, peer) => {
    const asked = port === ports.dns ? { asked: answer(message, 'udp').asked } : {};
    const entry = {
      proto: 'udp',
      port,
      address,
      peer: peer.address,
      peerPort: peer.port,
      bytes: message.length,
    } as const;
    const answered = reply(message, note({ ...entry, ...asked }));
    if (answered === undefined) return;
    (port === ports.otherPeer ? other : socket).send(answered, peer.port, peer.address);
  });
  return new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    const open = (): void => void socket.bind(port, address, () => resolve());
    if (port === ports.otherPeer) other.bind(port + 1, address, open);
    else open();
  });
}

function listenDatagrams(): Promise<void>[] {
  return config.udpAddresses.flatMap((address) => [
    listenUdp(address, ports.echo, (message) => message),
    listenUdp(address, ports.otherPeer, (message) => message),
    listenUdp(address, ports.discard, () => undefined),
    listenUdp(address, ports.dns, (message) => answer(message, 'udp').reply),
  ]);
}

process.on('message', ({ id, call }: Request) => {
  const reply: Reply = { id, seen: call === 'seen' ? seen : [] };
  if (call === 'forget') seen = [];
  process.send?.(reply);
});
process.on('disconnect', () => process.exit(0));

void Promise.all([...listenTcp(), ...listenWeb(), ...listenDatagrams()]).then(() => {
  process.stdout.write('servers listen\n');
});
