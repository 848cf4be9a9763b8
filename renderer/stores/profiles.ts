/** The profiles that can be chosen, as the configuration has them. */
import { defineStore } from 'pinia';
import { computed, shallowRef } from 'vue';
import type { AppView, ConfigView } from '#shared/app-protocol.ts';
import type { Failure } from '#shared/failure.ts';
import type { ProfileHead } from '#shared/model.ts';
import { builtInProfiles } from '#shared/profile.ts';
import { call } from '../bridge.ts';

/** A profile that can be chosen. */
export type Choice = ProfileHead & { readonly id: string };

export const useProfiles = defineStore('profiles', () => {
  const config = shallowRef<ConfigView>();
  const failure = shallowRef<Failure>();

  const choices = computed<readonly Choice[]>(() =>
    (config.value?.profiles ?? []).flatMap((head) =>
      head.id === undefined ? [] : [{ ...head, id: head.id }],
    ),
  );
  /** Whether any of them was made by the user. */
  const hasOwn = computed(() =>
    choices.value.some(({ id }) => !builtInProfiles.some((known) => known === id)),
  );
  /** Those that an app may be given whose proxy is lost: none that leads past proxies. */
  const proxied = computed(() => {
    const direct = new Set(
      (config.value?.config.profiles ?? []).filter(({ action }) => action === 'direct').map(({ id }) => id),
    );
    return choices.value.filter(({ id }) => id !== 'direct' && id !== 'none' && !direct.has(id));
  });
  /** The one for apps that are bound to none. */
  const byDefault = computed(() => choiceOf(config.value?.config.defaultProfile));

  function choiceOf(id: string | undefined): Choice | undefined {
    return choices.value.find((choice) => choice.id === id);
  }

  /** The profile that a click opens an app through; undefined where there is none to go by. */
  function profileOf(app: AppView): Choice | undefined {
    return choiceOf(app.profile) ?? byDefault.value;
  }

  function mirror(value: ConfigView): void {
    config.value = value;
  }

  async function load(): Promise<void> {
    const answer = await call('config.read', {});
    if (answer.ok) mirror(answer.value);
    failure.value = answer.ok ? undefined : answer.failure;
  }

  return { config, failure, choices, proxied, hasOwn, byDefault, profileOf, mirror, load };
});
