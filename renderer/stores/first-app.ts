/** The app that somebody opens in the first run, its lane once it runs, and the check of that. */
import { defineStore } from 'pinia';
import { ref, shallowRef, watch } from 'vue';
import type { AppView } from '#shared/app-protocol.ts';
import type { ProfileHead } from '#shared/model.ts';
import { useLaneActions } from './lane-actions.ts';
import { useOpening } from './opening.ts';
import { useOverview } from './overview.ts';

export const useFirstApp = defineStore('first-app', () => {
  const overview = useOverview();
  const opening = useOpening();
  const actions = useLaneActions();
  const app = shallowRef<AppView>();
  const lane = ref<string>();
  let before = new Set<string>();

  function forget(): void {
    app.value = lane.value = undefined;
  }

  /** Opens an app through the profile ; without one as it is opened otherwise. */
  async function open(chosen: AppView, profile: ProfileHead | undefined): Promise<void> {
    const id = profile?.id;
    before = new Set(overview.lanes.map((one) => one.id));
    app.value = chosen;
    lane.value = undefined;
    await opening.open(chosen, id === undefined ? {} : { profile: id });
  }

  watch(
    () => overview.lanes,
    (lanes) => {
      const wanted = app.value;
      if (wanted === undefined || lane.value !== undefined) return;
      const opened = lanes.find(
        (one) => one.app === wanted.id && one.state === 'running' && !before.has(one.id),
      );
      if (opened === undefined) return;
      lane.value = opened.id;
      void actions.check(opened.id);
    },
  );

  return { app, lane, forget, open };
});
