/**
 * Brings every query of a lane to its DnsService and the answer back: datagrams and streams to port 53 of any
 * address, and the stub sockets on the app's own loopback.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import type { DnsService } from '../dns/service.ts';
import { serveStream } from '../dns/stream.ts';
import type { Native } from '../native.ts';

/** Streams to port 53 that one lane may have open at once. */
const maxStreams = 256;

export class DnsRelay {
  readonly #native: Native;
  #service: DnsService;
  readonly #closers: (() => void)[] = [];
  readonly #streams = new Set<Socket>();
  readonly #witnesses = new Set<(query: Buffer) => void>();

  constructor(native: Native, service: DnsService) {
    this.#native = native;
    this.#service = service;
  }

  /** Answers by another service from now on; what the old one is asked for ends unanswered. */
  serve(service: DnsService): void {
    this.#service.close();
    this.#service = service;
  }

  /** Tells every query that comes, lent for the call, until the answer is called. */
  witness(listener: (query: Buffer) => void): () => void {
    this.#witnesses.add(listener);
    return () => {
      this.#witnesses.delete(listener);
    };
  }

  /** A datagram that the UDP relay took from the app: answered with the address that was asked as source. */
  datagram(lane: number, source: Buffer, destination: Buffer, query: Buffer): void {
    for (const listener of this.#witnesses) listener(query);
    const answer = this.#service.handleNow(query, 'udp');
    if (answer instanceof Promise) {
      void answer.then((bytes) => {
        this.#native.replyUdp(lane, destination, source, bytes);
      });
    } else if (answer !== undefined) {
      this.#native.replyUdp(lane, destination, source, answer);
    }
  }

  /** A stream to port 53, paused as it was accepted. */
  stream(app: Socket): void {
    if (this.#streams.size >= maxStreams) {
      app.resetAndDestroy();
      return;
    }
    this.#streams.add(app);
    app.once('close', () => {
      this.#streams.delete(app);
    });
    serveStream(app, {
      handle: (query, transport) => {
        for (const listener of this.#witnesses) listener(query);
        return this.#service.handle(query, transport);
      },
    });
    app.resume();
  }

  /** Serves a stub datagram socket; owns the descriptor. */
  stubDatagrams(fd: number, family: 'udp4' | 'udp6'): void {
    const socket: UdpSocket = createSocket(family);
    socket.on('message', (query, client) => {
      for (const listener of this.#witnesses) listener(query);
      void this.#service.handle(query, 'udp').then((answer) => {
        if (answer === undefined) return;
        socket.send(answer, client.port, client.address, () => {
          // The asker may be gone by now; it would ask again.
        });
      });
    });
    socket.on('error', () => {
      // An ICMP error of an earlier answer; the socket goes on.
    });
    socket.bind({ fd });
    this.#closers.push(() => {
      socket.close();
    });
  }

  /** Serves a stub listening socket; owns the descriptor. */
  stubStreams(fd: number): void {
    const server: Server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (app) => {
      app.on('error', () => {
        // The asker reset its stream; `close` follows.
      });
      this.stream(app);
    });
    server.on('error', () => {
      // accept(2) failed once; libuv goes on with the next.
    });
    server.listen({ fd });
    this.#closers.push(() => {
      server.close();
    });
  }

  close(): void {
    for (const close of this.#closers.splice(0)) close();
    for (const stream of this.#streams) stream.resetAndDestroy();
    this.#service.close();
  }
}
