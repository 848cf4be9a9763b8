/** What is said of a lane in one word, from what its engine shows of it. */
import type { ShownLane } from '#shared/contract.ts';

export const standings = [
  'starting',
  'protected',
  'direct',
  'no-network',
  'blocked',
  'silent',
  'stopping',
  'ended',
  'failed',
] as const;
export type Standing = (typeof standings)[number];

/** How a standing is coloured; its word and its shape say the same. */
export const tones: Record<Standing, 'ok' | 'warn' | 'bad' | 'calm'> = {
  starting: 'calm',
  protected: 'ok',
  direct: 'warn',
  'no-network': 'calm',
  blocked: 'bad',
  silent: 'warn',
  stopping: 'calm',
  ended: 'calm',
  failed: 'bad',
};

/** `isAnswering`: its engine has just spoken. Without that nothing is known, least of all that it is protected. */
export function standingOf(lane: ShownLane, isAnswering: boolean): Standing {
  if (!isAnswering) return 'silent';
  switch (lane.state) {
    case 'starting':
    case 'stopping':
    case 'failed':
      return lane.state;
    case 'gone':
      return 'ended';
    case 'running':
      if (lane.via === 'direct') return 'direct';
      if (lane.via === 'blocked') return 'no-network';
      return lane.health === 'unreachable' ? 'blocked' : 'protected';
  }
}
