import * as dnsPacket from 'dns-packet';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HostResolver, serversOf } from '../../../electron/engine/dns/host.ts';
import type { HostServer } from '../../../electron/engine/dns/host.ts';
import { readQuery } from '../../../electron/engine/dns/message.ts';
import type { Query } from '../../../electron/engine/dns/message.ts';
import { forgedAnswer, goodAnswer, tcpServer, udpServer } from './dns-server.ts';
import { answersOf, queryBytes, read } from './queries.ts';

const closers: (() => unknown)[] = [];
// Sockets are real, waiting times are not: a slow machine must not let them pass.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(async () => {
  vi.useRealTimers();
  for (const close of closers.splice(0)) await close();
});

function query(name = 'example.com'): Query {
  const reading = readQuery(queryBytes({ name, id: 99 }));
  if (reading.kind !== 'query') throw new Error(reading.kind);
  return reading.query;
}

async function server(behave: (query: Buffer) => Buffer[]): Promise<HostServer & { queries: Buffer[] }> {
  const found = await udpServer(behave);
  closers.push(() => found.close());
  return { address: '127.0.0.1', port: found.port, queries: found.queries };
}

function resolverFor(servers: HostServer[]): HostResolver {
  const resolver = new HostResolver({ now: () => 0, servers: () => servers });
  closers.push(() => resolver.close());
  return resolver;
}

const rcodeOf = (code: number) => (bytes: Buffer) => [
  goodAnswer(bytes, { flags: 0x180 | code, answers: [] }),
];

describe('the servers of a resolv.conf', () => {
  it('are the first three nameserver lines, comments and other lines left out', () => {
    const text = [
      '# nameserver 192.0.2.9',
      'search example.com',
      'nameserver 127.0.0.53 # stub',
      'nameserver\t2001:db8::1',
      'nameserver fe80::1%eth0',
      'nameserver 192.0.2.1',
      'nameserver nonsense',
    ].join('\n');
    expect(serversOf(text).map(({ address }) => address)).toEqual([
      '127.0.0.53',
      '2001:db8::1',
      'fe80::1%eth0',
    ]);
    expect(serversOf(text).every(({ port }) => port === 53)).toBe(true);
  });

  it('are the loopback if there is none', () => {
    expect(serversOf('options edns0\n')).toEqual([{ address: '127.0.0.1', port: 53 }]);
  });
});

describe('the host’s own resolvers', () => {
  it('are asked by datagram, and what they say is cached', async () => {
    const one = await server((bytes) => [goodAnswer(bytes)]);
    const resolver = resolverFor([one]);
    const answer = await resolver.resolve(query());
    expect([read(answer).id, answersOf(answer)]).toEqual([99, ['192.0.2.7']]);
    await resolver.resolve(query());
    expect(one.queries).toHaveLength(1);
  });

  it('are asked by stream where the answer was truncated', async () => {
    const behave = (bytes: Buffer) => [
      goodAnswer(bytes, { answers: [], flags: dnsPacket.TRUNCATED_RESPONSE }),
    ];
    const udp = await server(behave);
    const tcp = await tcpServer((bytes) => [goodAnswer(bytes)], udp.port);
    closers.push(() => tcp.close());
    expect(answersOf(await resolverFor([udp]).resolve(query()))).toEqual(['192.0.2.7']);
    expect(tcp.queries).toHaveLength(1);
    await expect.poll(() => tcp.open).toBe(0);
  });

  it('a forged datagram before the right one is not taken', async () => {
    const one = await server((bytes) => {
      const id = forgedAnswer(bytes);
      id.writeUInt16BE(id.readUInt16BE(0) ^ 0x55, 0);
      const name = forgedAnswer(bytes);
      name[13] = 0x78;
      return [Buffer.from('junk'), id, name, goodAnswer(bytes)];
    });
    expect(answersOf(await resolverFor([one]).resolve(query()))).toEqual(['192.0.2.7']);
  });

  it.each([
    ['fails', rcodeOf(2)],
    ['refuses', rcodeOf(5)],
  ])('when the first %s the next one is asked at once', async (_, behave) => {
    const first = await server(behave);
    const second = await server((bytes) => [goodAnswer(bytes)]);
    expect(answersOf(await resolverFor([first, second]).resolve(query()))).toEqual(['192.0.2.7']);
    expect([first.queries.length, second.queries.length]).toEqual([1, 1]);
  });

  it('when the first is silent the next one is asked after half of the time', async () => {
    const first = await server(() => []);
    const second = await server((bytes) => [goodAnswer(bytes)]);
    const answer = resolverFor([first, second]).resolve(query());
    await expect.poll(() => first.queries.length).toBe(1);
    vi.advanceTimersByTime(2499);
    expect(second.queries).toHaveLength(0);
    vi.advanceTimersByTime(1);
    expect(answersOf(await answer)).toEqual(['192.0.2.7']);
  });

  it('when all refuse, the refusal is the answer', async () => {
    const one = await server(rcodeOf(5));
    expect(read(await resolverFor([one]).resolve(query())).rcode).toBe('REFUSED');
  });

  it('a lost datagram is sent again', async () => {
    let count = 0;
    const lossy = await server((bytes) => ((count += 1) === 1 ? [] : [goodAnswer(bytes)]));
    const answer = resolverFor([lossy]).resolve(query());
    await expect.poll(() => count).toBe(1);
    vi.advanceTimersByTime(2500);
    expect(answersOf(await answer)).toEqual(['192.0.2.7']);
  });

  it('no answer at all is a failure in time', async () => {
    const silent = await server(() => []);
    const failing = expect(resolverFor([silent]).resolve(query())).rejects.toMatchObject({
      failure: { code: 'dns-failed', step: 'host' },
    });
    for (const sent of [1, 2]) {
      await expect.poll(() => silent.queries.length).toBe(sent);
      vi.advanceTimersByTime(2500);
    }
    await failing;
  });

  it('a port on which nothing listens is known at once', async () => {
    const gone = await udpServer(() => []);
    gone.close();
    const second = await server((bytes) => [goodAnswer(bytes)]);
    const resolver = resolverFor([{ address: '127.0.0.1', port: gone.port }, second]);
    expect(answersOf(await resolver.resolve(query()))).toEqual(['192.0.2.7']);
  });

  it('closing ends what is under way', async () => {
    const silent = await server(() => []);
    const resolver = resolverFor([silent]);
    const failing = expect(resolver.resolve(query())).rejects.toThrow();
    await expect.poll(() => silent.queries.length).toBe(1);
    resolver.close();
    await failing;
  });
});
