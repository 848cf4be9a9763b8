/**
 * A SOCKS5 proxy that passes on ends as ends and resets as resets, which none of the real ones does: for
 * tests of what the relay makes of them. Started as `mirror.cjs ADDRESS PORT`.
 */
import { connect, createServer, type Socket } from 'node:net';

const [address, port] = process.argv.slice(2);

/** Reads exactly `count` bytes of a paused stream. */
async function take(socket: Socket, count: number): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(count) as Buffer | null;
    if (bytes !== null) return bytes;
    await new Promise((resolve) => socket.once('readable', resolve));
  }
}

async function destinationOf(client: Socket): Promise<{ host: string; port: number }> {
  const [, methods = 0] = await take(client, 2);
  await take(client, methods);
  client.write(Buffer.from([5, 0]));
  const [, , , type] = await take(client, 4);
  const length = type === 1 ? 4 : type === 4 ? 16 : ((await take(client, 1))[0] ?? 0);
  const bytes = await take(client, length);
  const words = Array.from({ length: 8 }, (_, index) =>
    bytes.subarray(index * 2, index * 2 + 2).toString('hex'),
  );
  const host = type === 1 ? bytes.join('.') : type === 4 ? words.join(':') : bytes.toString('latin1');
  return { host, port: (await take(client, 2)).readUInt16BE() };
}

function mirror(from: Socket, to: Socket): void {
  from.pipe(to, { end: false });
  from.on('end', () => to.end());
  from.on('error', () => to.resetAndDestroy());
}

async function serve(client: Socket): Promise<void> {
  const target = connect({ ...(await destinationOf(client)), allowHalfOpen: true });
  target.once('connect', () => {
    client.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
    mirror(client, target);
    mirror(target, client);
  });
  target.once('error', () => client.resetAndDestroy());
}

const server = createServer({ allowHalfOpen: true }, (client) => {
  client.on('error', () => undefined);
  void serve(client);
});
server.listen(Number(port), address, () => process.stdout.write('mirror listens\n'));
