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

/**
 * With the rule in the place of the one with its id, else at `at`, else as the last one; as if it were on. Throws
 * `rule-invalid` where all rules together cannot be used.
 */
export function previewRule(
  config: Pick<Config, 'profiles' | 'rules'>,
  given: Rule,
  subjects: readonly RuleSubject[],
  at?: number,
): RulePreview {
  const { isOff: _, ...rule } = given;
  const rules = withRule(config.rules, rule, at);
  const index = rules.findIndex(({ id }) => id === rule.id);
  const own = Rulebook.compile([rule]);
  const earlier = Rulebook.compile(rules.slice(0, index));
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
  const warnings = ruleWarnings({ ...config, rules }).get(rule.id) ?? [];
  return { matches, decides, warnings };
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
