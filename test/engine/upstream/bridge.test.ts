/** A stream as one end of a pair of sockets: every byte, both ends, and what is broken is not an end. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { connect, createServer, Socket, type Server, type SocketConstructorOpts } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Native } from '../../../electron/engine/native.ts';
import { bridge } from '../../../electron/engine/upstream/bridge.ts';
import { listen } from './scripted-proxy.ts';

let native: Native;
let server: Server;
/** The stream that is bridged, and the other side of it. */
let stream: Socket;
let other: Socket;
/** The end that the pump would have. */
let far: Socket;
let broken: Error[] = [];

beforeAll(() => {
  native = new Native(join(import.meta.dirname, '../../../dist'));
});
afterAll(() => {
  native.stopWatching();
});

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true });
  const port = await listen(server);
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  stream = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  stream.pause();
  await once(stream, 'connect');
  [other] = await accepted;
  other.on('error', () => undefined);
  broken = [];
  bridge(stream, {
    socketPair: () => native.socketPair(),
    join: (descriptor) => {
      far = socketOn(native.duplicate(descriptor));
    },
    onBroken: (error) => broken.push(error),
  });
});
afterEach(async () => {
  for (const socket of [far, stream, other]) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

function socketOn(fd: number): Socket {
  const options: SocketConstructorOpts = { fd, readable: true, writable: true, allowHalfOpen: true };
  return new Socket(options).on('error', () => undefined);
}

async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

it('carries megabytes both ways at once, and each half-close by itself', async () => {
  const [up, down] = [randomBytes(3 << 20), randomBytes(3 << 20)];
  const heard = readAll(other);
  const seen = readAll(far);
  far.end(up);
  other.write(down);
  expect((await heard).equals(up)).toBe(true);
  other.end('afterwards');
  expect((await seen).equals(Buffer.concat([down, Buffer.from('afterwards')]))).toBe(true);
  await expect.poll(() => [stream.destroyed, far.destroyed]).toEqual([true, true]);
  expect(broken).toEqual([]);
});

it('lets the stream end first', async () => {
  other.end('all of it');
  expect((await readAll(far)).toString()).toBe('all of it');
  const heard = readAll(other);
  far.end('later');
  expect((await heard).toString()).toBe('later');
  expect(broken).toEqual([]);
});

it('stops reading a stream that nobody takes from, and loses nothing of it', async () => {
  const sent = randomBytes(16 << 20);
  other.end(sent);
  await expect.poll(() => stream.isPaused()).toBe(true);
  expect(stream.bytesRead).toBeLessThan(sent.length);
  expect((await readAll(far)).equals(sent)).toBe(true);
});

it('tells a broken stream before anything looks like an end', async () => {
  let hasEnded = false;
  far.on('end', () => (hasEnded = true));
  far.resume();
  other.write('part');
  await once(far, 'data');
  other.resetAndDestroy();
  await expect.poll(() => broken).toHaveLength(1);
  expect(broken[0]).toMatchObject({ code: 'ECONNRESET' });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(hasEnded).toBe(false);
  far.destroy();
  await expect.poll(() => stream.destroyed).toBe(true);
  expect(broken).toHaveLength(1);
});

it('gives the stream up when the far end is closed and not only shut down', async () => {
  other.write('x');
  await once(far, 'data');
  const ends: string[] = [];
  other.on('end', () => ends.push('end'));
  other.on('close', () => ends.push('close'));
  other.resume();
  far.destroy();
  await expect.poll(() => stream.destroyed).toBe(true);
  await expect.poll(() => ends.length).toBeGreaterThan(0);
  expect(broken).toEqual([]);
});

it('leaves nothing when the pump does not take it', () => {
  const taken: number[] = [];
  const refuse = (): void => {
    bridge(stream, {
      socketPair: () => {
        const pair = native.socketPair();
        taken.push(...pair);
        return pair;
      },
      join: () => {
        throw new Error('no room');
      },
      onBroken: () => undefined,
    });
  };
  expect(refuse).toThrow('no room');
  expect(stream.destroyed).toBe(true);
  expect(() => closeSync(taken[1] ?? -1)).toThrow('EBADF');
});
