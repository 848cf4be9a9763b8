import * as dnsPacket from 'dns-packet';
import { describe, expect, it } from 'vitest';
import { AnswerCache, lifetimeSeconds } from '../../../electron/engine/dns/cache.ts';
import { scan } from '../../../electron/engine/dns/wire.ts';
import type { Scan } from '../../../electron/engine/dns/wire.ts';
import { read } from './queries.ts';

interface Told {
  ttls?: number[];
  soa?: { ttl: number; minimum: number };
  rcode?: number;
  flags?: number;
  cname?: number;
}

function answerOf(told: Told): { answer: Buffer; found: Scan } {
  const { soa } = told;
  const cname = told.cname === undefined ? [] : [told.cname];
  const answer = dnsPacket.encode({
    type: 'response',
    flags: (told.flags ?? 0) | (told.rcode ?? 0),
    questions: [{ type: 'A', name: 'a.test' }],
    answers: [
      ...cname.map((ttl) => ({ type: 'CNAME' as const, name: 'a.test', ttl, data: 'b.test' })),
      ...(told.ttls ?? []).map((ttl) => ({ type: 'A' as const, name: 'b.test', ttl, data: '192.0.2.1' })),
    ],
    authorities:
      soa === undefined
        ? []
        : [
            {
              type: 'SOA',
              name: 'test',
              ttl: soa.ttl,
              data: { mname: 'ns.test', rname: 'x.test', minimum: soa.minimum },
            },
          ],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: 1232,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: dnsPacket.DNSSEC_OK,
        flag_do: true,
        options: [],
      },
    ],
  });
  const found = scan(answer);
  if (found === undefined) throw new Error('the library wrote what the scan refuses');
  return { answer, found };
}

describe('how long an answer is kept', () => {
  it.each<[string, Told, number]>([
    ['the shortest time to live', { ttls: [300, 20, 100] }, 20],
    ['that of an alias before it included', { cname: 10, ttls: [300] }, 10],
    ['an hour at most', { ttls: [100_000] }, 3600],
    ['not at all with 0', { ttls: [300, 0] }, 0],
    ['not at all with the highest bit', { ttls: [0x8000_0001] }, 0],
    ['no such name: the minimum of its SOA', { rcode: 3, soa: { ttl: 900, minimum: 30 } }, 30],
    ['no such record: the time to live of its SOA', { soa: { ttl: 15, minimum: 900 } }, 15],
    ['five minutes at most if negative', { soa: { ttl: 9000, minimum: 9000 } }, 300],
    ['not at all if negative without SOA', { rcode: 3 }, 0],
    ['not at all if an alias leads nowhere without SOA', { cname: 100 }, 0],
    ['an alias that leads nowhere with SOA', { cname: 100, soa: { ttl: 900, minimum: 50 } }, 50],
    ['not at all if truncated', { ttls: [300], flags: dnsPacket.TRUNCATED_RESPONSE }, 0],
    ['not at all if it failed', { ttls: [300], rcode: 2 }, 0],
    ['not at all if refused', { rcode: 5, soa: { ttl: 900, minimum: 30 } }, 0],
  ])('%s', (_, told, seconds) => {
    const { answer, found } = answerOf(told);
    expect(lifetimeSeconds(answer, found)).toBe(seconds);
  });
});

describe('kept answers', () => {
  it('come back with their times to live lowered by their age, and are gone at the end', () => {
    let ms = 5000;
    const cache = new AnswerCache({ now: () => ms });
    const { answer, found } = answerOf({ cname: 100, ttls: [60] });
    cache.put('key', answer, found);
    ms += 59_999;
    const packet = read(cache.get('key'));
    expect(packet.answers?.map((record) => ('ttl' in record ? record.ttl : 0))).toEqual([41, 1]);
    expect(packet.additionals).toEqual(read(answer).additionals);
    ms += 1;
    expect(cache.get('key')).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  it('cannot be changed by whoever got them', () => {
    const cache = new AnswerCache({ now: () => 0 });
    const { answer, found } = answerOf({ ttls: [60] });
    const before = Buffer.from(answer);
    cache.put('key', answer, found);
    answer.fill(0);
    cache.get('key')?.fill(0);
    expect(cache.get('key')).toEqual(before);
  });

  it('the least recently used goes when there are too many, or too large ones', () => {
    const { answer, found } = answerOf({ ttls: [60] });
    const few = new AnswerCache({ now: () => 0, maxEntries: 2 });
    const small = new AnswerCache({ now: () => 0, maxBytes: 2 * answer.length });
    for (const cache of [few, small]) {
      cache.put('a', answer, found);
      cache.put('b', answer, found);
      cache.get('a');
      cache.put('b', answer, found);
      cache.get('a');
      cache.put('c', answer, found);
      expect([cache.get('a'), cache.get('b'), cache.get('c')].map((kept) => kept !== undefined)).toEqual([
        true,
        false,
        true,
      ]);
    }
  });
});
