/** Plays a behaviour for every connection to a port. */
import { createServer, type Server } from 'node:net';
import type { Behaviour } from './behaviour.ts';
import { Conversation, Gone } from './conversation.ts';

/** Resolves when it listens; port 0 takes a free one. */
export async function listen(behaviour: Behaviour, port: number, host: string): Promise<Server> {
  // Half-open, so that a client that ends first does not make the proxy's answer impossible.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const client = new Conversation(socket);
    Promise.resolve()
      .then(() => behaviour.act(client))
      .catch((error: unknown) => {
        if (!(error instanceof Gone)) throw error;
      })
      .finally(() => socket.end());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: 1024 }, resolve);
  });
  return server;
}
