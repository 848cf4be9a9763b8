import { connect } from 'node:net';
import type { Socket } from 'node:net';
import * as dnsPacket from 'dns-packet';
import { afterEach, describe, expect, it } from 'vitest';
import { readQuery } from '../../../electron/engine/dns/message.ts';
import type { Query } from '../../../electron/engine/dns/message.ts';
import { RemoteResolver } from '../../../electron/engine/dns/remote.ts';
import type { StreamExchangeOptions } from '../../../electron/engine/dns/remote.ts';
import { DnsService } from '../../../electron/engine/dns/service.ts';
import { goodAnswer, tcpServer } from './dns-server.ts';
import type { Behaviour, TestServer } from './dns-server.ts';
import { answersOf, queryBytes, read } from './queries.ts';
import type { Asked } from './queries.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface SetUp {
  server: TestServer;
  resolver: RemoteResolver;
  time: { ms: number };
  dials: () => number;
}

/** A resolver and the real server that it asks. */
async function setUp(behave: Behaviour, options: Partial<StreamExchangeOptions> = {}): Promise<SetUp> {
  const server = await tcpServer(behave);
  closers.push(() => server.close());
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
  closers.push(() => resolver.close());
  return { server, resolver, time, dials: () => dials };
}

function dialled(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', reject);
    socket.once('connect', () => resolve(socket));
  });
}

function query(asked: Asked = {}): Query {
  const reading = readQuery(queryBytes(asked));
  if (reading.kind !== 'query') throw new Error(reading.kind);
  return reading.query;
}

const good: Behaviour = (bytes) => [goodAnswer(bytes)];

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
    const copy = goodAnswer(bytes);
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
    const { resolver } = await setUp((bytes) => [wrong(bytes, change)], { deadlineMs: 100 });
    await expect(resolver.resolve(query({ name: 'abc.example' }))).rejects.toMatchObject({
      failure: { code: 'dns-failed' },
    });
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
    closers.push(() => again.close());
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

  it('closing every connection ends in a failure after the second', async () => {
    const { server, resolver } = await setUp((_, { socket }) => {
      socket.destroy();
      return [];
    });
    await expect(resolver.resolve(query())).rejects.toMatchObject({ failure: { code: 'dns-failed' } });
    expect(server.connections).toBe(2);
  });

  it('a silent connection is given up with the query that it left without answer', async () => {
    const { server, resolver } = await setUp(
      (bytes, { number }) => (number === 1 ? [] : [goodAnswer(bytes)]),
      {
        deadlineMs: 100,
      },
    );
    await expect(resolver.resolve(query())).rejects.toMatchObject({ failure: { code: 'dns-failed' } });
    await expect.poll(() => server.open).toBe(0);
    expect(answersOf(await resolver.resolve(query()))).toEqual(['192.0.2.7']);
  });

  it('an answer after the deadline is nobody’s, and the connection goes on', async () => {
    const late: (() => void)[] = [];
    const { server, resolver } = await setUp(
      (bytes) => {
        if (!bytes.includes('late')) return [goodAnswer(bytes)];
        return new Promise((resolve) => late.push(() => resolve([goodAnswer(bytes)])));
      },
      { deadlineMs: 150 },
    );
    const failing = expect(resolver.resolve(query({ name: 'late.test' }))).rejects.toThrow();
    await expect.poll(() => late.length).toBe(1);
    // Something else is answered meanwhile, so the connection is known to be alive.
    await resolver.resolve(query({ name: 'a.test' }));
    await failing;
    late[0]?.();
    expect(answersOf(await resolver.resolve(query({ name: 'b.test' })))).toEqual(['192.0.2.7']);
    expect(server.connections).toBe(1);
  });

  it('a failed dial fails every query that waited for it, and the next one dials again', async () => {
    let isDown = true;
    let dials = 0;
    const server = await tcpServer(good);
    closers.push(() => server.close());
    const resolver = new RemoteResolver({
      now: () => 0,
      connect: () => {
        dials += 1;
        return isDown ? Promise.reject(new Error('proxy down')) : dialled(server.port);
      },
    });
    closers.push(() => resolver.close());
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
    const { server, resolver } = await setUp(good, { idleMs: 30 });
    await resolver.resolve(query());
    expect(server.connections).toBe(1);
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

describe('the service of a lane in remote mode', () => {
  const many: Behaviour = (bytes) => {
    const name = read(bytes).questions?.[0]?.name ?? '';
    const answers = Array.from({ length: 100 }, (_, n) => ({
      type: 'A' as const,
      name,
      ttl: 60,
      data: `192.0.2.${n}`,
    }));
    return [goodAnswer(bytes, { answers })];
  };

  it('never asks for names that stay here', async () => {
    const { server, resolver } = await setUp(good);
    const service = new DnsService({ mode: 'remote', resolver }, { hasIpv6: true });
    const rcodeOf = async (asked: Asked) => read(await service.handle(queryBytes(asked), 'udp')).rcode;
    expect(answersOf(await service.handle(queryBytes({ name: 'localhost' }), 'udp'))).toEqual(['127.0.0.1']);
    expect(await rcodeOf({ name: 'printer.local' })).toBe('NXDOMAIN');
    expect(await rcodeOf({ name: 'abc.onion' })).toBe('NXDOMAIN');
    expect(await rcodeOf({ name: '1.2.3.4' })).toBe('NXDOMAIN');
    expect(await rcodeOf({ name: 'lb._dns-sd._udp.0.1.168.192.in-addr.arpa', type: 'PTR' })).toBe('NXDOMAIN');
    expect(await rcodeOf({ name: '_dns.resolver.arpa', type: 'UNKNOWN_64' })).toBe('NOERROR');
    expect(server.connections).toBe(0);
    expect(await rcodeOf({ name: '4.3.2.198.in-addr.arpa', type: 'PTR' })).toBe('NOERROR');
    expect(await rcodeOf({ name: '.', type: 'NS' })).toBe('NOERROR');
    expect(server.queries).toHaveLength(2);
  });

  it('answers AAAA empty without asking where the route cannot carry IPv6', async () => {
    const { server, resolver } = await setUp(good);
    const service = new DnsService({ mode: 'remote', resolver }, { hasIpv6: false });
    expect(answersOf(await service.handle(queryBytes({ type: 'AAAA' }), 'udp'))).toEqual([]);
    expect(server.queries).toHaveLength(0);
  });

  it('truncates for a datagram that is too small, and not for a stream', async () => {
    const { resolver } = await setUp(many);
    const service = new DnsService({ mode: 'remote', resolver }, { hasIpv6: true });
    for (const edns of [undefined, { size: 1232 }]) {
      const asked = edns === undefined ? {} : { edns };
      const short = read(await service.handle(queryBytes(asked), 'udp'));
      expect([short.flag_tc, short.answers]).toEqual([true, []]);
      expect(short.additionals).toHaveLength(edns === undefined ? 0 : 1);
      const whole = read(await service.handle(queryBytes(asked), 'tcp'));
      expect([whole.flag_tc, whole.answers?.length]).toEqual([false, 100]);
    }
    const roomy = read(await service.handle(queryBytes({ edns: { size: 4096 } }), 'udp'));
    expect([roomy.flag_tc, roomy.answers?.length]).toEqual([false, 100]);
  });

  it('answers SERVFAIL when there is no answer, and says why to whoever wants to know', async () => {
    const failures: unknown[] = [];
    const resolver = new RemoteResolver({
      now: () => 0,
      connect: () => Promise.reject(new Error('proxy down')),
    });
    const service = new DnsService(
      { mode: 'remote', resolver },
      { hasIpv6: true, onFailure: (failure) => failures.push(failure) },
    );
    expect(read(await service.handle(queryBytes({ id: 5 }), 'udp'))).toMatchObject({
      id: 5,
      rcode: 'SERVFAIL',
    });
    expect(failures).toEqual([{ code: 'dns-failed', step: 'resolver', detail: 'proxy down' }]);
    expect(service.counters.failed).toBe(1);
    service.close();
  });

  it('answers SERVFAIL at once beyond the bound of queries under way', async () => {
    const { server, resolver } = await setUp(() => []);
    const service = new DnsService({ mode: 'remote', resolver }, { hasIpv6: true, maxOutstanding: 3 });
    const held = [1, 2, 3].map((id) => service.handle(queryBytes({ id, name: `n${id}.test` }), 'udp'));
    expect(read(await service.handle(queryBytes({ name: 'four.test' }), 'udp')).rcode).toBe('SERVFAIL');
    expect(service.counters.overloaded).toBe(1);
    await expect.poll(() => server.queries.length).toBe(3);
    service.close();
    for (const answer of await Promise.all(held)) expect(read(answer).rcode).toBe('SERVFAIL');
  });

  it('lets go of the caller’s buffer before the answer is there', async () => {
    const { resolver } = await setUp(good);
    const service = new DnsService({ mode: 'remote', resolver }, { hasIpv6: true });
    const bytes = queryBytes({ id: 8, name: 'kept.test' });
    const answer = service.handle(bytes, 'udp');
    bytes.fill(0xff);
    expect(read(await answer)).toMatchObject({ id: 8, questions: [{ name: 'kept.test' }] });
  });
});
