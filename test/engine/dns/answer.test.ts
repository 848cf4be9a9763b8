import * as dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakePool } from '../../../electron/engine/dns/fake-pool.ts';
import { DnsService } from '../../../electron/engine/dns/service.ts';
import { answersOf, queryBytes, rawQuery, read } from './queries.ts';
import type { Asked } from './queries.ts';

const pool = new FakePool({ now: () => 0 });
const ask = (asked: Asked, hasIpv6 = true) => fakeAnswer(queryBytes(asked), pool, hasIpv6);

/** What a lane in fake mode answers at once. */
function fakeAnswer(message: Buffer, from = pool, hasIpv6 = true): Buffer | undefined {
  const found = new DnsService({ mode: 'fake', pool: from }, { hasIpv6 }).handleNow(message, 'udp');
  if (found instanceof Promise) throw new Error('somebody was asked');
  return found;
}

/** A negative answer that is believed for five seconds. */
function expectNegative(bytes: Buffer | undefined, rcode: string): void {
  const packet = read(bytes);
  expect(packet.rcode).toBe(rcode);
  expect(packet.answers).toEqual([]);
  expect(packet.authorities).toMatchObject([{ type: 'SOA', name: '.', ttl: 5, data: { minimum: 5 } }]);
}

describe('addresses in fake mode', () => {
  it('A is answered from 198.18.0.0/15, for 60 seconds, and leads back to the name', () => {
    const packet = read(ask({ name: 'www.example.com' }));
    expect(packet.answers).toMatchObject([{ type: 'A', name: 'www.example.com', ttl: 60, class: 'IN' }]);
    const [address] = answersOf(packet.bytes);
    expect(address).toMatch(/^198\.1[89]\./);
    expect(pool.lookup(String(address))).toEqual({ kind: 'name', name: 'www.example.com' });
  });

  it('AAAA is answered from the IPv6 pool with the same name behind it', () => {
    const [address] = answersOf(ask({ name: 'www.example.com', type: 'AAAA' }));
    expect(address).toMatch(/^fdc0:1a7e:f::/);
    expect(pool.lookup(String(address))).toEqual({ kind: 'name', name: 'www.example.com' });
  });

  it('AAAA is empty where the upstream cannot carry IPv6', () => {
    expectNegative(ask({ type: 'AAAA' }, false), 'NOERROR');
  });

  it('when every address is protected the answer is SERVFAIL', () => {
    const full = new FakePool({ now: () => 0, capacity: 1 });
    expect(read(fakeAnswer(queryBytes({ name: 'a.test' }), full)).rcode).toBe('NOERROR');
    const packet = read(fakeAnswer(queryBytes({ name: 'b.test' }), full));
    expect(packet.rcode).toBe('SERVFAIL');
    expect(packet.questions).toMatchObject([{ name: 'b.test' }]);
  });

  it('the case of the letters comes back as it was sent, and does not make another name', () => {
    const one = read(ask({ name: 'wWw.ExAmPlE.oRg' }));
    expect(one.questions).toMatchObject([{ name: 'wWw.ExAmPlE.oRg' }]);
    expect(answersOf(one.bytes)).toEqual(answersOf(ask({ name: 'www.example.org' })));
  });

  it('.onion goes to the proxy as a name', () => {
    expect(answersOf(ask({ name: 'abcdef.onion' }))).toHaveLength(1);
  });
});

describe('names that never leave', () => {
  it('localhost and what is below it is the loopback', () => {
    expect(answersOf(ask({ name: 'localhost' }))).toEqual(['127.0.0.1']);
    expect(answersOf(ask({ name: 'a.LocalHost', type: 'AAAA' }))).toEqual(['::1']);
    expect(answersOf(ask({ name: '1.0.0.127.in-addr.arpa', type: 'PTR' }))).toEqual(['localhost']);
    expectNegative(ask({ name: 'localhost', type: 'MX' }), 'NOERROR');
  });

  it.each(['printer.local', 'x.invalid', '10.0.0.1', '127.1', 'use-application-dns.net'])(
    '%s: NXDOMAIN',
    (name) => {
      const before = pool.size;
      expectNegative(ask({ name }), 'NXDOMAIN');
      expect(pool.size).toBe(before);
    },
  );

  it.each(['_dns.resolver.arpa', 'ipv4only.arpa', '.'])('%s: no record', (name) => {
    expectNegative(ask({ name, type: 'AAAA' }), 'NOERROR');
    expectNegative(ask({ name, type: 'UNKNOWN_64' }), 'NOERROR');
  });

  it('a label with a dot, a space, a NUL or a line end inside gets no address', () => {
    const before = pool.size;
    for (const odd of ['evil.com', 'a b', 'a\0', 'a\r\nHost: x', 'a@b', 'a/b', 'ü', '*']) {
      const query = rawQuery([Buffer.from(odd), Buffer.from('example')]);
      const found = fakeAnswer(query);
      // With a dot inside the text looks like a name of three labels; only the bytes tell.
      expect(found?.readUInt16BE(2), odd).toBe(0x8183);
      expect(found?.readUInt16BE(6), odd).toBe(0);
    }
    expect(pool.size).toBe(before);
  });

  it('a label with a dot inside is not taken for localhost either', () => {
    const found = fakeAnswer(rawQuery([Buffer.from('a.localhost')]));
    expect(found?.readUInt16BE(2)).toBe(0x8183);
  });
});

describe('reverse look-ups in fake mode', () => {
  it('PTR of a fake address is its name, in both families', () => {
    const [v4] = answersOf(ask({ name: 'reverse.example' })) as [string];
    const reversed = v4.split('.').reverse().join('.');
    expect(answersOf(ask({ name: `${reversed}.in-addr.arpa`, type: 'PTR' }))).toEqual(['reverse.example']);
    const hex = v4.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'));
    const full = `fdc01a7e000f${'0'.repeat(12)}${hex.join('')}`;
    const nibbles = full.split('').reverse().join('.');
    expect(answersOf(ask({ name: `${nibbles}.ip6.arpa`, type: 'PTR' }))).toEqual(['reverse.example']);
  });

  it.each(['9.9.18.198.in-addr.arpa', '1.1.168.192.in-addr.arpa', '8.8.8.8.in-addr.arpa', 'x.ip6.arpa'])(
    'PTR of %s does not exist',
    (name) => {
      expectNegative(ask({ name, type: 'PTR' }), 'NXDOMAIN');
    },
  );
});

describe('other types in fake mode', () => {
  it.each([
    'MX',
    'TXT',
    'SRV',
    'NS',
    'SOA',
    'CNAME',
    'CAA',
    'NAPTR',
    'TLSA',
    'DS',
    'DNSKEY',
    'UNKNOWN_64',
    'UNKNOWN_65',
  ])('%s exists not, but its name does, for five seconds', (type) => {
    expectNegative(ask({ type }), 'NOERROR');
  });

  it('ANY gets the one record that says that ANY is not served (RFC 8482)', () => {
    expect(read(ask({ type: 'ANY' })).answers).toMatchObject([
      { type: 'HINFO', name: 'example.com', data: { cpu: 'RFC8482', os: '' } },
    ]);
  });
});

describe('what is not a query we take', () => {
  it.each([
    ['class CHAOS', { class: 'CH', name: 'version.bind', type: 'TXT' }, 'REFUSED'],
    ['a zone transfer', { type: 'AXFR' }, 'REFUSED'],
    ['an incremental one', { type: 'IXFR' }, 'REFUSED'],
    ['TKEY', { type: 'TKEY' }, 'NOTIMP'],
    ['OPT as a question', { type: 'OPT' }, 'FORMERR'],
    ['type 0', { type: 'UNKNOWN_0' }, 'FORMERR'],
    ['STATUS', { flags: 2 << 11 }, 'NOTIMP'],
    ['NOTIFY', { flags: 4 << 11 }, 'NOTIMP'],
    ['UPDATE', { flags: 5 << 11 }, 'NOTIMP'],
  ] as const)('%s is answered with an error', (_, asked, rcode) => {
    const packet = read(ask(asked));
    expect(packet.rcode).toBe(rcode);
    expect(packet.id).toBe(0x1234);
    expect(packet.answers).toEqual([]);
  });

  it('an answer, and what is shorter than a header, is dropped', () => {
    const response = queryBytes();
    response.writeUInt16BE(0x8180, 2);
    expect(fakeAnswer(response)).toBeUndefined();
    for (let length = 0; length < 12; length += 1) {
      expect(fakeAnswer(Buffer.alloc(length, 1))).toBeUndefined();
    }
  });

  it('a header with a broken body, two questions or none gets FORMERR', () => {
    const whole = queryBytes({ edns: {} });
    const cut = Array.from({ length: whole.length - 12 }, (_, index) => whole.subarray(0, 12 + index));
    const two = queryBytes();
    two.writeUInt16BE(2, 4);
    const none = Buffer.from([0x12, 0x34, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    const long = Buffer.concat([queryBytes(), Buffer.alloc(5000)]);
    for (const message of [...cut, two, none, long, Buffer.concat([whole, Buffer.alloc(1)])]) {
      const packet = read(fakeAnswer(message));
      expect([packet.id, packet.rcode, packet.flag_qr]).toEqual([0x1234, 'FORMERR', true]);
    }
  });
});

describe('EDNS', () => {
  it('an OPT record is answered by ours: version 0, 1,232 bytes, DO clear', () => {
    const packet = read(ask({ edns: { size: 4096, dnssec: true } }));
    expect(packet.additionals).toMatchObject([
      { type: 'OPT', name: '.', udpPayloadSize: 1232, ednsVersion: 0, extendedRcode: 0, flag_do: false },
    ]);
    expect(packet.flag_ad).toBe(false);
    expect(read(ask({})).additionals).toEqual([]);
  });

  it('another version gets BADVERS and no answer', () => {
    const packet = read(ask({ edns: { version: 1 } }));
    expect(packet.additionals).toMatchObject([{ type: 'OPT', ednsVersion: 0, extendedRcode: 1 }]);
    expect([packet.rcode, packet.answers]).toEqual(['NOERROR', []]);
  });

  it('two OPT records, one with another name than the root, or options longer than it get FORMERR', () => {
    const opt = [0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 0];
    const build = (count: number, ...tail: number[]) => {
      const bytes = Buffer.concat([queryBytes(), Buffer.from(tail)]);
      bytes.writeUInt16BE(count, 10);
      return bytes;
    };
    const rcodeOf = (bytes: Buffer) => read(fakeAnswer(bytes)).rcode;
    expect(rcodeOf(build(1, ...opt))).toBe('NOERROR');
    expect(rcodeOf(build(2, ...opt, ...opt))).toBe('FORMERR');
    expect(rcodeOf(build(1, 0xc0, 12, ...opt.slice(1)))).toBe('FORMERR');
    expect(rcodeOf(build(1, ...opt.slice(0, 10), 4, 0, 10, 0, 9))).toBe('FORMERR');
    expect(rcodeOf(build(1, ...opt.slice(0, 10), 4, 0, 10, 0, 0))).toBe('NOERROR');
  });

  it('a query padded beyond 4,096 bytes gets FORMERR, one below is answered', () => {
    const rcodeOf = (padding: number) => {
      const opt = Buffer.alloc(15 + padding);
      opt.writeUInt16BE(41, 1);
      opt.writeUInt16BE(4 + padding, 9);
      opt.writeUInt16BE(12, 11);
      opt.writeUInt16BE(padding, 13);
      const bytes = Buffer.concat([queryBytes(), opt]);
      bytes.writeUInt16BE(1, 10);
      return read(fakeAnswer(bytes)).rcode;
    };
    const room = 4096 - queryBytes().length - 15;
    expect([rcodeOf(room), rcodeOf(room + 1)]).toEqual(['NOERROR', 'FORMERR']);
  });

  it('RD and CD come back, RA is set, AA and AD are not', () => {
    const packet = read(ask({ flags: dnsPacket.RECURSION_DESIRED | dnsPacket.CHECKING_DISABLED | 0x20 }));
    expect([packet.flag_rd, packet.flag_cd, packet.flag_ra, packet.flag_aa, packet.flag_ad]).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('any input', () => {
  const check = (message: Buffer) => {
    const found = fakeAnswer(message);
    if (message.length < 12) expect(found).toBeUndefined();
    if (found === undefined) return;
    expect(found.length).toBeLessThanOrEqual(512);
    const packet = read(found);
    expect(packet.id).toBe(message.readUInt16BE(0));
    expect(packet.flag_qr).toBe(true);
  };

  it('100,000 random messages: no answer, or a message with the same id', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        check(Buffer.from(bytes));
      }),
      { numRuns: 100_000 },
    );
  });

  it('50,000 queries with up to four bytes changed: the same', { timeout: 120_000 }, () => {
    const asked = fc.record({
      name: fc.stringMatching(/^[a-zA-Z0-9-]{1,20}(\.[a-z]{1,10}){0,4}$/),
      type: fc.constantFrom('A', 'AAAA', 'PTR', 'MX', 'ANY', 'UNKNOWN_65'),
      edns: fc.constantFrom({}, { size: 512 }, { dnssec: true }),
    });
    const change = fc.tuple(fc.nat(400), fc.nat(255));
    fc.assert(
      fc.property(asked, fc.array(change, { maxLength: 4 }), (query, changes) => {
        const bytes = queryBytes(query);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        check(bytes);
      }),
      { numRuns: 50_000 },
    );
  });

  it('an address answer reads the same as one that the library writes', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-zA-Z]{1,20}(\.[a-zA-Z]{1,10}){0,4}$/),
        fc.constantFrom('A', 'AAAA'),
        fc.nat(0xffff),
        (name, type, id) => {
          fc.pre(!/(?:^|\.)(?:local|localhost|invalid|arpa|onion)$/i.test(name));
          const ours = read(ask({ id, name, type }));
          const theirs = dnsPacket.encode({
            type: 'response',
            id,
            flags: dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE,
            questions: [{ name, type: type }],
            answers: [{ name, type: type as 'A', ttl: 60, data: String(answersOf(ours.bytes)[0]) }],
          });
          const { bytes: _, ...packet } = ours;
          expect(packet).toEqual(dnsPacket.decode(theirs));
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('the service of a lane in fake mode', () => {
  it('answers queries, counts them, and drops what is none', async () => {
    const service = new DnsService({ mode: 'fake', pool }, { hasIpv6: true });
    expect(answersOf(await service.handle(queryBytes(), 'udp'))).toHaveLength(1);
    expectNegative(await service.handle(queryBytes({ type: 'MX' }), 'tcp'), 'NOERROR');
    expect(await service.handle(Buffer.alloc(3), 'udp')).toBeUndefined();
    expect(read(await service.handle(Buffer.alloc(12), 'udp')).rcode).toBe('FORMERR');
    expect(service.counters).toEqual({ queries: 4, dropped: 1, rejected: 1, failed: 0, overloaded: 0 });
    service.close();
  });
});
