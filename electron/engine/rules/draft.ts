/** A rule while it is being written: what keeps it from being one. Pure. */
import * as v from 'valibot';
import { phrase, type Phrase, type Said } from '#shared/phrase.ts';
import { findProfile, rule as ruleSchema, type Config, type Rule } from '#shared/profile.ts';
import type { RuleDraft, RuleProblem } from '#shared/rule-protocol.ts';
import { freeId } from '../config/free-id.ts';
import { expectationOf } from '../config/expectation.ts';
import { detailOf } from '../detail.ts';
import { entryDefect, invalid, listFields } from './compiled.ts';

/** The rule, with an id that is free where it has none, or all that is wrong with it. */
export function ruleOfDraft(
  config: Pick<Config, 'profiles' | 'rules'>,
  draft: RuleDraft,
): { readonly rule: Rule } | { readonly problems: RuleProblem[] } {
  const problems = [...entryProblems(draft), ...profileProblems(config, draft)];
  if (problems.length > 0) return { problems };
  const id = draft.id ?? freeId('draft', (taken) => config.rules.some((rule) => rule.id === taken));
  const parsed = v.safeParse(ruleSchema, { ...draft, id });
  if (parsed.success) return { rule: parsed.output };
  return {
    problems: parsed.issues.map((issue) => {
      const [field, entry] = (issue.path ?? []).map(({ key }) => key).filter((key) => key !== 'match');
      const place = typeof entry === 'number' ? entry : undefined;
      return problem(typeof field === 'string' ? field : 'rule', expectationOf(issue), place);
    }),
  };
}

/** Throws `rule-invalid` with the first thing that is wrong. */
export function expectRule(config: Pick<Config, 'profiles' | 'rules'>, rule: Rule): void {
  const read = ruleOfDraft(config, rule);
  if (!('problems' in read)) return;
  const [first = problem('rule', '')] = read.problems;
  const { field, entry, detail } = first;
  const list: readonly string[] | undefined = listFields
    .filter((name) => name === field)
    .map((name) => rule.match[name] ?? [])[0];
  const text = entry === undefined ? undefined : `“${list?.[entry] ?? entry}”`;
  throw invalid(rule.id, field, first.phrase ?? detail, text);
}

function problem(field: string, said: Said, entry?: number): RuleProblem {
  return { field, ...(entry === undefined ? {} : { entry }), ...detailOf(said) };
}

function entryProblems({ match }: RuleDraft): RuleProblem[] {
  return listFields.flatMap((field) => {
    if (match[field]?.length === 0) return [problem(field, phrase('rule.list-empty'))];
    return (match[field] ?? []).flatMap((text, entry) => {
      const defect = entryDefect(field, text);
      return defect === undefined ? [] : [problem(field, defect, entry)];
    });
  });
}

function profileProblems(
  config: Pick<Config, 'profiles'>,
  { match, action, profile }: RuleDraft,
): RuleProblem[] {
  const unknown = (id: string): Phrase | undefined =>
    findProfile(config, id) === undefined ? phrase('config.profile-unknown', { id }) : undefined;
  const own = (() => {
    if (action !== 'profile') return profile === undefined ? undefined : phrase('rule.profile-unwanted');
    return profile === undefined ? phrase('rule.profile-missing') : unknown(profile);
  })();
  return [
    ...(own === undefined ? [] : [problem('profile', own)]),
    ...(match.profiles ?? []).flatMap((id, entry) => {
      const defect = unknown(id);
      return defect === undefined ? [] : [problem('profiles', defect, entry)];
    }),
  ];
}
