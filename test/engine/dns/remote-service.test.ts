import { afterEach, describe, expect, it } from 'vitest';
import { RemoteResolver } from '../../../electron/engine/dns/remote.ts';
import { DnsService } from '../../../electron/engine/dns/service.ts';
import { goodAnswer } from './dns-server.ts';
import type { Behaviour } from './dns-server.ts';
import { answersOf, queryBytes, read } from './queries.ts';
import type { Asked } from './queries.ts';
import { good, setUp, tearDown } from './remote-setup.ts';

afterEach(tearDown);

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

  it('counts a query as under way only until it is answered', async () => {
    const { resolver } = await setUp(good);
    const service = new DnsService({ mode: 'remote', resolver }, { hasIpv6: true, maxOutstanding: 1 });
    for (const name of ['a.test', 'b.test', 'c.test']) {
      expect(read(await service.handle(queryBytes({ name }), 'udp')).rcode).toBe('NOERROR');
    }
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
