/** One of the kept preferences as something that a control can be bound to. */
import { computed, type WritableComputedRef } from 'vue';
import type { Preferences } from '#shared/contract.ts';
import { usePreferences } from './stores/preferences.ts';

export function kept<K extends keyof Preferences>(key: K): WritableComputedRef<Preferences[K]> {
  const preferences = usePreferences();
  return computed({
    get: () => preferences.now[key],
    set: (value) => void preferences.set({ [key]: value }),
  });
}
