/** How the window looks and which language it speaks: chosen here, kept by main. */
import { defineStore } from 'pinia';
import { computed, ref, shallowRef, watchEffect } from 'vue';
import { usualTable } from '#shared/connection-columns.ts';
import type { Language, Preferences, WindowParams } from '#shared/contract.ts';
import { call } from '../bridge.ts';
import { chooseLanguage, i18n } from '../i18n.ts';
import { useNotices } from './notices.ts';

export const usePreferences = defineStore('preferences', () => {
  const now = shallowRef<Preferences>({
    theme: 'system',
    contrast: 'system',
    motion: 'system',
    language: 'system',
    closeButton: 'hide',
    pinnedApps: [],
    hiddenApps: [],
    connections: usualTable,
    isFirstRunSkipped: false,
  });
  const systemLanguages = ref<readonly string[]>([]);
  const language = computed<Language>(() => chooseLanguage(now.value.language, systemLanguages.value));

  /** Takes what main keeps, and shows it from here on. */
  function start(kept: Preferences, system: readonly string[]): void {
    now.value = kept;
    systemLanguages.value = system;
    watchEffect(show, { flush: 'sync' });
  }

  function show(): void {
    const page = document.documentElement;
    page.lang = language.value;
    page.dataset['contrast'] = now.value.contrast;
    page.dataset['motion'] = now.value.motion;
    i18n.global.locale.value = language.value;
  }

  /** Changes at once, and says so if it could not be kept. */
  async function set(change: WindowParams<'preferences.set'>): Promise<void> {
    const answer = await call('preferences.set', change);
    if (answer.ok) now.value = answer.value;
    else useNotices().fail(answer.failure);
  }

  function mirror(value: Preferences): void {
    now.value = value;
  }

  return { now, language, start, set, mirror };
});
