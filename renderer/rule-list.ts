/** The list of rules: which are shown, and to which place one goes that is moved among those. Plain functions. */
import type { Rule } from '#shared/profile.ts';

/** Every typed word occurs in what is said of the rule. */
export function findRules(
  rules: readonly Rule[],
  typed: string,
  textOf: (rule: Rule) => string,
): readonly Rule[] {
  const words = typed.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rules;
  return rules.filter((rule) => {
    const text = textOf(rule).toLocaleLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/**
 * The place among all rules, counted without it, of a rule that is to be at `index` of those that are shown: beside
 * the one that it passes. Undefined where it is there already, or is not shown.
 */
export function placeFor(
  rules: readonly Rule[],
  shown: readonly Rule[],
  id: string,
  index: number,
): number | undefined {
  const from = shown.findIndex((rule) => rule.id === id);
  const to = Math.max(0, Math.min(shown.length - 1, index));
  const passed = shown[to];
  if (from === -1 || from === to || passed === undefined) return undefined;
  const others = rules.filter((rule) => rule.id !== id);
  const beside = others.findIndex((rule) => rule.id === passed.id);
  return to < from ? beside : beside + 1;
}

/**
 * Where a rule comes to be that is dropped at a height of the list, in pixels: the index that it will have among
 * those that are shown.
 */
export function indexAt(height: number, rowHeight: number, count: number, from: number): number {
  const gap = Math.max(0, Math.min(count, Math.round(height / rowHeight)));
  return gap > from ? gap - 1 : gap;
}
