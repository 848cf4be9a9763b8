/** A remote resolver and the real server on the loopback that it asks; `tearDown` belongs into `afterEach`. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { readQuery } from '../../../electron/engine/dns/message.ts';
import type { Query } from '../../../electron/engine/dns/message.ts';
import { RemoteResolver } from '../../../electron/engine/dns/remote.ts';
import type { StreamExchangeOptions } from '../../../electron/engine/dns/remote.ts';
import { goodAnswer, tcpServer } from './dns-server.ts';
import type { Behaviour, TestServer } from './dns-server.ts';
import { queryBytes } from './queries.ts';
import type { Asked } from './queries.ts';

const closers: (() => unknown)[] = [];

/** Has something closed at the end of the test. */
export function atEnd(close: () => unknown): void {
  closers.push(close);
}

export async function tearDown(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

export interface SetUp {
  server: TestServer;
  resolver: RemoteResolver;
  time: { ms: number };
  dials: () => number;
}

/** A resolver and the real server that it asks. */
export async function setUp(behave: Behaviour, options: Partial<StreamExchangeOptions> = {}): Promise<SetUp> {
  const server = await tcpServer(behave);
  atEnd(() => server.close());
  const time = { ms: 0 };
  let dials = 0;
  const resolver = new RemoteResolver({
    now: () => time.ms,
    connect: () => {
      dials += 1;
      return dialled(server.port);
    },
    ...options,
  });
  atEnd(() => resolver.close());
  return { server, resolver, time, dials: () => dials };
}

export function dialled(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', reject);
    socket.once('connect', () => resolve(socket));
  });
}

export function query(asked: Asked = {}): Query {
  const reading = readQuery(queryBytes(asked));
  if (reading.kind !== 'query') throw new Error(reading.kind);
  return reading.query;
}

export const good: Behaviour = (bytes) => [goodAnswer(bytes)];
