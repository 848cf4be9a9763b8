/** The comparison: every measurement over every peer, the peers one after the other in each round. */
import type { World } from '../../world/world.ts';
import { measurements, median, units, type Measurement } from './goals.ts';
import type { Peer, PeerName } from './peers.ts';
import { figures, type Bench } from './tools.ts';

export interface Pace {
  readonly rounds: number;
  readonly seconds: number;
}

export interface Comparison {
  /** Medians over the rounds. */
  readonly medians: Record<Measurement, Partial<Record<PeerName, number>>>;
  /** Connections that could not be made or broke, over all rounds. */
  readonly failures: Partial<Record<PeerName, number>>;
  /** Why a peer has no figures. */
  readonly missing: Partial<Record<PeerName, string>>;
}

const modes: Record<Measurement, (seconds: number) => (string | number)[]> = {
  'one stream down': (seconds) => ['down', 1, seconds],
  'one stream up': (seconds) => ['up', 1, seconds],
  'ten streams down': (seconds) => ['down', 10, seconds],
  'round trip': (seconds) => ['rtt', seconds],
  'sequential connect': (seconds) => ['connect', seconds],
  'concurrent connects': (seconds) => ['storm', 50, seconds],
};

type Values = Map<Measurement, Map<PeerName, number[]>>;

/** Runs them all. A peer that is not there, or fails, is told in `missing` and does not end the run. */
export async function compare(
  { world, tools }: Bench,
  peers: readonly Peer[],
  { rounds, seconds }: Pace,
  rows: readonly Measurement[] = measurements,
): Promise<Comparison> {
  const values: Values = new Map(measurements.map((name) => [name, new Map<PeerName, number[]>()]));
  const failures: Comparison['failures'] = {};
  const missing: Comparison['missing'] = {};
  for (const peer of peers) {
    const reason = peer.missing();
    if (reason !== undefined) missing[peer.name] = reason;
  }
  for (let round = 1; round <= rounds; round++) {
    for (const measurement of rows) {
      for (const peer of peers.filter(({ name }) => missing[name] === undefined)) {
        process.stderr.write(`round ${round} of ${rounds}: ${measurement}, ${peer.name}\n`);
        try {
          const found = await measureOnce(world, peer, tools.load(modes[measurement](seconds)));
          note(values, measurement, peer.name, found[units[measurement].field] ?? NaN);
          failures[peer.name] = (failures[peer.name] ?? 0) + (found['failures'] ?? 0);
        } catch (error) {
          missing[peer.name] =
            `${measurement} failed: ${error instanceof Error ? error.message : String(error)}`;
        }
      }
    }
  }
  return { medians: mediansOf(values), failures, missing };
}

async function measureOnce(world: World, peer: Peer, command: readonly string[]) {
  await using path = await peer.open(world);
  return await figures(world, path.wrap(command), path.options);
}

function note(values: Values, measurement: Measurement, peer: PeerName, value: number): void {
  const ofPeers = values.get(measurement);
  ofPeers?.set(peer, [...(ofPeers.get(peer) ?? []), value]);
}

function mediansOf(values: Values): Comparison['medians'] {
  const rows = [...values].map(([measurement, ofPeers]) => {
    const cells = [...ofPeers].map(([peer, list]) => [peer, median(list)]);
    return [measurement, Object.fromEntries(cells) as Partial<Record<PeerName, number>>] as const;
  });
  return Object.fromEntries(rows) as Comparison['medians'];
}
