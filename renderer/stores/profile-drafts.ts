/**
 * The profiles that are being looked at and edited: one form each, kept until it is saved or reverted, wherever the
 * user goes meanwhile.
 *
 * Must not: lose what was typed because the configuration has changed.
 */
import { defineStore } from 'pinia';
import { computed, reactive, ref, watch } from 'vue';
import { findProfile, type Config } from '#shared/profile.ts';
import { draftOf, isChanged, saveDraft, type Draft } from '../profile-draft.ts';
import { formOf, newForm, offeredColours } from '../profile-form.ts';
import { isBuiltIn } from '../profile-name.ts';
import { problemsOf } from '../profile-problems.ts';
import { useProfiles } from './profiles.ts';

export const useProfileDrafts = defineStore('profile-drafts', () => {
  const profiles = useProfiles();
  const all = reactive(new Map<string, Draft>());
  const selected = ref<string>();

  const saved = computed(() => profiles.config?.config.profiles ?? []);
  const savedOf = (id: string) => saved.value.find((profile) => profile.id === id);
  /** Those that were begun and never saved. */
  const unsaved = computed(() => [...all.values()].filter(({ form }) => savedOf(form.id) === undefined));
  const open = computed(() => (selected.value === undefined ? undefined : all.get(selected.value)));
  const problems = computed(() => (open.value === undefined ? [] : problemsOf(open.value.form, saved.value)));
  const changed = computed(() => [...all].flatMap(([id, draft]) => (isChanged(draft) ? [id] : [])));
  /** The saved profile has changed under what was typed, or has gone. */
  const isOvertaken = computed(() => {
    if (open.value === undefined || !isChanged(open.value)) return false;
    const now = savedOf(open.value.form.id);
    return now !== undefined && JSON.stringify(formOf(now)) !== open.value.base;
  });

  /** Shows a profile; one that is built in has no form. */
  function select(id: string | undefined): void {
    for (const [other, draft] of all) if (other !== id && !isChanged(draft)) all.delete(other);
    selected.value = id;
    const profile = id === undefined ? undefined : savedOf(id);
    if (profile !== undefined && !all.has(profile.id)) all.set(profile.id, draftOf(formOf(profile)));
  }

  /** Begins a profile that is not saved yet. */
  function begin(): void {
    const id = freeId((taken) => all.has(taken) || savedOf(taken) !== undefined);
    const colour = offeredColours[saved.value.length % offeredColours.length] ?? offeredColours[0];
    // Even empty it is a change: it would be nothing at all otherwise.
    all.set(id, draftOf(newForm(id, colour), ''));
    select(id);
  }

  function touch(path: string): void {
    open.value?.touched.add(path);
    if (open.value !== undefined)
      open.value.said = open.value.said.filter((problem) => problem.path !== path);
  }

  /** Takes back what was typed; a profile that was never saved goes. */
  function revert(id: string): void {
    const profile = savedOf(id);
    if (profile === undefined) {
      all.delete(id);
      if (selected.value === id) select(saved.value[0]?.id);
    } else all.set(id, draftOf(formOf(profile)));
  }

  /** Answers whether it was saved; what was in the way is shown at its field. */
  async function save(id: string): Promise<boolean> {
    const draft = all.get(id);
    if (draft === undefined || draft.isSaving) return false;
    draft.isTried = true;
    if (problemsOf(draft.form, saved.value).length > 0) return false;
    const answer = await saveDraft(draft, saved.value);
    if (!answer.ok) return false;
    // Until it is read again what is mirrored is what was before.
    await profiles.load();
    all.delete(id);
    if (selected.value === id) select(answer.value.id);
    return true;
  }

  /** Follows the configuration where nothing was typed. */
  function follow(): void {
    for (const [id, draft] of all) {
      const profile = savedOf(id);
      if (isChanged(draft)) continue;
      if (profile === undefined) all.delete(id);
      else if (JSON.stringify(formOf(profile)) !== draft.base) all.set(id, draftOf(formOf(profile)));
    }
    const id = selected.value;
    const isThere = id !== undefined && (isBuiltIn(id) || all.has(id) || savedOf(id) !== undefined);
    select(isThere ? id : firstOf(profiles.config?.config));
  }

  watch(() => profiles.config, follow, { immediate: true });

  return {
    ...{ all, selected, saved, unsaved, open, problems, changed, isOvertaken },
    ...{ select, begin, touch, revert, save, isChanged },
  };
});

/** The default one, else the first of the user's own; none where there is no other than those built in. */
function firstOf(config: Config | undefined): string | undefined {
  if (config === undefined) return undefined;
  const { defaultProfile, profiles } = config;
  const byDefault = defaultProfile === undefined ? undefined : findProfile(config, defaultProfile);
  return (byDefault ?? profiles[0])?.id;
}

/** An id for a profile that has no name yet; the engine makes another one of the name. */
function freeId(isTaken: (id: string) => boolean): string {
  let number = 1;
  while (isTaken(`new-${number}`)) number += 1;
  return `new-${number}`;
}
