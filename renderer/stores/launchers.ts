/** The launchers that Culvert has put into the desktop's menu, and whether somebody looks at them. */
import { defineStore } from 'pinia';
import { ref, shallowReactive, shallowRef } from 'vue';
import type { LauncherView } from '#shared/app-protocol.ts';
import type { Failure } from '#shared/failure.ts';
import { call } from '../bridge.ts';
import { i18n } from '../i18n.ts';
import { useNotices } from './notices.ts';

export const useLaunchers = defineStore('launchers', () => {
  const isOpen = ref(false);
  /** Undefined until they are known. */
  const all = shallowRef<readonly LauncherView[]>();
  const failure = shallowRef<Failure>();
  const removing = shallowReactive(new Set<string>());

  async function load(): Promise<void> {
    const answer = await call('launcher.list', {});
    failure.value = answer.ok ? undefined : answer.failure;
    if (answer.ok) all.value = answer.value;
  }

  /** Shows the list, with what there is now. */
  async function open(): Promise<void> {
    isOpen.value = true;
    await load();
  }

  async function remove({ id, name }: LauncherView): Promise<void> {
    if (removing.has(id)) return;
    removing.add(id);
    const answer = await call('launcher.remove', { id });
    removing.delete(id);
    // One that somebody else has removed meanwhile is gone, which was wanted.
    if (answer.ok || answer.failure.code === 'launcher-unknown')
      useNotices().tell(i18n.global.t('apps.launchers.removed', { name }));
    else useNotices().fail(answer.failure);
    await load();
  }

  return { isOpen, all, failure, removing, load, open, remove };
});
