/**
 * Answers that are made here, without asking anyone.
 *
 * Does: names that never leave this computer, in every mode; and in fake mode addresses from the pool, so
 * that the proxy gets the name itself and nobody is asked for it.
 * Must not: answer with a real address of anything but loopback, or keep time.
 *
 * Fake mode has no resolver. What an app asks beside addresses (MX, TXT, SRV, NS, CAA …) is answered "no
 * such record" (NODATA), with a negative time to live of five seconds: apps then do what they do where
 * none is published: an XMPP or Minecraft client takes the name itself and its default port. "No such name"
 * would be wrong: it may be cached for the whole name, address included (RFC 8020). HTTPS and SVCB are
 * NODATA too: their address hints would lead past the names, and ECH keys cannot be had without a resolver.
 */
import * as dnsPacket from 'dns-packet';
import { fakeTtlSeconds, fakeV6Bytes } from './fake-pool.ts';
import type { FakePool } from './fake-pool.ts';
import { answer } from './message.ts';
import type { Query, Records } from './message.ts';
import { classifyName } from './names.ts';
import type { NameKind } from './names.ts';
import { headerBytes, rcode, recordType } from './wire.ts';
import type { Rcode } from './wire.ts';

const negativeTtlSeconds = 5;
const localTtlSeconds = 3600;

export interface FakeOptions {
  /** Whether the upstream can carry IPv6; if not, AAAA is answered empty so that apps use IPv4 at once. */
  readonly hasIpv6: boolean;
}

/**
 * The answer to a query in fake mode, or undefined where only a real resolver would know (and `noRecord`
 * is the answer if there is none). SERVFAIL when every fake address is protected.
 */
export function answerFake(query: Query, pool: FakePool, options: FakeOptions): Buffer | undefined {
  const name = classifyName(query.name);
  if (name.kind === 'reverse') return answerReverse(query, name, pool);
  if (name.kind === 'absent') return negative(query, rcode.noSuchName);
  if (query.type === recordType.HTTPS || query.type === recordType.SVCB) return noRecord(query);
  if (name.kind !== 'host' && name.kind !== 'onion')
    return answerByKind(query, name) ?? answerNotAHost(query);
  switch (query.type) {
    case recordType.A:
      return addressAnswer(query, pool);
    case recordType.AAAA:
      return options.hasIpv6 ? addressAnswer(query, pool) : noRecord(query);
    case recordType.ANY:
      // RFC 8482 §4.2: one record of a type that means "nothing to see here".
      return answer(query, { rcode: rcode.noError, answers: anyRecord });
    default:
      return name.kind === 'onion' ? noRecord(query) : undefined;
  }
}

/** The answer to a query whose name never leaves this computer, in whatever mode; undefined for others. */
export function answerLocally(query: Query): Buffer | undefined {
  const name = classifyName(query.name);
  if (name.kind === 'onion') return negative(query, rcode.noSuchName);
  if (name.kind === 'reverse' && !name.isPublic) return answerReverse(query, name, undefined);
  // The root and names that are no host names are good questions to a real resolver.
  return query.name === '' ? undefined : answerByKind(query, name);
}

function answerByKind(query: Query, name: NameKind): Buffer | undefined {
  switch (name.kind) {
    case 'localhost':
      return answerLocalhost(query);
    case 'absent':
      return negative(query, rcode.noSuchName);
    case 'empty':
      return noRecord(query);
    case 'host':
    case 'onion':
    case 'reverse':
    case 'not-a-host':
      return undefined;
  }
}

/** No proxy can be sent this name, so it has no address; other types may have answers (`a b._ipp._tcp.…`). */
function answerNotAHost(query: Query): Buffer | undefined {
  const isAddress = query.type === recordType.A || query.type === recordType.AAAA;
  return isAddress ? negative(query, rcode.noSuchName) : undefined;
}

function addressAnswer(query: Query, pool: FakePool): Buffer {
  const v4 = pool.addressOf(query.name);
  if (v4 === undefined) return answer(query, { rcode: rcode.serverFailure });
  const record = query.type === recordType.A ? fakeA(v4) : fakeAaaa(v4);
  return answer(query, { rcode: rcode.noError, answers: { count: 1, bytes: record } });
}

/** Pointer to the question's name, type, class IN, TTL and length; the address follows. */
function addressHead(type: number, bytes: number): Buffer {
  const head = Buffer.alloc(12 + bytes);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(fakeTtlSeconds, 6);
  head.writeUInt16BE(bytes, 10);
  return head;
}

const headA = addressHead(recordType.A, 4);
const headAaaa = addressHead(recordType.AAAA, 16);

// The two buffers are written anew for every answer and copied into it before the next: an allocation less.
function fakeA(v4: number): Buffer {
  headA.writeUInt32BE(v4, 12);
  return headA;
}

function fakeAaaa(v4: number): Buffer {
  headAaaa.set(fakeV6Bytes(v4), 12);
  return headAaaa;
}

function answerReverse(
  query: Query,
  name: NameKind & { kind: 'reverse' },
  pool: FakePool | undefined,
): Buffer | undefined {
  const target = name.address === undefined ? undefined : nameOfAddress(name.address, pool);
  if (target === undefined) return negative(query, rcode.noSuchName);
  if (query.type !== recordType.PTR && query.type !== recordType.ANY) return noRecord(query);
  const answers = recordOfQuestion({ type: 'PTR', name: '.', ttl: fakeTtlSeconds, data: target });
  return answer(query, { rcode: rcode.noError, answers });
}

function nameOfAddress(address: string, pool: FakePool | undefined): string | undefined {
  if (address === '127.0.0.1' || address === '::1') return 'localhost';
  const found = pool?.lookup(address);
  return found?.kind === 'name' ? found.name : undefined;
}

function answerLocalhost(query: Query): Buffer {
  const answers =
    query.type === recordType.A ? loopbackA : query.type === recordType.AAAA ? loopbackAaaa : undefined;
  return answers === undefined ? noRecord(query) : answer(query, { rcode: rcode.noError, answers });
}

/** "The name exists, but has no record of this type", to be believed for five seconds (RFC 2308 §2.2). */
export function noRecord(query: Query): Buffer {
  return negative(query, rcode.noError);
}

/** The answer when something failed; resolvers in the app try again or another server. */
export function serverFailure(query: Query): Buffer {
  return answer(query, { rcode: rcode.serverFailure });
}

function negative(query: Query, code: Rcode): Buffer {
  return answer(query, { rcode: code, authority: negativeRecord });
}

/** One record by the library, cut out of a message of its own. */
function encode(record: dnsPacket.Answer): Buffer {
  return dnsPacket.encode({ type: 'response', answers: [record] }).subarray(headerBytes);
}

/** The same for the name that was asked: the root's single byte gives way to a pointer to the question. */
function recordOfQuestion(record: dnsPacket.Answer & { name: '.' }): Records {
  return { count: 1, bytes: Buffer.concat([Buffer.from([0xc0, headerBytes]), encode(record).subarray(1)]) };
}

/** The root is above every name, so this SOA is in the right place for all of them. */
const negativeRecord: Records = {
  count: 1,
  bytes: encode({
    type: 'SOA',
    name: '.',
    ttl: negativeTtlSeconds,
    data: {
      mname: 'culvert.invalid',
      rname: 'nobody.invalid',
      serial: 1,
      refresh: 3600,
      retry: 600,
      expire: 86_400,
      minimum: negativeTtlSeconds,
    },
  }),
};

const anyRecord = recordOfQuestion({
  type: 'HINFO',
  name: '.',
  ttl: fakeTtlSeconds,
  data: { cpu: 'RFC8482', os: '' },
});
const loopbackA = recordOfQuestion({ type: 'A', name: '.', ttl: localTtlSeconds, data: '127.0.0.1' });
const loopbackAaaa = recordOfQuestion({ type: 'AAAA', name: '.', ttl: localTtlSeconds, data: '::1' });
