/**
 * The way from the engine to a destination: through one upstream, or directly from the host namespace.
 * Several upstreams are chain.ts. Must not: fall back from one way to another.
 */
import type { Upstream } from '#shared/model.ts';
import { connect } from './attempt.ts';
import type { Dialled, DialOptions } from './connection.ts';
import { checkDestination, type Destination } from './destination.ts';
import { travel } from './journey.ts';

export { peerOf } from './journey.ts';

/**
 * A connection to the destination through the upstream. Rejects with `proxy-unreachable`, `proxy-timeout`,
 * `proxy-sign-in-refused`, `proxy-refused`, `proxy-protocol-error`, `proxy-closed`, `certificate-refused`,
 * `host-name-invalid`, `egress-missing` or `engine-limit`, or with the reason of the signal.
 */
export async function dial(
  upstream: Upstream,
  destination: Destination,
  options?: DialOptions,
): Promise<Dialled> {
  const { outcome } = await travel([upstream], destination, options);
  if (outcome.ok) return outcome.dialled;
  throw outcome.stumble.reason;
}

/** A connection from the host namespace; names are looked up by the host's resolver. */
export async function dialDirect(destination: Destination, options?: DialOptions): Promise<Dialled> {
  checkDestination(destination);
  const code = 'destination-unreachable';
  return connect({ peer: { ...destination, unreachable: code, timeout: code } }, options);
}
