/** What is done with a saved profile beside editing and testing it, and what has to be asked before. */
import { defineStore } from 'pinia';
import { shallowReactive, shallowRef } from 'vue';
import type { WindowParams, WindowValue } from '#shared/contract.ts';
import { call } from '../bridge.ts';
import { i18n } from '../i18n.ts';
import { useNotices } from './notices.ts';
import { useProfileDrafts } from './profile-drafts.ts';
import { useProfileTests } from './profile-tests.ts';
import { useProfiles } from './profiles.ts';

export type Uses = WindowValue<'profile.uses'>;
export type Kept = WindowValue<'profile.passwords'>[number];
type Exported = WindowValue<'profile.export'>;
type Export = Omit<WindowParams<'profile.export'>, 'profiles'>;

export type ProfileQuestion =
  | { readonly kind: 'remove'; readonly id: string; readonly name: string; readonly uses: Uses }
  /** All own profiles without an id. */
  | { readonly kind: 'export'; readonly id?: string; readonly name?: string }
  | { readonly kind: 'leave'; readonly go: () => void };

export const useProfileDeeds = defineStore('profile-deeds', () => {
  const notices = useNotices();
  const question = shallowRef<ProfileQuestion>();
  /** By the id of the profile, as far as they were asked for. */
  const uses = shallowReactive(new Map<string, Uses>());
  const kept = shallowReactive(new Map<string, readonly Kept[]>());

  function dismiss(): void {
    question.value = undefined;
  }

  /** Asks again what uses a profile and which passwords are kept for it. */
  async function look(profile: string): Promise<void> {
    const [used, passwords] = await Promise.all([
      call('profile.uses', { profile }),
      call('profile.passwords', { profile }),
    ]);
    if (used.ok) uses.set(profile, used.value);
    else uses.delete(profile);
    if (passwords.ok) kept.set(profile, passwords.value);
    else kept.delete(profile);
  }

  async function setDefault(profile: string | undefined): Promise<void> {
    const answer = await call('profile.setDefault', profile === undefined ? {} : { profile });
    if (answer.ok) await useProfiles().load();
    else notices.fail(answer.failure);
  }

  async function duplicate(profile: string): Promise<void> {
    const answer = await call('profile.duplicate', { profile });
    if (!answer.ok) {
      notices.fail(answer.failure);
      return;
    }
    await useProfiles().load();
    useProfileDrafts().select(answer.value.id);
    notices.tell(i18n.global.t('profiles.duplicated', { name: answer.value.name }));
  }

  /** Asks before it goes, and tells what uses it. */
  async function askToRemove(id: string, name: string): Promise<void> {
    const answer = await call('profile.uses', { profile: id });
    if (answer.ok) question.value = { kind: 'remove', id, name, uses: answer.value };
    else notices.fail(answer.failure);
  }

  async function remove(): Promise<void> {
    const asked = question.value;
    if (asked?.kind !== 'remove') return;
    dismiss();
    const answer = await call('profile.remove', { profile: asked.id, force: isUsed(asked.uses) });
    if (!answer.ok) {
      notices.fail(answer.failure);
      return;
    }
    useProfileDrafts().all.delete(asked.id);
    useProfileTests().forget(asked.id);
    await useProfiles().load();
    notices.tell(i18n.global.t('profiles.removed', { name: asked.name }));
  }

  /** What the question is about, as text; undefined where it failed, which was said. */
  async function exported(options: Export): Promise<Exported | undefined> {
    const asked = question.value;
    if (asked?.kind !== 'export') return undefined;
    const which = asked.id === undefined ? {} : { profiles: [asked.id] };
    const answer = await call('profile.export', { ...options, ...which });
    if (answer.ok) return answer.value;
    notices.fail(answer.failure);
    return undefined;
  }

  return { question, uses, kept, dismiss, look, setDefault, duplicate, askToRemove, remove, exported };
});

/** Whether anything but launchers, which stay as they are, uses a profile. */
export function isUsed({ isDefault, apps, rules, failovers }: Uses): boolean {
  return isDefault || apps.length + rules.length + failovers.length > 0;
}
