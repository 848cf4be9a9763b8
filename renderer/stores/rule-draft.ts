/** A rule that somebody began elsewhere, at a row of the connections, say: the rules' screen opens its editor with it. */
import { defineStore } from 'pinia';
import { shallowRef } from 'vue';
import type { RuleMatch } from '#shared/profile.ts';

export const useRuleDraft = defineStore('rule-draft', () => {
  const match = shallowRef<RuleMatch>();

  /** For whoever begins one; the rules' screen is shown next. */
  function begin(value: RuleMatch): void {
    match.value = value;
  }

  /** For the rules' screen: gives it once. */
  function take(): RuleMatch | undefined {
    const taken = match.value;
    match.value = undefined;
    return taken;
  }

  return { begin, take };
});
