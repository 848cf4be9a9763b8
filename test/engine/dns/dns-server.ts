/** Real DNS servers on the loopback, written with the library, that can be told to misbehave. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import * as dnsPacket from 'dns-packet';
import { frame, FrameReader } from '../../../electron/engine/dns/stream.ts';

/** Messages to send back to one query; they come in this order, and none is nothing. */
export type Behaviour = (query: Buffer, connection: Connection) => Buffer[] | Promise<Buffer[]>;

export interface Connection {
  readonly socket: Socket;
  /** 1 for the first connection, and so on. */
  readonly number: number;
}

export interface TestServer {
  readonly port: number;
  /** Queries as they came. */
  readonly queries: Buffer[];
  connections: number;
  /** Connections that are open now. */
  open: number;
  close(): Promise<void>;
}

/** An answer that is right in form, with an address that nobody should ever see. */
export function forgedAnswer(query: Buffer): Buffer {
  const forged = goodAnswer(query);
  forged[forged.indexOf(Buffer.from([192, 0, 2, 7])) + 3] = 66;
  return forged;
}

/** The answer that a server of good will gives: 192.0.2.7 for an hour, or what is given. */
export function goodAnswer(query: Buffer, change: Partial<dnsPacket.Packet> = {}): Buffer {
  const { id, questions, additionals } = dnsPacket.decode(query);
  const [question] = questions ?? [];
  return dnsPacket.encode({
    type: 'response',
    ...(id === undefined ? {} : { id }),
    flags: dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE,
    questions: questions ?? [],
    answers: [{ type: 'A', name: question?.name ?? '.', ttl: 3600, data: '192.0.2.7' }],
    additionals: additionals ?? [],
    ...change,
  });
}

export async function tcpServer(behave: Behaviour, port = 0): Promise<TestServer> {
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    state.connections += 1;
    state.open += 1;
    const connection = { socket, number: state.connections };
    const reader = new FrameReader();
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      state.open -= 1;
    });
    socket.on('data', (chunk) => {
      reader.push(chunk);
      for (let query = reader.next(); query !== undefined; query = reader.next()) {
        state.queries.push(query);
        void Promise.resolve(behave(query, connection)).then((answers) => {
          for (const answer of answers) if (socket.writable) socket.write(frame(answer));
        });
      }
    });
  });
  await new Promise<void>((resolve) => listener.listen(port, '127.0.0.1', resolve));
  const state: TestServer = {
    port: (listener.address() as AddressInfo).port,
    queries: [],
    connections: 0,
    open: 0,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => listener.close(() => resolve()));
    },
  };
  return state;
}

export async function udpServer(behave: (query: Buffer) => Buffer[]): Promise<{
  port: number;
  queries: Buffer[];
  close(): void;
}> {
  const socket = createSocket('udp4');
  const queries: Buffer[] = [];
  socket.on('message', (query, client) => {
    queries.push(query);
    for (const answer of behave(query)) socket.send(answer, client.port, client.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return { port: socket.address().port, queries, close: () => socket.close() };
}
