/**
 * Fake addresses: which name the app means when it connects to an address that we answered.
 *
 * Does: gives each name one number, and with it one IPv4 address of 198.18.0.0/15 (RFC 2544: never on the
 * internet) and one IPv6 address of a /96 of our own (RFC 4193), and finds the name again. A number is
 * handed to another name only when every number has been given out once, no flow holds it, and its last use
 * (answer, look-up or end of a flow) is longer ago than the time to live plus ten minutes (S16).
 * Must not: re-use anything earlier. When all is protected a new name gets none, and its query SERVFAIL.
 *
 * Every operation is O(1): names not held by a flow form a list in order of last use, so that its first is
 * the only candidate; held names are not on it. Memory is bounded by the number of addresses.
 */
import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Seconds for which an answer with a fake address may be cached. */
export const fakeTtlSeconds = 60;
/** Milliseconds after the last use before an address may get another name. */
const protectedMs = (fakeTtlSeconds + 600) * 1000;

const firstV4 = 0xc612_0000;
const v4Count = 0x2_0000;
/** Numbers at either end that are never given out: some programs dislike .0.0 and .255.255. */
const spare = 16;
const v6Prefix = ipaddr.IPv6.parse('fdc0:1a7e:f::').toByteArray().slice(0, 12);

interface Entry {
  readonly name: string;
  readonly number: number;
  holds: number;
  lastUse: number;
  older: Entry | undefined;
  newer: Entry | undefined;
}

export type Lookup =
  | { readonly kind: 'name'; readonly name: string }
  /** Of the pool, but without a name: to be refused, never dialled. */
  | { readonly kind: 'unmapped' }
  | { readonly kind: 'not-fake' };

export interface FakePoolOptions {
  /** Milliseconds, never going back. */
  readonly now: () => number;
  /**
   * Where to begin, any non-negative integer. A random one makes it unlikely that an address that outlived
   * its engine in some cache means another name in the next.
   */
  readonly start?: number;
  /** How many addresses to use at most; all of them unless a test wants fewer. */
  readonly capacity?: number;
}

export const maxFakeNames = v4Count - 2 * spare;

export class FakePool {
  readonly #now: () => number;
  readonly #start: number;
  readonly #capacity: number;
  readonly #byName = new Map<string, Entry>();
  readonly #byNumber = new Map<number, Entry>();
  #oldest: Entry | undefined;
  #newest: Entry | undefined;

  constructor(options: FakePoolOptions) {
    this.#now = options.now;
    this.#start = (options.start ?? 0) % maxFakeNames;
    this.#capacity = Math.min(options.capacity ?? maxFakeNames, maxFakeNames);
  }

  /** How many names have an address. */
  get size(): number {
    return this.#byName.size;
  }

  /**
   * The IPv4 address of a name as a number, given out now if need be; undefined when every address is
   * protected. The name is folded (case, last dot); that it is a host name is the caller's business.
   */
  addressOf(name: string): number | undefined {
    const folded = foldName(name);
    const entry = this.#byName.get(folded) ?? this.#give(folded);
    if (entry === undefined) return undefined;
    this.#touch(entry);
    return firstV4 + entry.number;
  }

  /** What an address means. `address` is textual, IPv4, IPv6 or IPv4-mapped; looking counts as a use. */
  lookup(address: string): Lookup {
    const entry = this.#entryAt(address);
    if (typeof entry === 'string') return { kind: entry };
    this.#touch(entry);
    return { kind: 'name', name: entry.name };
  }

  /** Like `lookup`, and keeps the address for its name until `release` is called as often. */
  acquire(address: string): Lookup {
    const entry = this.#entryAt(address);
    if (typeof entry === 'string') return { kind: entry };
    if (entry.holds === 0) this.#unlink(entry);
    entry.holds += 1;
    return { kind: 'name', name: entry.name };
  }

  /** The end of a flow that had acquired the address. */
  release(address: string): void {
    const entry = this.#entryAt(address);
    if (typeof entry === 'string' || entry.holds === 0) return;
    entry.holds -= 1;
    if (entry.holds > 0) return;
    entry.lastUse = this.#now();
    this.#append(entry);
  }

  #entryAt(address: string): Entry | 'unmapped' | 'not-fake' {
    const number = fakeNumber(address);
    return number === undefined ? 'not-fake' : (this.#byNumber.get(number) ?? 'unmapped');
  }

  #give(name: string): Entry | undefined {
    const number = this.#byName.size < this.#capacity ? this.#fresh() : this.#takeBack();
    if (number === undefined) return undefined;
    const entry: Entry = { name, number, holds: 0, lastUse: 0, older: undefined, newer: undefined };
    this.#byName.set(name, entry);
    this.#byNumber.set(number, entry);
    this.#append(entry);
    return entry;
  }

  /** Names are only ever replaced, so the count of names is also the count of numbers given out. */
  #fresh(): number {
    return spare + ((this.#start + this.#byName.size) % maxFakeNames);
  }

  #takeBack(): number | undefined {
    const entry = this.#oldest;
    if (entry === undefined || this.#now() - entry.lastUse < protectedMs) return undefined;
    this.#unlink(entry);
    this.#byName.delete(entry.name);
    this.#byNumber.delete(entry.number);
    return entry.number;
  }

  #touch(entry: Entry): void {
    entry.lastUse = this.#now();
    if (entry.holds > 0 || this.#newest === entry) return;
    this.#unlink(entry);
    this.#append(entry);
  }

  #append(entry: Entry): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  #unlink(entry: Entry): void {
    if (entry.older === undefined) this.#oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === undefined) this.#newest = entry.older;
    else entry.newer.older = entry.older;
  }
}

/** Lower case and without the last dot: two spellings of one name are one name (RFC 4343). */
function foldName(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}

/** The 16 bytes of the IPv6 address that belongs to a fake IPv4 address: the same number at its end. */
export function fakeV6Bytes(v4: number): number[] {
  return [...v6Prefix, v4 >>> 24, (v4 >>> 16) & 0xff, (v4 >>> 8) & 0xff, v4 & 0xff];
}

/** The IPv4 form, as nearly all addresses come: once or twice per flow, and the library takes ten times as long. */
const fakeV4 = /^(?:::ffff:)?198\.(18|19)\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;

/** The number of a fake address in either family; -1 for one of our IPv6 range that is none of them. */
function fakeNumber(address: string): number | undefined {
  const match = fakeV4.exec(address);
  if (match !== null) return numberOf([198, Number(match[1]), Number(match[2]), Number(match[3])]);
  // Whatever begins otherwise is neither of the IPv6 range nor a mapped address.
  if (!/^[fF0:]/.test(address) || !isIPv6(address)) return undefined;
  const bytes = ipaddr.process(address).toByteArray();
  if (bytes.length === 4) return numberOf(bytes);
  return v6Prefix.every((byte, index) => bytes[index] === byte)
    ? (numberOf(bytes.slice(12)) ?? -1)
    : undefined;
}

function numberOf(bytes: number[]): number | undefined {
  const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0) - firstV4;
  return number >= 0 && number < v4Count ? number : undefined;
}
