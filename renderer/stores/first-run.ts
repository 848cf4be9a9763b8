/** The first run: a proxy, isolation, an app, and what came of it. */
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import type { Answer } from '#shared/failure.ts';
import type { ProfileHead } from '#shared/model.ts';
import type { IsolationView } from '#shared/support-protocol.ts';
import { call } from '../bridge.ts';
import { useFirstApp } from './first-app.ts';
import { usePreferences } from './preferences.ts';
import { useProfiles } from './profiles.ts';
import { useProxyTest } from './proxy-test.ts';
import { useProxySetup } from './proxy-setup.ts';

export const firstRunSteps = ['proxy', 'isolation', 'app'] as const;
export type FirstRunStep = (typeof firstRunSteps)[number];

export const useFirstRun = defineStore('first-run', () => {
  const step = ref<FirstRunStep>('proxy');
  const profile = shallowRef<ProfileHead>();
  const isolation = shallowRef<IsolationView>();
  const isolationFailure = shallowRef<IsolationView['failure']>();
  const isAsking = ref(false);

  /** The way that was seen to work. */
  const provenMode = computed(() => (isolation.value?.isProven === true ? isolation.value.mode : undefined));

  function begin(): void {
    step.value = 'proxy';
    profile.value = isolation.value = isolationFailure.value = undefined;
    useFirstApp().forget();
    isAsking.value = false;
    useProxySetup().begin();
  }

  /** Makes the profile out of what was typed, and goes on. */
  async function saveProxy(): Promise<void> {
    const made = await useProxySetup().save();
    if (made === undefined) return;
    profile.value = made;
    await useProfiles().load();
    step.value = 'isolation';
    await lookAtIsolation();
  }

  /** Goes on by itself where isolation works without a question. */
  async function lookAtIsolation(): Promise<void> {
    settle(await call('isolation.look', {}));
  }

  /** May ask for the password. */
  async function allowIsolation(): Promise<void> {
    isAsking.value = true;
    settle(await call('isolation.allow', {}));
    isAsking.value = false;
  }

  function settle(answer: Answer<IsolationView>): void {
    if (answer.ok) isolation.value = answer.value;
    isolationFailure.value = answer.ok ? answer.value.failure : answer.failure;
    if (provenMode.value !== undefined && step.value === 'isolation') step.value = 'app';
  }

  function chooseApp(): void {
    step.value = 'app';
  }

  async function skip(): Promise<void> {
    useProxyTest().end();
    if (profile.value === undefined) await usePreferences().set({ isFirstRunSkipped: true });
  }

  return {
    ...{ step, profile, isolation, isolationFailure, isAsking, provenMode },
    ...{ begin, saveProxy, lookAtIsolation, allowIsolation, chooseApp, skip },
  };
});
