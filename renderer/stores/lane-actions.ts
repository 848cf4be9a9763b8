/** What the user has asked of lanes, until it is done: stopping with an offer of force, and checks. */
import { defineStore } from 'pinia';
import { shallowReactive } from 'vue';
import type { Failure } from '#shared/failure.ts';
import type { CheckReport } from '#shared/model.ts';
import { call } from '../bridge.ts';
import { useNotices } from './notices.ts';

/** An app gets this long to end by itself before force is offered, in milliseconds. */
export const patienceMs = 10_000;

export type Check =
  | { readonly state: 'running' }
  | { readonly state: 'done'; readonly report: CheckReport; readonly at: number }
  | { readonly state: 'failed'; readonly failure: Failure };

export const useLaneActions = defineStore('lane-actions', () => {
  /** Lanes that were asked to end; true once force is offered. */
  const stopping = shallowReactive(new Map<string, boolean>());
  const checks = shallowReactive(new Map<string, Check>());

  /** Asks the apps of a lane to end; with `force` ends them. */
  async function stop(lane: string, force = false): Promise<void> {
    if (!stopping.has(lane)) {
      stopping.set(lane, false);
      setTimeout(() => {
        if (stopping.has(lane)) stopping.set(lane, true);
      }, patienceMs);
    }
    const answer = await call('lane.stop', { lane, ...(force ? { force } : {}) });
    // A lane that is unknown by now has ended, which is what was wanted.
    if (answer.ok || answer.failure.code === 'lane-unknown') return;
    stopping.delete(lane);
    useNotices().fail(answer.failure);
  }

  async function check(lane: string): Promise<void> {
    if (checks.get(lane)?.state === 'running') return;
    checks.set(lane, { state: 'running' });
    const answer = await call('lane.check', { lane });
    checks.set(
      lane,
      answer.ok
        ? { state: 'done', report: answer.value, at: Date.now() }
        : { state: 'failed', failure: answer.failure },
    );
  }

  /** Forgets what was asked of lanes that are gone. */
  function keepOnly(lanes: readonly string[]): void {
    const kept = new Set(lanes);
    for (const asked of [stopping, checks])
      for (const lane of asked.keys()) if (!kept.has(lane)) asked.delete(lane);
  }

  return { stopping, checks, stop, check, keepOnly };
});
