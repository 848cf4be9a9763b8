/**
 * Whose fault it is that a path came to nothing: a server's, which a chain may pass over, or the destination's,
 * which no other path would change.
 */
import { CulvertError } from '#shared/failure.ts';
import type { Stumble } from './attempt.ts';

/** The place in the path of the server that is dead, `destination`, or `nobody`: what no server has done. */
export type Blame = number | 'destination' | 'nobody';

/** Codes that say something of a server or of what it was asked for. */
const telling: ReadonlySet<string> = new Set([
  'proxy-unreachable',
  'proxy-timeout',
  'proxy-sign-in-refused',
  'proxy-refused',
  'proxy-protocol-error',
  'proxy-closed',
  'certificate-refused',
  'udp-not-offered',
]);

/**
 * Judges a stumble on a path of that many servers. A server that has shown itself to be one and then does not
 * come back from its request is waiting for what it was asked for; so is any that is silent after a request.
 */
export function blame({ reason, at, stage, hasSpoken }: Stumble, servers: number): Blame {
  const code = reason instanceof CulvertError ? reason.failure.code : '';
  if (!telling.has(code)) return 'nobody';
  // A refusal before anything was said is ours: this kind of proxy cannot be asked for that.
  if (code === 'proxy-refused' && stage === 'connection') return 'nobody';
  const beyond = at + 1 < servers ? at + 1 : 'destination';
  if (code === 'proxy-refused' || code === 'udp-not-offered') return beyond;
  const isWaiting = stage === 'request' && (code === 'proxy-timeout' || code === 'proxy-closed');
  if (isWaiting && (hasSpoken || code === 'proxy-timeout')) return beyond;
  return at;
}
