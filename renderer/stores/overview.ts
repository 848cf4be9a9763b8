/** Mirrors what runs, as main tells it. Decides nothing. */
import { defineStore } from 'pinia';
import { computed, ref, shallowRef, watch } from 'vue';
import type { EngineView, Overview, ShownLane } from '#shared/contract.ts';
import type { Failure } from '#shared/failure.ts';

export const useOverview = defineStore('overview', () => {
  const now = shallowRef<Overview>({ own: { state: 'starting' }, engines: [], lanes: [] });
  const version = ref('');
  const failure = shallowRef<Failure>();
  const isKnown = ref(false);

  const engines = computed<ReadonlyMap<number, EngineView>>(
    () => new Map(now.value.engines.map((engine) => [engine.pid, engine])),
  );
  const lanes = computed<readonly ShownLane[]>(() => now.value.lanes);

  function mirror(value: Overview): void {
    now.value = value;
    isKnown.value = true;
  }

  /** The answer to the window's first question; what was told since is newer. */
  function start(value: Overview, ofVersion: string): void {
    version.value = ofVersion;
    if (!isKnown.value) mirror(value);
  }

  function fail(value: Failure): void {
    failure.value = value;
  }

  /** Resolves once the window's own engine is there, or cannot be started. */
  async function hasOwnEngine(): Promise<void> {
    const isSettled = (): boolean =>
      now.value.own.state === 'failed' || now.value.engines.some(({ isOwn }) => isOwn);
    if (isSettled()) return;
    await new Promise<void>((resolve) => {
      const stop = watch(now, () => {
        if (!isSettled()) return;
        stop();
        resolve();
      });
    });
  }

  function isAnswering(lane: ShownLane): boolean {
    return engines.value.get(lane.engine)?.isAnswering ?? false;
  }

  return { now, version, failure, isKnown, engines, lanes, mirror, start, fail, hasOwnEngine, isAnswering };
});
