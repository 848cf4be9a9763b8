/**
 * One way through given upstreams, in their order, to a destination.
 *
 * Does: make a leg of each upstream, with the next one or at last the destination as what is asked of it, and go the
 * way again where a dialogue had to learn something first. Must not: leave an upstream out.
 */
import type { Upstream } from '#shared/model.ts';
import { attempt, type Leg, type Outcome } from './attempt.ts';
import { withDeadline, type DialOptions, type Peer } from './connection.ts';
import { kindOf, type Destination } from './destination.ts';
import { Again, type Dialogue, type Send } from './dialogue.ts';
import { ConnectDialogue } from './http.ts';
import { SocksDialogue } from './socks.ts';

/** What is asked of the last upstream; `associate` of a SOCKS5 one only. */
export type End = Destination | 'associate';

export interface JourneyOptions extends DialOptions {
  /** Milliseconds for an upstream that has no time of its own; for the last one until it is asked for the destination. */
  readonly patienceMs?: number;
}

export interface Journey {
  readonly outcome: Outcome;
  /** The dialogue with the last upstream, where that speaks SOCKS. */
  readonly last: SocksDialogue | undefined;
}

/** An upstream may have to be asked once how to sign in, and once more when that has run out meanwhile. */
const roundsEach = 3;

/** Goes the way. Does not reject; there is at least one upstream. */
export async function travel(
  upstreams: readonly Upstream[],
  end: End,
  options: JourneyOptions = {},
): Promise<Journey> {
  const limited = withDeadline(options);
  for (let round = 1; ; round += 1) {
    let last: SocksDialogue | undefined;
    const legs = upstreams.map((upstream, at): Leg => {
      const next = upstreams[at + 1];
      const target = next === undefined ? end : { ...next, kind: kindOf(next.host) };
      const dialogueFor = (send: Send): Dialogue => {
        const dialogue = dialogueOf(upstream, target, send);
        if (next === undefined && dialogue instanceof SocksDialogue) last = dialogue;
        return dialogue;
      };
      const isFree = next === undefined && end !== 'associate';
      return { ...legOf(upstream, options.patienceMs, isFree), dialogueFor };
    });
    const outcome = await attempt(legs, limited);
    if (outcome.ok || !(outcome.stumble.reason instanceof Again)) return { outcome, last };
    if (round > roundsEach * upstreams.length) {
      const { failure } = outcome.stumble.reason;
      return { outcome: { ok: false, stumble: { ...outcome.stumble, reason: failure } }, last };
    }
  }
}

/** The proxy itself as something to connect to. */
export function peerOf(upstream: Upstream): Peer {
  const { host, port } = upstream;
  return { host, port, kind: kindOf(host), unreachable: 'proxy-unreachable', timeout: 'proxy-timeout' };
}

/** `isFree`: what it is asked for may take as long as the whole journey. */
function legOf(upstream: Upstream, patienceMs: number | undefined, isFree: boolean): Leg {
  const { kind, host, fingerprint, timeoutMs } = upstream;
  const limitMs = timeoutMs ?? patienceMs;
  return {
    peer: peerOf(upstream),
    ...(kind === 'https' ? { demand: { host, fingerprint } } : {}),
    ...(limitMs === undefined ? {} : { limitMs, isLimitBeforeRequest: isFree && timeoutMs === undefined }),
  };
}

function dialogueOf(upstream: Upstream, target: End, send: Send): Dialogue {
  switch (upstream.kind) {
    case 'socks5':
    case 'socks4':
    case 'socks4a':
      return new SocksDialogue(upstream, target, send);
    case 'http':
    case 'https':
      if (target === 'associate') throw new Error('HTTP has no associations');
      return new ConnectDialogue(upstream, target, send);
  }
}
