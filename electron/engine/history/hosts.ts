/**
 * The hosts with the most bytes, in buckets of time: all of them while a bucket is filled, the largest once it is
 * full, and what the others had together. Pure.
 */
import type { HistoryHost } from '#shared/history-protocol.ts';

/** Kept of a full bucket, and of one that is being filled. */
const keptHosts = 32;
const maxOpenHosts = 4096;

/** What one app had with one host; the host is empty for those that are not kept one by one. */
export interface HostBytes {
  readonly app: string;
  readonly host: string;
  up: number;
  down: number;
  flows: number;
}

type Bucket = Map<string, HostBytes>;

export class HostRing {
  readonly #stepMs: number;
  readonly #length: number;
  readonly #buckets = new Map<number, Bucket>();
  #newest = -Infinity;

  constructor(stepMs: number, length: number) {
    this.#stepMs = stepMs;
    this.#length = length;
  }

  add(at: number, bytes: HostBytes): void {
    const number = Math.floor(at / this.#stepMs);
    if (number > this.#newest) this.#advance(number);
    const kept = Math.max(number, this.#newest - this.#length + 1);
    const bucket = this.#buckets.get(kept) ?? new Map<string, HostBytes>();
    this.#buckets.set(kept, bucket);
    put(bucket, bytes, maxOpenHosts);
  }

  /** Whether it has all from `from` on. */
  reaches(from: number): boolean {
    return from >= (this.#newest - this.#length + 1) * this.#stepMs;
  }

  /** What there is of whole buckets that are touched by `from` to `to`, and the times that these cover. */
  read(from: number, to: number): { from: number; to: number; bytes: HostBytes[] } {
    const [first, last] = [Math.floor(from / this.#stepMs), Math.ceil(to / this.#stepMs)];
    const sum: Bucket = new Map();
    for (const [number, bucket] of this.#buckets) {
      if (number < first || number >= last) continue;
      for (const bytes of bucket.values()) put(sum, bytes, Infinity);
    }
    return { from: first * this.#stepMs, to: last * this.#stepMs, bytes: [...sum.values()] };
  }

  /** The clock was wrong by so many milliseconds, a multiple of the step. */
  move(ms: number): void {
    const by = ms / this.#stepMs;
    const moved = [...this.#buckets].map(([number, bucket]) => [number + by, bucket] as const);
    this.#buckets.clear();
    for (const [number, bucket] of moved) this.#buckets.set(number, bucket);
    this.#newest += by;
  }

  #advance(number: number): void {
    const full = this.#buckets.get(this.#newest);
    if (full !== undefined) this.#buckets.set(this.#newest, largest(full));
    this.#newest = number;
    for (const known of this.#buckets.keys()) {
      if (known <= number - this.#length) this.#buckets.delete(known);
    }
  }
}

/** The hosts of all apps or of one, most bytes first, at most `count`. */
export function topHosts(bytes: Iterable<HostBytes>, app: string | undefined, count: number): HistoryHost[] {
  const byHost = new Map<string, { host: string; up: number; down: number; flows: number }>();
  for (const one of bytes) {
    if (app !== undefined && one.app !== app) continue;
    const { host } = one;
    const sum = byHost.get(host) ?? { host, up: 0, down: 0, flows: 0 };
    byHost.set(host, sum);
    sum.up += one.up;
    sum.down += one.down;
    sum.flows += one.flows;
  }
  return [...byHost.values()].toSorted(byBytes).slice(0, count);
}

function byBytes(
  a: { readonly up: number; readonly down: number; readonly flows: number },
  b: { readonly up: number; readonly down: number; readonly flows: number },
): number {
  return b.up + b.down - a.up - a.down || b.flows - a.flows;
}

function largest(bucket: Bucket): Bucket {
  if (bucket.size <= keptHosts) return bucket;
  const kept: Bucket = new Map();
  for (const bytes of [...bucket.values()].toSorted(byBytes)) put(kept, bytes, keptHosts);
  return kept;
}

/** Adds to a bucket, beyond its limit to what stands for the others of the app. */
function put(bucket: Bucket, { app, host, up, down, flows }: HostBytes, most: number): void {
  const key = hostKey(app, host);
  const known = bucket.get(key) ?? (bucket.size < most ? undefined : bucket.get(hostKey(app, '')));
  if (known !== undefined) {
    known.up += up;
    known.down += down;
    known.flows += flows;
  } else if (bucket.size < most) bucket.set(key, { app, host, up, down, flows });
  else bucket.set(hostKey(app, ''), { app, host: '', up, down, flows });
}

export function hostKey(app: string, host: string): string {
  return `${app}\n${host}`;
}
