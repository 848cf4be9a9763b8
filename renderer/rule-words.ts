/** How rules are said here: with the names of this computer's apps and of the user's profiles. */
import { computed, onMounted, type ComputedRef } from 'vue';
import { useI18n } from 'vue-i18n';
import { profileName } from './profile-name.ts';
import type { RuleWords } from './rule-text.ts';
import { useInstalled } from './stores/installed.ts';
import { useProfiles } from './stores/profiles.ts';

/** Follows the language and the names. */
export function useRuleWords(): ComputedRef<RuleWords> {
  const { t, locale } = useI18n();
  const installed = useInstalled();
  const profiles = useProfiles();
  onMounted(() => void installed.load());
  return computed(() => {
    const heads = new Map(profiles.choices.map((choice) => [choice.id, choice]));
    return {
      t: (key, slots) => (slots === undefined ? t(key) : t(key, slots)),
      locale: locale.value,
      appName: (app) => installed.names.get(app) ?? app,
      profileName: (id) => {
        const head = heads.get(id);
        return head === undefined ? id : profileName(t, head);
      },
    };
  });
}
