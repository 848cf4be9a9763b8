import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { Resolver as Cares } from 'node:dns/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import * as dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { FakePool } from '../../../electron/engine/dns/fake-pool.ts';
import { answer as answerTo } from '../../../electron/engine/dns/message.ts';
import type { Query, Records } from '../../../electron/engine/dns/message.ts';
import { DnsService } from '../../../electron/engine/dns/service.ts';
import type { Resolver } from '../../../electron/engine/dns/service.ts';
import { serveStream } from '../../../electron/engine/dns/stream.ts';
import { answersOf, queryBytes, read } from './queries.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Datagrams at the port where the streams listen already; nothing where another process has it for datagrams. */
async function datagramsBeside(port: number): Promise<Datagrams | undefined> {
  const datagrams = createSocket('udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      datagrams.once('error', reject);
      datagrams.bind(port, '127.0.0.1', resolve);
    });
    return datagrams;
  } catch (error) {
    datagrams.close();
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return undefined;
  }
}

/** Both transports at one port of the loopback, as a resolver has them. */
async function pair(streams: Server): Promise<{ port: number; datagrams: Datagrams }> {
  for (;;) {
    await new Promise<void>((resolve) => streams.listen(0, '127.0.0.1', resolve));
    const { port } = streams.address() as AddressInfo;
    const datagrams = await datagramsBeside(port);
    if (datagrams !== undefined) return { port, datagrams };
    await new Promise((resolve) => streams.close(resolve));
  }
}

/** c-ares, which is nobody's relative here, asking a service over real sockets of the loopback. */
async function caresFor(service: DnsService): Promise<Cares> {
  const streams = createServer({ allowHalfOpen: true }, (socket) => {
    serveStream(socket, service, { idleMs: 1000 });
  });
  const { port, datagrams } = await pair(streams);
  datagrams.on('message', (query, client) => {
    void service.handle(query, 'udp').then((answer) => {
      if (answer !== undefined) datagrams.send(answer, client.port, client.address);
    });
  });
  closers.push(() => {
    datagrams.close();
    streams.close();
  });
  const client = new Cares({ timeout: 2000, tries: 1 });
  client.setServers([`127.0.0.1:${port}`]);
  return client;
}

/** 300 TXT records for the name that is asked: more than any datagram holds. */
const manyRecords: Records = (() => {
  const records = Array.from({ length: 300 }, (_, n) => {
    const data = `record ${n} ${'x'.repeat(100)}`;
    const whole = dnsPacket.encode({
      type: 'response',
      answers: [{ type: 'TXT', name: '.', ttl: 60, data }],
    });
    return Buffer.concat([Buffer.from([0xc0, 12]), whole.subarray(13)]);
  });
  return { count: records.length, bytes: Buffer.concat(records) };
})();

/** Answers them to everything, and remembers what it was asked. */
class Verbose implements Resolver {
  readonly asked: Query[] = [];

  resolve(query: Query): Promise<Buffer> {
    this.asked.push(query);
    return Promise.resolve(answerTo(query, { rcode: 0, answers: manyRecords }));
  }

  close(): void {
    // Holds nothing.
  }
}

describe('a client with a resolver of its own (c-ares)', () => {
  it('understands every kind of answer of fake mode', async () => {
    const pool = new FakePool({ now: () => 0 });
    const client = await caresFor(new DnsService({ mode: 'fake', pool }, { hasIpv6: true }));
    const [v4] = await client.resolve4('www.example.com');
    const [v6] = await client.resolve6('www.example.com');
    expect(pool.lookup(v4 ?? '')).toEqual({ kind: 'name', name: 'www.example.com' });
    expect(pool.lookup(v6 ?? '')).toEqual({ kind: 'name', name: 'www.example.com' });
    expect(await client.reverse(v4 ?? '')).toEqual(['www.example.com']);
    expect(await client.reverse(v6 ?? '')).toEqual(['www.example.com']);
    expect(await client.resolve4('www.example.com', { ttl: true })).toEqual([{ address: v4, ttl: 60 }]);
    await expect(client.resolveMx('example.com')).rejects.toMatchObject({ code: 'ENODATA' });
    await expect(client.resolve4('printer.local')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(client.reverse('192.168.1.1')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  it('gets a long answer by stream after a truncated datagram', async () => {
    const resolver = new Verbose();
    const client = await caresFor(new DnsService({ mode: 'remote', resolver }, { hasIpv6: true }));
    expect(await client.resolveTxt('long.example')).toHaveLength(300);
    expect(resolver.asked).toHaveLength(2);
  });
});

describe('fake mode with a resolver to fall back on', () => {
  it('asks it for what is neither an address nor special, and for nothing else', async () => {
    const fallback = new Verbose();
    const pool = new FakePool({ now: () => 0 });
    const service = new DnsService({ mode: 'fake', pool, fallback }, { hasIpv6: false });
    for (const type of ['A', 'AAAA', 'UNKNOWN_65', 'UNKNOWN_64', 'ANY']) {
      await service.handle(queryBytes({ type }), 'tcp');
    }
    for (const name of ['a.local', 'a.onion', 'localhost', '1.1.168.192.in-addr.arpa', 'x.resolver.arpa']) {
      for (const type of ['TXT', 'PTR', 'UNKNOWN_65'])
        await service.handle(queryBytes({ name, type }), 'tcp');
    }
    expect(fallback.asked).toEqual([]);
    expect(answersOf(await service.handle(queryBytes({ type: 'TXT' }), 'tcp'))).toHaveLength(300);
    expect(fallback.asked).toHaveLength(1);
  });
});

describe('any message in any mode', () => {
  const pool = new FakePool({ now: () => 0 });
  const modes = {
    fake: new DnsService({ mode: 'fake', pool, fallback: new Verbose() }, { hasIpv6: true }),
    remote: new DnsService({ mode: 'remote', resolver: new Verbose() }, { hasIpv6: true }),
    host: new DnsService({ mode: 'host', resolver: new Verbose() }, { hasIpv6: false }),
  };

  it.each(['fake', 'remote', 'host'] as const)(
    '%s: no answer, or one with the same id that fits',
    async (mode) => {
      const change = fc.tuple(fc.nat(60), fc.nat(255));
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(
            fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
            fc
              .tuple(fc.constantFrom('A', 'TXT', 'PTR'), fc.array(change, { maxLength: 3 }))
              .map(([type, changes]) => {
                const bytes = queryBytes({ type, name: 'Host.Example', edns: {} });
                for (const [at, value] of changes) bytes[at % bytes.length] = value;
                return bytes;
              }),
          ),
          fc.constantFrom('udp' as const, 'tcp' as const),
          async (message, transport) => {
            const answer = await modes[mode].handle(message, transport);
            if (answer === undefined) return;
            expect(read(answer).id).toBe(message.readUInt16BE(0));
            if (transport === 'udp') expect(answer.length).toBeLessThanOrEqual(4096);
          },
        ),
        { numRuns: 2000 },
      );
    },
  );
});
