/** A session bus that says what a test wants it to say. */
import { createServer, type Server } from 'node:net';

/** The line that ends signing in. */
export const signedIn = Buffer.from('OK 0123\r\n');

/** Listens at the path; `answer` is asked at each arrival, with how many there were before it on that connection. */
export async function spokenBus(
  path: string,
  answer: (data: Buffer, count: number) => Uint8Array | undefined,
): Promise<{ server: Server; env: NodeJS.ProcessEnv }> {
  const server = createServer((socket) => {
    let count = 0;
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      const said = answer(data, count);
      count += 1;
      if (said !== undefined) socket.write(said);
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return { server, env: { DBUS_SESSION_BUS_ADDRESS: `unix:path=${path}` } };
}
