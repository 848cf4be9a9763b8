/** The apps of this computer, as far as the search lets them through. */
import { defineStore } from 'pinia';
import { computed, ref, shallowRef, watch } from 'vue';
import type { AppView, ConfigView } from '#shared/app-protocol.ts';
import type { Failure } from '#shared/failure.ts';
import { arrange } from '../app-grid.ts';
import { call } from '../bridge.ts';
import { useKeptApps } from './kept-apps.ts';
import { useNotices } from './notices.ts';
import { useOverview } from './overview.ts';
import { usePreferences } from './preferences.ts';
import { useProfiles } from './profiles.ts';

export const useApps = defineStore('apps', () => {
  const overview = useOverview();
  const preferences = usePreferences();
  const kept = useKeptApps();
  const profiles = useProfiles();
  /** What the engine found; undefined until it has answered. */
  const found = shallowRef<readonly AppView[]>();
  const failure = shallowRef<Failure>();
  const search = ref('');
  const showsHidden = ref(false);
  let turn = 0;

  const hasEngine = computed(() => overview.now.engines.some(({ isOwn }) => isOwn));
  const running = computed(() => new Set(overview.lanes.map(({ app }) => app)));
  const all = computed(() => [
    ...kept.added.filter((app) => fits(app, search.value)),
    ...(found.value ?? []),
  ]);
  const hiddenCount = computed(() => all.value.filter(({ id }) => kept.isHidden(id)).length);
  const shown = computed<readonly AppView[]>(() =>
    arrange(all.value, {
      pinned: preferences.now.pinnedApps,
      hidden: preferences.now.hiddenApps,
      showsHidden: showsHidden.value,
      isSearch: search.value.trim() !== '',
    }),
  );

  /** Asks for what is installed now; of several questions only the last one's answer counts. */
  async function load(): Promise<void> {
    if (!hasEngine.value) return;
    turn += 1;
    const mine = turn;
    const text = search.value.trim();
    const answer = await call('app.list', text === '' ? {} : { search: text });
    if (mine !== turn) return;
    if (answer.ok) found.value = answer.value;
    failure.value = answer.ok ? undefined : answer.failure;
  }

  async function refresh(): Promise<void> {
    if (!hasEngine.value) return;
    await Promise.all([profiles.load(), load(), kept.loadAdded()]);
  }

  /** The configuration has changed, and with it perhaps what apps are bound to. */
  function mirrorConfig(value: ConfigView): void {
    profiles.mirror(value);
    if (found.value !== undefined) void Promise.all([load(), kept.loadAdded()]);
  }

  function find(text: string): void {
    search.value = text.slice(0, 200);
    void load();
  }

  /** From now on opens an app through this profile, or without one through the default. */
  async function bind(id: string, profile: string | undefined): Promise<void> {
    const answer = await (profile === undefined
      ? call('app.unbind', { app: id })
      : call('app.bind', { app: id, profile }));
    if (!answer.ok) useNotices().fail(answer.failure);
    await Promise.all([load(), kept.loadAdded()]);
  }

  watch(hasEngine, () => void refresh(), { immediate: true });

  return {
    ...{ found, failure, search, showsHidden, hasEngine, running, hiddenCount, shown },
    ...{ refresh, mirrorConfig, find, bind },
  };
});

/** As the engine searches names: every word occurs somewhere. */
function fits({ name, id }: AppView, typed: string): boolean {
  const text = `${name} ${id}`.toLocaleLowerCase();
  return typed
    .toLocaleLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
