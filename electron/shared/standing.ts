/** What is said of a lane in one word, from what its engine shows of it: in the window and in the tray alike. */
import type { ShownLane } from './contract.ts';

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
