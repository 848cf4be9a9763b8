import * as dnsPacket from 'dns-packet';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readQuery } from '../../../electron/engine/dns/message.ts';
import { RemoteResolver } from '../../../electron/engine/dns/remote.ts';
import { forgedAnswer, goodAnswer, tcpServer } from './dns-server.ts';
import { answersOf, queryBytes, read } from './queries.ts';
import { atEnd, dialled, good, query, setUp, tearDown } from './remote-setup.ts';

// Sockets are real, deadlines are not: a slow machine must not let them pass.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(async () => {
  vi.useRealTimers();
  await tearDown();
});

describe('a resolver at the end of a stream', () => {
  it('answers as the server did, but for the id', async () => {
    const { server, resolver } = await setUp(good);
    const answer = await resolver.resolve(query({ id: 77, edns: { dnssec: true } }));
    const [asked] = server.queries;
    if (asked === undefined) throw new Error('nothing was asked');
    const expected = goodAnswer(asked);
    expected.writeUInt16BE(77, 0);
    expect(answer).toEqual(expected);
    expect(read(asked).questions).toEqual([{ name: 'example.com', type: 'A', class: 'IN' }]);
    expect(read(asked).additionals).toMatchObject([{ type: 'OPT', flag_do: true, options: [] }]);
  });

  it('does not pass on what the app says of itself (cookie, client subnet)', async () => {
    const { server, resolver } = await setUp(good);
    const bytes = Buffer.concat([
      queryBytes(),
      Buffer.from([0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 12, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]),
    ]);
    bytes.writeUInt16BE(1, 10);
    const reading = readQuery(bytes);
    if (reading.kind !== 'query') throw new Error(reading.kind);
    await resolver.resolve(reading.query);
    expect(read(server.queries[0]).additionals).toMatchObject([{ type: 'OPT', options: [] }]);
  });

  it('keeps its connection and asks many questions at once over it', async () => {
    const held: (() => void)[] = [];
    const { server, resolver, dials } = await setUp(
      (bytes) => new Promise((resolve) => held.unshift(() => resolve([goodAnswer(bytes)]))),
    );
    const answers = Promise.all(
      Array.from({ length: 200 }, (_, id) => resolver.resolve(query({ id, name: `n${id}.test` }))),
    );
    await expect.poll(() => held.length).toBe(200);
    for (const release of held) release();
    for (const [id, answer] of (await answers).entries()) {
      expect(read(answer)).toMatchObject({ id, questions: [{ name: `n${id}.test` }] });
    }
    expect([dials(), server.connections]).toEqual([1, 1]);
  });

  it('asks once for equal questions, and gives each its own id and its own letters', async () => {
    const { server, resolver } = await setUp(good);
    const answers = await Promise.all([
      resolver.resolve(query({ id: 1, name: 'www.example.com' })),
      resolver.resolve(query({ id: 2, name: 'wWw.eXample.com' })),
    ]);
    answers.push(await resolver.resolve(query({ id: 3, name: 'WWW.EXAMPLE.COM' })));
    expect(server.queries).toHaveLength(1);
    expect(answers.map((answer) => [read(answer).id, read(answer).questions?.[0]?.name])).toEqual([
      [1, 'www.example.com'],
      [2, 'wWw.eXample.com'],
      [3, 'WWW.EXAMPLE.COM'],
    ]);
  });

  it('asks anew for another type, with DO, with CD, and when the time to live is over', async () => {
    const { server, resolver, time } = await setUp(good);
    await resolver.resolve(query());
    await resolver.resolve(query({ type: 'TXT' }));
    await resolver.resolve(query({ edns: {} }));
    await resolver.resolve(query({ edns: { dnssec: true } }));
    await resolver.resolve(query({ flags: dnsPacket.RECURSION_DESIRED | dnsPacket.CHECKING_DISABLED }));
    expect(server.queries).toHaveLength(5);
    time.ms = 3_599_999;
    expect(read(await resolver.resolve(query())).answers).toMatchObject([{ ttl: 1 }]);
    expect(server.queries).toHaveLength(5);
    time.ms = 3_600_000;
    await resolver.resolve(query());
    expect(server.queries).toHaveLength(6);
  });

  it('tells names apart that differ in bytes which only look like capital letters', async () => {
    const { server, resolver } = await setUp(good);
    for (const byte of [0xc0, 0xe0]) {
      const bytes = queryBytes({ name: 'x.test' });
      bytes[13] = byte;
      const reading = readQuery(bytes);
      if (reading.kind !== 'query') throw new Error(reading.kind);
      // The library's server writes such names as U+FFFD, so its answers are refused: only the asking counts.
      void resolver.resolve(reading.query).catch(() => undefined);
    }
    await expect.poll(() => server.queries.length).toBe(2);
  });
});

describe('a server that misbehaves', () => {
  const wrong = (bytes: Buffer, change: (copy: Buffer) => void): Buffer => {
    const copy = forgedAnswer(bytes);
    change(copy);
    return copy;
  };

  it.each<[string, (copy: Buffer) => void]>([
    ['another id', (copy) => copy.writeUInt16BE(copy.readUInt16BE(0) ^ 1, 0)],
    ['another name', (copy) => (copy[13] = 0x7a)],
    ['the same name in other letters', (copy) => (copy[13] = (copy[13] ?? 0) ^ 0x20)],
    ['another type', (copy) => copy.writeUInt16BE(28, 12 + 13)],
    ['a query', (copy) => copy.writeUInt16BE(0x0100, 2)],
    ['another opcode', (copy) => copy.writeUInt16BE(0xa180, 2)],
    ['a count that is too large', (copy) => copy.writeUInt16BE(9, 6)],
  ])('%s is not taken for the answer, the right one after it is', async (_, change) => {
    const { server, resolver } = await setUp((bytes) => [wrong(bytes, change), goodAnswer(bytes)]);
    expect(answersOf(await resolver.resolve(query({ name: 'abc.example' })))).toEqual(['192.0.2.7']);
    expect(server.queries).toHaveLength(1);
  });

  it.each<[string, (copy: Buffer) => void]>([
    ['another id', (copy) => copy.writeUInt16BE(copy.readUInt16BE(0) ^ 1, 0)],
    ['another name', (copy) => (copy[13] = 0x7a)],
  ])('with nothing but %s the query fails at its deadline', async (_, change) => {
    let answered = 0;
    const { resolver } = await setUp((bytes) => [wrong(bytes, change), Buffer.from(`${(answered += 1)}`)]);
    const failing = expect(resolver.resolve(query({ name: 'abc.example' }))).rejects.toMatchObject({
      failure: { code: 'dns-failed' },
    });
    await expect.poll(() => answered).toBe(1);
    vi.advanceTimersByTime(5000);
    await failing;
  });

  it('random bytes in frames do no harm', async () => {
    const noise = Array.from({ length: 300 }, (_, length) => Buffer.alloc(length, length));
    const { resolver } = await setUp((bytes) => [...noise, goodAnswer(bytes)]);
    expect(answersOf(await resolver.resolve(query()))).toEqual(['192.0.2.7']);
  });

  it('closing a kept connection is not noticed by the app', async () => {
    const { server, resolver } = await setUp(good);
    await resolver.resolve(query({ name: 'a.test' }));
    await server.close();
    const again = await tcpServer(good, server.port);
    atEnd(() => again.close());
    expect(answersOf(await resolver.resolve(query({ name: 'b.test' })))).toEqual(['192.0.2.7']);
    expect(again.connections).toBe(1);
  });

  it('closing in the middle of an answer: what was not answered is asked again, once', async () => {
    const { server, resolver } = await setUp((bytes, { socket, number }) => {
      if (number > 1) return [goodAnswer(bytes)];
      socket.end(Buffer.from([0, 60, ...goodAnswer(bytes).subarray(0, 20)]));
      return [];
    });
    const answers = await Promise.all([
      resolver.resolve(query()),
      resolver.resolve(query({ name: 'b.test' })),
    ]);
    expect(answers.map(answersOf)).toEqual([['192.0.2.7'], ['192.0.2.7']]);
    expect(server.connections).toBe(2);
  });

  it('a stream that is handed over paused is read all the same', async () => {
    const server = await tcpServer(good);
    atEnd(() => server.close());
    const connect = async () => (await dialled(server.port)).pause();
    const resolver = new RemoteResolver({ now: () => 0, connect });
    atEnd(() => resolver.close());
    expect(answersOf(await resolver.resolve(query()))).toEqual(['192.0.2.7']);
  });

  it('closing every connection ends in a failure after the second', async () => {
    const { server, resolver } = await setUp((_, { socket }) => {
      socket.destroy();
      return [];
    });
    await expect(resolver.resolve(query())).rejects.toMatchObject({ failure: { code: 'dns-failed' } });
    expect(server.connections).toBe(2);
  });

  it('a silent connection is given up with the query that it left without answer', async () => {
    const { server, resolver } = await setUp((bytes, { number }) =>
      number === 1 ? [] : [goodAnswer(bytes)],
    );
    const failing = expect(resolver.resolve(query())).rejects.toMatchObject({
      failure: { code: 'dns-failed' },
    });
    await expect.poll(() => server.queries.length).toBe(1);
    vi.advanceTimersByTime(5000);
    await failing;
    await expect.poll(() => server.open).toBe(0);
    expect(answersOf(await resolver.resolve(query()))).toEqual(['192.0.2.7']);
  });

  it('an answer after the deadline is nobody’s, and the connection goes on', async () => {
    const late: (() => void)[] = [];
    const { server, resolver } = await setUp((bytes) => {
      if (!bytes.includes('late')) return [goodAnswer(bytes)];
      return new Promise((resolve) => late.push(() => resolve([goodAnswer(bytes)])));
    });
    const failing = expect(resolver.resolve(query({ name: 'late.test' }))).rejects.toThrow();
    await expect.poll(() => late.length).toBe(1);
    // Something else is answered meanwhile, so the connection is known to be alive.
    await resolver.resolve(query({ name: 'a.test' }));
    vi.advanceTimersByTime(5000);
    await failing;
    late[0]?.();
    expect(answersOf(await resolver.resolve(query({ name: 'b.test' })))).toEqual(['192.0.2.7']);
    expect(server.connections).toBe(1);
  });

  it('a failed dial fails every query that waited for it, and the next one dials again', async () => {
    let isDown = true;
    let dials = 0;
    const server = await tcpServer(good);
    atEnd(() => server.close());
    const resolver = new RemoteResolver({
      now: () => 0,
      connect: () => {
        dials += 1;
        return isDown ? Promise.reject(new Error('proxy down')) : dialled(server.port);
      },
    });
    atEnd(() => resolver.close());
    const both = await Promise.allSettled([
      resolver.resolve(query({ name: 'a.test' })),
      resolver.resolve(query({ name: 'b.test' })),
    ]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(dials).toBe(1);
    isDown = false;
    expect(answersOf(await resolver.resolve(query()))).toEqual(['192.0.2.7']);
  });

  it('an unused connection is closed', async () => {
    const { server, resolver } = await setUp(good);
    await resolver.resolve(query());
    vi.advanceTimersByTime(9999);
    await resolver.resolve(query({ name: 'a.test' }));
    expect(server.connections).toBe(1);
    vi.advanceTimersByTime(10_000);
    await expect.poll(() => server.open).toBe(0);
    await resolver.resolve(query({ name: 'b.test' }));
    expect(server.connections).toBe(2);
  });

  it('closing the resolver fails what is under way and lets the connection go', async () => {
    const { server, resolver } = await setUp(() => []);
    const failing = expect(resolver.resolve(query())).rejects.toThrow();
    await expect.poll(() => server.queries.length).toBe(1);
    resolver.close();
    await failing;
    await expect.poll(() => server.open).toBe(0);
    await expect(resolver.resolve(query())).rejects.toThrow();
  });
});
