/** The plain TCP servers of a world, by port (see `ports`). */
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { ports } from '../addresses.ts';
import { contentStream } from '../content.ts';
import { answerStream } from './dns.ts';
import type { Seen } from './protocol.ts';

type Service = (socket: Socket, entry: Seen) => void;

const count: Service = (socket, entry) => {
  socket.on('data', (bytes) => (entry.bytes += bytes.length));
};

const echo: Service = (socket, entry) => {
  count(socket, entry);
  socket.pipe(socket);
};

const discard: Service = (socket, entry) => {
  count(socket, entry);
  socket.on('end', () => socket.end());
};

const banner: Service = (socket, entry) => {
  socket.write('220 this server speaks first\r\n');
  echo(socket, entry);
};

const source: Service = (socket, entry) => {
  discard(socket, entry);
  contentStream(Number.MAX_SAFE_INTEGER).pipe(socket);
};

function hashed(socket: Socket, entry: Seen, done: (sha256: string) => void): void {
  const hash = createHash('sha256');
  count(socket, entry);
  socket.on('data', (bytes) => hash.update(bytes));
  socket.on('end', () => {
    entry.sha256 = hash.digest('hex');
    done(entry.sha256);
  });
}

const clientEndsFirst: Service = (socket, entry) => {
  hashed(socket, entry, (sha256) => socket.end(`${entry.bytes} ${sha256}\n`));
};

const serverEndsFirst: Service = (socket, entry) => {
  hashed(socket, entry, () => undefined);
  socket.end('first\n');
};

const reset: Service = (socket) => {
  socket.once('data', () => socket.resetAndDestroy());
};

export const tcpServices: Record<number, Service> = {
  [ports.echo]: echo,
  [ports.discard]: discard,
  [ports.banner]: banner,
  [ports.source]: source,
  [ports.dns]: answerStream,
  [ports.clientEndsFirst]: clientEndsFirst,
  [ports.serverEndsFirst]: serverEndsFirst,
  [ports.reset]: reset,
};
