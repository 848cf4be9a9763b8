/**
 * What a program on a lane has to see of each probe, beside that nothing leaves: an answer where the proxy
 * carries it, else a refusal, and where only the kernel is left to give it, at once. Pure.
 */
import type { Result } from './prober.ts';
import type { Row } from './probes.ts';

/** What becomes of TCP and UDP: `served` by a proxy, `refused` by a relay, or no relay is there any more. */
export const standings = ['served', 'refused', 'no relay'] as const;
export type Standing = (typeof standings)[number];

/** Requirement S3, in milliseconds. */
export const atOnceMs = 100;

/** What a proxy can carry; the engine answers DNS itself, with or without a proxy. */
const carried: readonly Row[] = ['TCP', 'TCP over IPv6', 'UDP', 'UDP over IPv6'];
const dns: readonly Row[] = ['DNS over UDP', 'DNS over TCP'];

const isRefusal = (word: string): boolean => /^E[A-Z0-9]+$/.test(word);

/** Undefined when all is as it should be, otherwise a line that says what is not. */
export function complaintOf(row: Row, standing: Standing, result: Result): string | undefined {
  const wanted = wantedOf(row, standing, result);
  const { probe, word, tookMs } = result;
  const isRight = {
    anything: true,
    answer: word === 'answered',
    refusal: isRefusal(word) || word === 'ended',
    'refusal at once': isRefusal(word) && tookMs <= atOnceMs,
  }[wanted];
  return isRight
    ? undefined
    : `${row}: ${probe.kind} to ${probe.address} gave ${word} after ${tookMs} ms instead of: ${wanted}`;
}

function wantedOf(row: Row, standing: Standing, { probe }: Result) {
  if (dns.includes(row)) return standing === 'no relay' ? 'refusal at once' : 'answer';
  // Pinging itself is between the app and its own loopback.
  if (!carried.includes(row)) return probe.reach === 'loopback' ? 'anything' : 'refusal at once';
  if (standing === 'no relay' || probe.reach === 'loopback') return 'refusal at once';
  if (standing === 'refused') return 'refusal';
  return probe.reach === 'public' ? 'answer' : 'anything';
}

/** How long a probe waits: long where an answer has to come, short where silence is allowed. */
export function patienceMs(row: Row, standing: Standing, reach: string): number {
  const mayBeSilent = standing === 'served' && row.startsWith('UDP') && reach !== 'public';
  return mayBeSilent ? 150 : 3000;
}
