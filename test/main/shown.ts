/** Overviews for tests of what main makes of them. */
import type { Overview, ShownLane } from '../../electron/shared/contract.ts';
import { version } from '../../electron/shared/version.ts';

export const engine = 4_194_301;

/** A running lane of one engine; with a profile by name unless told otherwise. */
export function laneWith(number: number, change: Partial<ShownLane> = {}): ShownLane {
  return {
    id: `${engine}-${number}`,
    engine,
    name: `app ${number}`,
    app: `app-${number}`,
    command: ['app'],
    profile: { id: 'work', name: 'Work', colour: '#000000', letter: 'W' },
    via: 'socks5://203.0.113.7:1080',
    health: 'reachable',
    state: 'running',
    mode: 'rootless',
    interception: 'tproxy',
    startedAt: number,
    flowsOpen: 0,
    flowsTotal: 0,
    bytesUp: 0,
    bytesDown: 0,
    notes: [],
    ...change,
  };
}

/** The same lane after its engine gave it this profile. */
export function switched(lane: ShownLane, id: string): ShownLane {
  const via = { none: 'blocked', direct: 'direct' }[id] ?? 'socks5://203.0.113.7:1080';
  return { ...lane, via, profile: { id, name: id, colour: '#000000', letter: 'X' } };
}

/** What an engine that speaks shows of these lanes. */
export function overviewWith(lanes: readonly ShownLane[], change: Partial<Overview> = {}): Overview {
  return {
    own: { state: 'ready' },
    engines: [
      {
        pid: engine,
        version,
        startedAt: 1,
        helpers: [],
        isOwn: true,
        isAnswering: true,
      },
    ],
    lanes: [...lanes],
    ...change,
  };
}
