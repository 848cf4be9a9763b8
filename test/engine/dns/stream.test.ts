import { Duplex } from 'node:stream';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { FakePool } from '../../../electron/engine/dns/fake-pool.ts';
import { DnsService } from '../../../electron/engine/dns/service.ts';
import { frame, FrameReader, serveStream } from '../../../electron/engine/dns/stream.ts';
import type { Answerer, StreamOptions } from '../../../electron/engine/dns/stream.ts';
import { queryBytes, read } from './queries.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A real stream whose far end is served. */
async function served(answerer: Answerer, options: StreamOptions = {}): Promise<Socket> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    serveStream(socket, answerer, options);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
  });
  client.on('error', () => undefined);
  closers.push(() => {
    client.destroy();
    server.close();
  });
  return client;
}

/** Reads messages from the stream until there are as many, or it ends. */
async function collect(stream: Duplex, count: number): Promise<Buffer[]> {
  const reader = new FrameReader();
  const found: Buffer[] = [];
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    reader.push(chunk);
    for (let message = reader.next(); message !== undefined; message = reader.next()) found.push(message);
    if (found.length >= count) break;
  }
  return found;
}

const fakes = () => new DnsService({ mode: 'fake', pool: new FakePool({ now: () => 0 }) }, { hasIpv6: true });
const idOf = (message: Buffer) => message.readUInt16BE(0);

describe('messages on a stream', () => {
  it('come out whole wherever the chunks begin and end', () => {
    const message = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 50 })),
        (messages, sizes) => {
          const bytes = Buffer.concat(messages.map(frame));
          const reader = new FrameReader();
          const found: Buffer[] = [];
          for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
            const size = sizes[turn % Math.max(1, sizes.length)] ?? 1;
            reader.push(bytes.subarray(at, at + size));
            at += size;
            for (let next = reader.next(); next !== undefined; next = reader.next()) found.push(next);
          }
          expect(found).toEqual(messages);
        },
      ),
    );
  });

  it('a message of 65,535 bytes in single bytes is put together once', () => {
    const reader = new FrameReader();
    const message = Buffer.alloc(65_535, 7);
    for (const byte of frame(message)) {
      expect(reader.next()).toBeUndefined();
      reader.push(Buffer.from([byte]));
    }
    expect(reader.next()).toEqual(message);
    expect(reader.next()).toBeUndefined();
  });
});

describe('a client that asks over TCP', () => {
  it('gets its answers for two queries that are split at any byte', async () => {
    const bytes = Buffer.concat([
      frame(queryBytes({ id: 1, name: 'a.test' })),
      frame(queryBytes({ id: 2, name: 'b.test' })),
    ]);
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const answers: Buffer[] = [];
      const reader = new FrameReader();
      const stream = new Duplex({
        read: () => undefined,
        write: (chunk: Buffer, _, done) => {
          reader.push(chunk);
          for (let next = reader.next(); next !== undefined; next = reader.next()) answers.push(next);
          done();
        },
      });
      serveStream(stream, fakes());
      stream.push(bytes.subarray(0, cut));
      stream.push(bytes.subarray(cut));
      await expect.poll(() => answers.length, { interval: 1 }).toBe(2);
      expect(answers.map((answer) => read(answer).questions?.[0]?.name)).toEqual(['a.test', 'b.test']);
      stream.destroy();
    }
  });

  it('gets 2,000 pipelined queries answered, far more than may be under way or come in one chunk', async () => {
    const client = await served(fakes(), { maxOutstanding: 8 });
    const queries = Array.from({ length: 2000 }, (_, id) =>
      frame(queryBytes({ id, name: `n${id}.${'long.'.repeat(30)}test` })),
    );
    client.write(Buffer.concat(queries));
    const ids = (await collect(client, 2000)).map(idOf);
    expect(new Set(ids).size).toBe(2000);
  });

  it('gets the answer that is there first, first', async () => {
    const late: ((bytes: Buffer) => void)[] = [];
    const answerer: Answerer = {
      handle: (query) =>
        idOf(query) === 1
          ? new Promise((resolve) => late.push(resolve))
          : Promise.resolve(Buffer.from(query)),
    };
    const client = await served(answerer);
    client.write(Buffer.concat([frame(queryBytes({ id: 1 })), frame(queryBytes({ id: 2 }))]));
    expect((await collect(client, 1)).map(idOf)).toEqual([2]);
    late[0]?.(queryBytes({ id: 1 }));
    expect((await collect(client, 1)).map(idOf)).toEqual([1]);
  });

  it('is still answered after it has ended its side, and then the stream ends', async () => {
    const client = await served(fakes());
    client.end(frame(queryBytes({ id: 9 })));
    expect((await collect(client, Infinity)).map(idOf)).toEqual([9]);
    expect(client.readableEnded).toBe(true);
  });

  it('never has more than the bound under way, and is not read from meanwhile', async () => {
    let underWay = 0;
    let most = 0;
    const held: (() => void)[] = [];
    const answerer: Answerer = {
      handle: (query) => {
        underWay += 1;
        most = Math.max(most, underWay);
        return new Promise((resolve) => {
          held.push(() => {
            underWay -= 1;
            resolve(Buffer.from(query));
          });
        });
      },
    };
    const client = await served(answerer, { maxOutstanding: 3 });
    client.write(Buffer.concat(Array.from({ length: 10 }, (_, id) => frame(queryBytes({ id })))));
    const answers = collect(client, 10);
    for (let done = 0; done < 10; done += 1) {
      await expect.poll(() => held.length).toBeGreaterThan(0);
      held.shift()?.();
    }
    expect(await answers).toHaveLength(10);
    expect(most).toBe(3);
  });

  it('is closed when it idles, also in the middle of a message', async () => {
    const client = await served(fakes(), { idleMs: 50 });
    client.write(Buffer.from([0, 40, 1, 2]));
    expect(await collect(client, Infinity)).toEqual([]);
    expect(client.readableEnded).toBe(true);
  });

  it('gets nothing for garbage, and its stream stays', async () => {
    const client = await served(fakes());
    client.write(
      Buffer.concat([frame(Buffer.alloc(0)), frame(Buffer.from('x')), frame(queryBytes({ id: 5 }))]),
    );
    expect((await collect(client, 1)).map(idOf)).toEqual([5]);
  });
});
