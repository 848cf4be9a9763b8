/**
 * How the relays of a lane have their flows decided. Does: gather what rules may ask for (the process, the server
 * name of a TLS flow) only where one does. Must not: decide by itself.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { CulvertError } from '#shared/failure.ts';
import type { Decision, PolicyFacts } from '../lane-policy.ts';
import { serverNameOf } from '../rules/server-name.ts';
import type { Destination } from '../upstream/destination.ts';
import type { Way } from '../ways/way.ts';

/** A lane's policy as its relays see it; it may be another one at the next flow. */
export interface Judge {
  readonly wantsServerName: boolean;
  decide(facts: PolicyFacts): Decision;
  rewrite(destination: Destination): Destination;
}

/** What is decided for good. */
export type Verdict = Exclude<Decision, { kind: 'process-wanted' }>;

/** The name of the process that has this port, or null where it cannot be found. */
export type ProcessOf = (protocol: 'tcp' | 'udp', sourcePort: number) => Promise<string | null>;

/** What a destination is to the rules. */
export function factsOf(protocol: 'tcp' | 'udp', { kind, host, port }: Destination): PolicyFacts {
  return kind === 'name' ? { protocol, host, port } : { protocol, address: host, port };
}

/** The decision with whatever it depends on. */
export async function judged(
  judge: () => Judge,
  facts: PolicyFacts,
  processName: () => Promise<string | null>,
): Promise<Verdict> {
  const first = judge().decide(facts);
  if (first.kind !== 'process-wanted') return first;
  const second = judge().decide({ ...facts, process: await processName() });
  if (second.kind === 'process-wanted') throw new Error('a rule asks for the process again');
  return second;
}

/** The way of a decision, or its failure thrown. */
export function wayOf(decision: Verdict): Way {
  if (decision.kind === 'way') return decision.way;
  throw new CulvertError(decision.failure.code, decision.failure);
}

/** Ports on which the client speaks first, and speaks TLS. */
const tlsPorts: ReadonlySet<number> = new Set([443, 853, 989, 990, 992, 993, 995, 465, 5061, 8443]);
/** Milliseconds between looks: together what a flow waits at most for its first bytes. */
const looksMs = [0, 1, 2, 4, 8, 15, 20];

export function mayBeTls({ kind, port }: Destination): boolean {
  return kind !== 'name' && tlsPorts.has(port);
}

/**
 * The server name of a TLS flow, from its first bytes, which are only looked at; undefined when there is none within
 * 50 ms. Only for ports on which clients speak first (`mayBeTls`): nobody else is kept waiting.
 */
export async function serverNameWithin(peek: () => Buffer): Promise<string | undefined> {
  for (const ms of looksMs) {
    await delay(ms, undefined, { ref: false });
    const seen = serverNameOf(peek());
    if (seen.kind === 'name') return seen.name;
    if (seen.kind === 'none') return undefined;
  }
  return undefined;
}
