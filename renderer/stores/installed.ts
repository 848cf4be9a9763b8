/** The installed apps by their ids, all of them, whatever the screen of apps is searched for. */
import { defineStore } from 'pinia';
import { computed, shallowRef } from 'vue';
import type { AppView } from '#shared/app-protocol.ts';
import { call } from '../bridge.ts';

/** A list that is older, in milliseconds, is asked for anew. */
const oldMs = 60_000;

export const useInstalled = defineStore('installed', () => {
  const apps = shallowRef<readonly AppView[]>([]);
  let askedAt = Number.NEGATIVE_INFINITY;

  const names = computed<ReadonlyMap<string, string>>(
    () => new Map(apps.value.map(({ id, name }) => [id, name])),
  );

  /** Without an answer apps are called by their ids: no screen depends on it. */
  async function load(): Promise<void> {
    if (performance.now() - askedAt < oldMs) return;
    askedAt = performance.now();
    const answer = await call('app.list', {});
    if (answer.ok) apps.value = answer.value;
    else askedAt = Number.NEGATIVE_INFINITY;
  }

  return { apps, names, load };
});
