/** What the user has asked of lanes, until it is done: stopping with an offer of force, and checks. */
import { defineStore } from 'pinia';
import { shallowReactive } from 'vue';
import type { ShownLane } from '#shared/contract.ts';
import type { Failure } from '#shared/failure.ts';
import type { CheckReport } from '#shared/model.ts';
import { call } from '../bridge.ts';
import { formatCount } from '../format.ts';
import { i18n } from '../i18n.ts';
import { profileName } from '../profile-name.ts';
import { useNotices } from './notices.ts';
import type { Choice } from './profiles.ts';

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
  /** Lanes that are being given another profile. */
  const switching = shallowReactive(new Set<string>());
  const offline = shallowReactive(new Set<string>());

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

  /** Gives a running app another profile. Its open connections are closed, or with `keep` go on as they are. */
  async function switchTo(lane: ShownLane, profile: Choice, keep: boolean): Promise<void> {
    if (switching.has(lane.id)) return;
    switching.add(lane.id);
    const answer = await call('lane.switch', {
      lane: lane.id,
      profile: profile.id,
      ...(keep ? { keep } : {}),
    });
    switching.delete(lane.id);
    if (!answer.ok) {
      useNotices().fail(answer.failure);
      return;
    }
    const { t, locale } = i18n.global;
    const words = { app: lane.name, profile: profileName(t, profile) };
    const { closed } = answer.value;
    const n = formatCount(locale.value, closed);
    useNotices().tell(
      keep ? t('running.switchedKept', words) : t('running.switched', { ...words, n }, closed),
    );
  }

  /** The user leaves an app without network whose proxy is lost, until that answers or another is chosen. */
  function stayOffline(lane: string): void {
    offline.add(lane);
  }

  /** Forgets what was asked of lanes that are gone, and what was chosen for those that ask no more. */
  function follow(lanes: readonly ShownLane[]): void {
    const kept = new Set(lanes.map(({ id }) => id));
    for (const asked of [stopping, checks])
      for (const lane of asked.keys()) if (!kept.has(lane)) asked.delete(lane);
    const asking = new Set(lanes.filter(({ asks }) => asks === true).map(({ id }) => id));
    for (const lane of offline) if (!asking.has(lane)) offline.delete(lane);
  }

  /** Whether the user has still to choose what becomes of an app whose proxy is lost. */
  function isUndecided({ id, asks }: ShownLane): boolean {
    return asks === true && !offline.has(id);
  }

  return { stopping, checks, switching, stop, check, switchTo, stayOffline, isUndecided, follow };
});
