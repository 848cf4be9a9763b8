/**
 * The connections of all lanes while somebody looks at them, as main tells of them. What is shown is drawn anew at most
 * once a second, and not at all while nobody looks.
 */
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import type { WindowEventValue } from '#shared/contract.ts';
import type { Failure } from '#shared/failure.ts';
import { makeBeat } from '../beat.ts';
import { call, listen } from '../bridge.ts';
import { FlowLedger, isOfThose, type FlowRow, type WhichFlows } from '../flow-ledger.ts';
import { frozenRows } from '../flow-list.ts';
import { useNotices } from './notices.ts';

/**
 * Between two pictures: a little less than the second between two events, so that each is drawn when it comes; and
 * without an event ages go on all the same.
 */
const rhythm = { leastMs: 900, mostMs: 1400 };

export const useFlows = defineStore('flows', () => {
  const ledger = new FlowLedger();
  const failure = shallowRef<Failure>();
  /** A picture that stands still, while paused. */
  const frozen = shallowRef<{ readonly rows: readonly FlowRow[]; readonly at: number }>();
  const isPaused = computed(() => frozen.value !== undefined);
  /** Events since the pause began. */
  const waiting = ref(0);
  /** Another one when what is shown is another; `now` is the moment that it shows. */
  const drawn = shallowRef({ now: Date.now() });
  const counts = computed(() => {
    void drawn.value;
    const { openCount: active, closedCount: closed } = ledger;
    return { active, closed, all: active + closed };
  });
  const beat = makeBeat(() => {
    if (!isPaused.value) drawn.value = { now: Date.now() };
  }, rhythm);
  let stopListening: (() => void) | undefined;
  let lanesBefore: readonly string[] = [];

  /** Begins to watch; what is shown until then is old. */
  async function watch(): Promise<void> {
    stopListening ??= listen('flows', take);
    beat.now();
    const answer = await call('flows.watch', {});
    failure.value = answer.ok ? undefined : answer.failure;
  }

  async function unwatch(): Promise<void> {
    stopListening?.();
    stopListening = undefined;
    beat.stop();
    const answer = await call('flows.unwatch', {});
    if (!answer.ok) failure.value = answer.failure;
  }

  /** Stops the picture, not the connections; going on shows what came meanwhile. */
  function pause(isWanted: boolean): void {
    if (isWanted === isPaused.value) return;
    const now = Date.now();
    frozen.value = isWanted ? { rows: frozenRows(ledger.rows(), now), at: now } : undefined;
    drawn.value = { now };
    waiting.value = 0;
  }

  /** Takes over what was told. */
  function take(event: WindowEventValue<'flows'>): void {
    ledger.take(event);
    if (event.hasMore === true) return;
    if (isPaused.value) waiting.value += 1;
    else if (event.isWhole) beat.now();
    else beat.soon();
  }

  /** Those that are open, those that are over, or all; `drawn` says when to ask again. */
  function rows(which: WhichFlows = 'all'): Iterable<FlowRow> {
    return frozen.value?.rows.filter((row) => isOfThose(row, which)) ?? ledger.rows(which);
  }

  /** What was open on lanes that are gone is over. */
  function keepOnly(lanes: readonly string[]): void {
    const kept = new Set(lanes);
    const isAnyGone = lanesBefore.some((lane) => !kept.has(lane));
    lanesBefore = lanes;
    if (isAnyGone && ledger.keepOnly(lanes, Date.now())) beat.soon();
  }

  async function close(which: readonly FlowRow[]): Promise<void> {
    const flows = which.map(({ flow: { lane, id } }) => ({ lane, id }));
    const answer = await call('flows.close', { flows });
    if (!answer.ok) useNotices().fail(answer.failure);
  }

  /** The connection with this key, as it is now, also while the picture stands still. */
  const find = (key: string): FlowRow | undefined => ledger.find(key);

  return {
    ...{ failure, isPaused, waiting, drawn, counts },
    ...{ watch, unwatch, pause, take, rows, find, keepOnly, close },
  };
});
