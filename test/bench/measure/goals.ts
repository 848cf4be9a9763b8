/** What the figures have to reach, as data; and the pure arithmetic of medians, ratios and verdicts. */
import type { PeerName } from './peers.ts';

export const measurements = [
  'one stream down',
  'one stream up',
  'ten streams down',
  'round trip',
  'sequential connect',
  'concurrent connects',
] as const;
export type Measurement = (typeof measurements)[number];

export interface Unit {
  readonly unit: string;
  /** The field of the load tool's answer. */
  readonly field: string;
}

export const units: Record<Measurement, Unit> = {
  'one stream down': { unit: 'Gbit/s', field: 'gbps' },
  'one stream up': { unit: 'Gbit/s', field: 'gbps' },
  'ten streams down': { unit: 'Gbit/s', field: 'gbps' },
  'round trip': { unit: 'µs p50', field: 'p50_us' },
  'sequential connect': { unit: 'µs p50', field: 'p50_us' },
  'concurrent connects': { unit: '/s at 50', field: 'per_s' },
};

/** A verdict on a lane's figure beside that of a peer in the same run. */
export interface Goal {
  readonly beside: PeerName;
  readonly says: string;
  readonly holds: (lane: number, peer: number) => boolean;
}

const atLeast = (share: number): Goal => ({
  beside: 'proxychains4',
  says: `≥ ${share.toFixed(2)} × proxychains4`,
  holds: (lane, peer) => lane >= share * peer,
});

export const goals: Partial<Record<Measurement, Goal>> = {
  'one stream down': atLeast(0.8),
  'one stream up': atLeast(0.8),
  'ten streams down': atLeast(0.7),
  'round trip': {
    beside: 'proxychains4',
    says: '≤ proxychains4 + 30 µs',
    holds: (lane, peer) => lane <= peer + 30,
  },
  'sequential connect': {
    beside: 'proxychains4',
    says: '≤ 2 × proxychains4',
    holds: (lane, peer) => lane <= 2 * peer,
  },
  'concurrent connects': atLeast(0.4),
};

/** A figure of Culvert alone, with the value that it may not exceed or fall below. */
export interface Single {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly says?: string;
  readonly holds?: boolean;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [below = NaN, above = NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (below + above) / 2;
}

/** "less than", "at most" and the like, decided here so that the report only prints. */
export function atMost(name: string, value: number, unit: string, limit: number): Single {
  return { name, value, unit, says: `≤ ${limit} ${unit}`, holds: value <= limit };
}

export function atLeastThat(name: string, value: number, unit: string, limit: number): Single {
  return { name, value, unit, says: `≥ ${limit} ${unit}`, holds: value >= limit };
}
