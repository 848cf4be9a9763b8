/**
 * What a rule that is being written would do to connections. Decided as on a lane: what a profile refuses before it
 * asks any rule, no rule decides. Pure.
 */
import type { Config, Rule } from '#shared/profile.ts';
import { findProfile } from '#shared/profile.ts';
import type { RuleSubject, RuleWarning } from '#shared/rule-protocol.ts';
import { refusalBeforeRules } from './lane-policy.ts';
import type { FlowFacts } from './rules/facts.ts';
import { Rulebook } from './rules/rulebook.ts';
import { ruleWarnings } from './rules/warnings.ts';

export interface RulePreview {
  /** By the place in the subjects. */
  readonly matches: number[];
  readonly decides: number[];
  readonly warnings: RuleWarning[];
}

/** Keeps what is made of the rules that are there, of which there may be thousands: it is asked again and again. */
export class RulePreviews {
  #earlier: { readonly rules: readonly Rule[]; readonly index: number; readonly book: Rulebook } | undefined;
  #warned: { readonly config: object; readonly key: string; readonly warnings: RuleWarning[] } | undefined;

  /**
   * With the rule in the place of the one with its id, else at `at`, else as the last one; as if it were on. Throws
   * `rule-invalid` where the rules before it cannot be used.
   */
  preview(
    config: Pick<Config, 'profiles' | 'rules'>,
    { isOff: _, ...rule }: Rule,
    subjects: readonly RuleSubject[],
    at?: number,
  ): RulePreview {
    const known = config.rules.findIndex(({ id }) => id === rule.id);
    const index = known === -1 ? Math.min(at ?? config.rules.length, config.rules.length) : known;
    const own = Rulebook.compile([rule]);
    const earlier = this.#rulesBefore(config.rules, index);
    const matches: number[] = [];
    const decides: number[] = [];
    for (const [place, subject] of subjects.entries()) {
      const facts = factsOf(subject);
      if (own.decide(facts) === undefined) continue;
      matches.push(place);
      const profile = subject.profile === undefined ? undefined : findProfile(config, subject.profile);
      if (profile !== undefined && refusalBeforeRules(profile, facts) !== undefined) continue;
      if (earlier.decide(facts) === undefined) decides.push(place);
    }
    return { matches, decides, warnings: this.#warningsOf(config, rule, at) };
  }

  #rulesBefore(rules: readonly Rule[], index: number): Rulebook {
    if (this.#earlier?.rules === rules && this.#earlier.index === index) return this.#earlier.book;
    const book = Rulebook.compile(rules.slice(0, index));
    this.#earlier = { rules, index, book };
    return book;
  }

  #warningsOf(config: Pick<Config, 'profiles' | 'rules'>, rule: Rule, at?: number): RuleWarning[] {
    const key = JSON.stringify([rule, at]);
    if (this.#warned?.config === config && this.#warned.key === key) return this.#warned.warnings;
    const rules = withRule(config.rules, rule, at);
    const warnings = ruleWarnings({ ...config, rules }).get(rule.id) ?? [];
    this.#warned = { config, key, warnings };
    return warnings;
  }
}

/** The rules with this one in the place of the one with its id, else at `at` (0 is first), else as the last one. */
export function withRule(rules: readonly Rule[], rule: Rule, at = rules.length): Rule[] {
  return rules.some(({ id }) => id === rule.id)
    ? rules.map((old) => (old.id === rule.id ? rule : old))
    : rules.toSpliced(at, 0, rule);
}

function factsOf({ process, ...subject }: RuleSubject): FlowFacts {
  // A process that is not known is one that cannot be found: the question is not put off here.
  return { ...subject, process: process ?? null };
}
