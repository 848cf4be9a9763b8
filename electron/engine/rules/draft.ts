/** A rule while it is being written: what keeps it from being one. Pure. */
import * as v from 'valibot';
import { CulvertError } from '#shared/failure.ts';
import { findProfile, rule as ruleSchema, type Config, type Rule } from '#shared/profile.ts';
import type { RuleDraft, RuleProblem } from '#shared/rule-protocol.ts';
import { freeId } from '../config/free-id.ts';
import { entryDefect, listFields } from './compiled.ts';

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
    problems: parsed.issues.map(({ path, message }) => {
      const [field, entry] = (path ?? []).map(({ key }) => key).filter((key) => key !== 'match');
      return {
        field: typeof field === 'string' ? field : 'rule',
        ...(typeof entry === 'number' ? { entry } : {}),
        detail: message,
      };
    }),
  };
}

/** Throws `rule-invalid` with the first thing that is wrong. */
export function expectRule(config: Pick<Config, 'profiles' | 'rules'>, rule: Rule): void {
  const read = ruleOfDraft(config, rule);
  if (!('problems' in read)) return;
  const [{ field, entry, detail } = { field: 'rule', detail: '' }] = read.problems;
  const list: readonly string[] | undefined = listFields
    .filter((name) => name === field)
    .map((name) => rule.match[name] ?? [])[0];
  const text = entry === undefined ? '' : `“${list?.[entry] ?? entry}” `;
  throw new CulvertError('rule-invalid', { detail: `${rule.id}: ${field}: ${text}${detail}` });
}

function entryProblems({ match }: RuleDraft): RuleProblem[] {
  return listFields.flatMap((field) => {
    if (match[field]?.length === 0) return [{ field, detail: 'has no entries, so that it matches nothing' }];
    return (match[field] ?? []).flatMap((text, entry) => {
      const detail = entryDefect(field, text);
      return detail === undefined ? [] : [{ field, entry, detail }];
    });
  });
}

function profileProblems(
  config: Pick<Config, 'profiles'>,
  { match, action, profile }: RuleDraft,
): RuleProblem[] {
  const unknown = (id: string): string | undefined =>
    findProfile(config, id) === undefined ? `there is no profile “${id}”` : undefined;
  const own = (() => {
    if (action !== 'profile') return profile === undefined ? undefined : 'is for the action “profile” only';
    return profile === undefined ? 'is missing: the action “profile” needs one' : unknown(profile);
  })();
  return [
    ...(own === undefined ? [] : [{ field: 'profile', detail: own }]),
    ...(match.profiles ?? []).flatMap((id, entry) => {
      const detail = unknown(id);
      return detail === undefined ? [] : [{ field: 'profiles', entry, detail }];
    }),
  ];
}
