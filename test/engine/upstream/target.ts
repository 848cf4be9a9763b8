/** A destination that speaks first and then says back what it hears. */
import { createServer, type Server } from 'node:net';
import { listen } from './scripted-proxy.ts';

export interface Target {
  readonly port: number;
  readonly server: Server;
}

/** Listens on the loopback until its server is closed; it ends a connection when the other side has. */
export async function serveTarget(): Promise<Target> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.write('speaks first');
    socket.pipe(socket);
  });
  return { server, port: await listen(server) };
}
