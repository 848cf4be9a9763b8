/** What the engines of this user have counted for each rule, together. */
import type { RuleHitViews } from '#shared/rule-protocol.ts';

/** The sums, and the latest of the times. */
export function sumOfHits(counted: readonly RuleHitViews[]): RuleHitViews {
  const sum: Record<string, { hits: number; lastAt: number }> = {};
  for (const [rule, { hits, lastAt }] of counted.flatMap(Object.entries<RuleHitViews[string]>)) {
    const known = sum[rule];
    sum[rule] = { hits: (known?.hits ?? 0) + hits, lastAt: Math.max(known?.lastAt ?? 0, lastAt) };
  }
  return sum;
}
