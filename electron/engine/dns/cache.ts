/**
 * Answers of real resolvers, kept for as long as they say.
 *
 * Does: finds out how long an answer may be kept (RFC 1035 §3.2.1, RFC 2308), gives it back with its times
 * to live lowered by its age, and forgets the least recently used beyond its bounds.
 * Must not: change anything else of an answer, or keep a failure.
 */
import { flag, rcode, recordType } from './wire.ts';
import type { Scan } from './wire.ts';

const maxPositiveSeconds = 3600;
const maxNegativeSeconds = 300;

interface Kept {
  readonly answer: Buffer;
  readonly ttlOffsets: readonly number[];
  readonly since: number;
  readonly until: number;
}

export interface CacheOptions {
  /** Milliseconds, never going back. */
  readonly now: () => number;
  readonly maxEntries?: number;
  /** Of answers; what each costs beside is bounded by `maxEntries`. */
  readonly maxBytes?: number;
}

export class AnswerCache {
  readonly #now: () => number;
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  /** In order of last use. */
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  constructor(options: CacheOptions) {
    this.#now = options.now;
    this.#maxEntries = options.maxEntries ?? 4096;
    this.#maxBytes = options.maxBytes ?? 4 * 1024 * 1024;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** A copy of the answer under this key, as old as it is now. */
  get(key: string): Buffer | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    this.#remove(key, kept);
    const now = this.#now();
    if (now >= kept.until) return undefined;
    this.#kept.set(key, kept);
    this.#bytes += kept.answer.length;
    const copy = Buffer.from(kept.answer);
    const ageSeconds = Math.floor((now - kept.since) / 1000);
    for (const offset of kept.ttlOffsets) {
      copy.writeUInt32BE(Math.max(0, copy.readUInt32BE(offset) - ageSeconds), offset);
    }
    return copy;
  }

  put(key: string, answer: Buffer, found: Scan): void {
    const lifetimeMs = 1000 * lifetimeSeconds(answer, found);
    if (lifetimeMs === 0 || answer.length > this.#maxBytes) return;
    const before = this.#kept.get(key);
    if (before !== undefined) this.#remove(key, before);
    const now = this.#now();
    const ttlOffsets = found.records.filter(hasTtl).map((record) => record.ttlOffset);
    this.#kept.set(key, { answer: Buffer.from(answer), ttlOffsets, since: now, until: now + lifetimeMs });
    this.#bytes += answer.length;
    for (const [oldKey, old] of this.#kept) {
      if (this.#kept.size <= this.#maxEntries && this.#bytes <= this.#maxBytes) break;
      this.#remove(oldKey, old);
    }
  }

  #remove(key: string, kept: Kept): void {
    this.#kept.delete(key);
    this.#bytes -= kept.answer.length;
  }
}

/** OPT uses the field for something else (RFC 6891 §6.1.3). */
function hasTtl(record: { type: number }): boolean {
  return record.type !== recordType.OPT;
}

/**
 * Seconds for which an answer may be kept, 0 for not at all. The shortest time to live of all its records
 * counts; one that says "no such name" or "no such record" is bounded by its SOA as well, and not kept
 * without (RFC 2308 §5). A time to live with the highest bit set is 0 (RFC 2181 §8).
 */
export function lifetimeSeconds(answer: Buffer, found: Scan): number {
  const code = found.flags & 15;
  if ((found.flags & flag.truncated) !== 0) return 0;
  if (code !== rcode.noError && code !== rcode.noSuchName) return 0;
  const records = found.records.filter(hasTtl);
  const isWanted = (type: number) => type === found.type || found.type === recordType.ANY;
  const isPositive =
    code === rcode.noError && records.some(({ section, type }) => section === 'answer' && isWanted(type));
  const bounds = records.map(({ ttl }) => (ttl >= 0x8000_0000 ? 0 : ttl));
  if (isPositive) return Math.min(maxPositiveSeconds, ...bounds);
  const soa = records.find(({ section, type }) => section === 'authority' && type === recordType.SOA);
  // Two names of at least a byte and five numbers, of which the last is the bound (RFC 1035 §3.3.13).
  if (soa === undefined || soa.dataBytes < 22) return 0;
  return Math.min(maxNegativeSeconds, answer.readUInt32BE(soa.dataOffset + soa.dataBytes - 4), ...bounds);
}
