/** Which apps the user has pinned or hidden, and those among them that are not installed. */
import { defineStore } from 'pinia';
import { shallowRef } from 'vue';
import type { AppView } from '#shared/app-protocol.ts';
import { call } from '../bridge.ts';
import { usePreferences } from './preferences.ts';

export const useKeptApps = defineStore('kept-apps', () => {
  const preferences = usePreferences();
  /** Pinned by their paths: programs, and desktop entries from elsewhere. */
  const added = shallowRef<readonly AppView[]>([]);

  const isPinned = (id: string): boolean => preferences.now.pinnedApps.includes(id);
  const isHidden = (id: string): boolean => preferences.now.hiddenApps.includes(id);

  async function pin(id: string, isWanted: boolean): Promise<void> {
    const others = preferences.now.pinnedApps.filter((other) => other !== id);
    await preferences.set({ pinnedApps: isWanted ? [...others, id] : others });
    await loadAdded();
  }

  async function hide(id: string, isWanted: boolean): Promise<void> {
    const others = preferences.now.hiddenApps.filter((other) => other !== id);
    await preferences.set({ hiddenApps: isWanted ? [...others, id] : others });
  }

  /** Looks at each anew: it may have gone, and is not shown then. */
  async function loadAdded(): Promise<void> {
    const paths = preferences.now.pinnedApps.filter((id) => id.startsWith('/'));
    const targets = await Promise.all(paths.map((path) => call('app.target', { path })));
    added.value = targets.flatMap((answer) => {
      if (!answer.ok) return [];
      const target = answer.value;
      return target.kind === 'entry' || target.kind === 'program' ? [target.app] : [];
    });
  }

  return { added, isPinned, isHidden, pin, hide, loadAdded };
});
