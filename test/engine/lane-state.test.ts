import { expect, test } from 'vitest';
import { laneStates, type LaneState } from '#shared/model.ts';
import { laneEvents, nextLaneState, type LaneEvent } from '../../electron/engine/lane-state.ts';

/** Every state with every event: the whole of the machine. */
const table: Record<LaneState, Record<LaneEvent, LaneState>> = {
  starting: { started: 'running', 'stop-asked': 'stopping', empty: 'gone', failed: 'failed' },
  running: { started: 'running', 'stop-asked': 'stopping', empty: 'gone', failed: 'failed' },
  stopping: { started: 'stopping', 'stop-asked': 'stopping', empty: 'gone', failed: 'failed' },
  failed: { started: 'failed', 'stop-asked': 'failed', empty: 'gone', failed: 'failed' },
  gone: { started: 'gone', 'stop-asked': 'gone', empty: 'gone', failed: 'gone' },
};

test.each(laneStates.flatMap((state) => laneEvents.map((event) => [state, event] as const)))(
  'a lane that is %s and hears “%s” is where the table says',
  (state, event) => {
    expect(nextLaneState(state, event)).toBe(table[state][event]);
  },
);
