/** The profiles as rows of the list: the user's own, with what was typed and is not saved yet, and those built in. */
import { computed, type ComputedRef } from 'vue';
import { useI18n } from 'vue-i18n';
import { builtInProfiles, builtIns, headOf, type Profile } from '#shared/profile.ts';
import { addressesOf, headOfForm, profileOf } from './profile-form.ts';
import { profileName } from './profile-name.ts';
import type { ProfileRow } from './profile-order.ts';
import { useProfileDrafts } from './stores/profile-drafts.ts';
import { useProfiles } from './stores/profiles.ts';

type Rows = ComputedRef<readonly ProfileRow[]>;

/** For the setup of a component: the names follow its language. */
export function useProfileRows(): { own: Rows; builtIn: Rows } {
  const { t } = useI18n();
  const profiles = useProfiles();
  const drafts = useProfileDrafts();

  function addressOf(profile: Profile): string {
    if (profile.action === 'direct') return t('profiles.via.direct');
    if (profile.action === 'block') return t('profiles.via.block');
    const [first, ...others] = addressesOf(profile);
    if (first === undefined) return t('profiles.via.none');
    return others.length === 0 ? first : t('profiles.via.more', { first, n: others.length });
  }

  function rowOf(profile: Profile, isSaved: boolean): ProfileRow {
    const draft = drafts.all.get(profile.id);
    const isChanged = draft !== undefined && drafts.isChanged(draft);
    const head = isChanged ? headOfForm(draft.form) : headOf(profile);
    const name = profileName(t, head).trim();
    return {
      ...{ id: profile.id, colour: head.colour, letter: head.letter, isChanged },
      name: name === '' ? t('profiles.unnamed') : name,
      address: isSaved ? addressOf(profile) : t('profiles.notSavedYet'),
      isDefault: profiles.config?.config.defaultProfile === profile.id,
    };
  }

  return {
    own: computed(() => [
      ...drafts.saved.map((profile) => rowOf(profile, true)),
      ...drafts.unsaved.map(({ form }) => rowOf(profileOf(form), false)),
    ]),
    builtIn: computed(() => builtInProfiles.map((id) => rowOf(builtIns[id], true))),
  };
}
