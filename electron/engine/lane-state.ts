/** The life of a lane as a table: pure, no clock, no I/O. */
import type { LaneState } from '#shared/model.ts';

export const laneEvents = ['started', 'stop-asked', 'empty', 'failed'] as const;
export type LaneEvent = (typeof laneEvents)[number];

/**
 * `started`: the app's exec has succeeded. `stop-asked`: its processes were signalled. `empty`: no process is
 * left inside. `failed`: it cannot go on. What is not in the table changes nothing: a late event is no error.
 */
const table: Record<LaneState, Partial<Record<LaneEvent, LaneState>>> = {
  starting: { started: 'running', failed: 'failed', 'stop-asked': 'stopping', empty: 'gone' },
  running: { 'stop-asked': 'stopping', empty: 'gone', failed: 'failed' },
  stopping: { empty: 'gone', failed: 'failed' },
  failed: { empty: 'gone' },
  gone: {},
};

/** The state after an event. */
export function nextLaneState(state: LaneState, event: LaneEvent): LaneState {
  return table[state][event] ?? state;
}
