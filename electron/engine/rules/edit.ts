/**
 * Changes to a list of rules, whose order decides. Each gives a new list; the old one stays as it is.
 *
 * Positions are counted from 1, as `culvert rule ls` shows them; one past the end means the end.
 */
import { CulvertError } from '#shared/failure.ts';
import type { Rule } from '#shared/profile.ts';

/** Puts a rule at a position, or at the end. Throws `option-invalid` for a position below 1. */
export function addRule(rules: readonly Rule[], rule: Rule, position = rules.length + 1): Rule[] {
  return rules.toSpliced(indexOf(position), 0, rule);
}

/** Throws `rule-unknown`, and `option-invalid` for a position below 1. */
export function moveRule(rules: readonly Rule[], id: string, position: number): Rule[] {
  const rule = ruleAt(rules, id);
  return removeRule(rules, id).toSpliced(indexOf(position), 0, rule);
}

/** Throws `rule-unknown`. */
export function enableRule(rules: readonly Rule[], id: string): Rule[] {
  const { isOff: _, ...on } = ruleAt(rules, id);
  return rules.map((rule) => (rule.id === id ? on : rule));
}

/** Throws `rule-unknown`. */
export function disableRule(rules: readonly Rule[], id: string): Rule[] {
  const off = { ...ruleAt(rules, id), isOff: true };
  return rules.map((rule) => (rule.id === id ? off : rule));
}

/** Throws `rule-unknown`. */
export function removeRule(rules: readonly Rule[], id: string): Rule[] {
  ruleAt(rules, id);
  return rules.filter((rule) => rule.id !== id);
}

/** Throws `rule-unknown` where one of them is not there, and removes none. */
export function removeRules(rules: readonly Rule[], ids: readonly string[]): Rule[] {
  const gone = new Set(ids);
  const known = new Set(rules.map(({ id }) => id));
  const unknown = ids.find((id) => !known.has(id));
  if (unknown !== undefined) throw new CulvertError('rule-unknown', { detail: unknown });
  return rules.filter(({ id }) => !gone.has(id));
}

/** `r1`, `r2` …: one more than the highest, so that a gap in the list is not taken for the rule that was there. */
export function nextRuleId(rules: readonly Pick<Rule, 'id'>[]): string {
  const numbers = rules.map(({ id }) => Number(/^r([1-9][0-9]{0,8})$/.exec(id)?.[1] ?? 0));
  return `r${numbers.reduce((highest, number) => Math.max(highest, number), 0) + 1}`;
}

function ruleAt(rules: readonly Rule[], id: string): Rule {
  const rule = rules.find((candidate) => candidate.id === id);
  if (rule === undefined) throw new CulvertError('rule-unknown', { detail: id });
  return rule;
}

function indexOf(position: number): number {
  if (!Number.isSafeInteger(position) || position < 1) {
    throw new CulvertError('option-invalid', { detail: 'a position is a whole number from 1' });
  }
  return position - 1;
}
