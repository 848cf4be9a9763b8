/** How often each rule has decided about a flow, and when last. In memory only: it begins anew with each engine. */
import type { RuleHitViews } from '#shared/rule-protocol.ts';

export class RuleHits {
  readonly #hits = new Map<string, { hits: number; lastAt: number }>();

  /** A rule has decided about one more flow, at `at` in milliseconds since the epoch. */
  count(rule: string, at: number): void {
    const known = this.#hits.get(rule);
    if (known === undefined) this.#hits.set(rule, { hits: 1, lastAt: at });
    else {
      known.hits += 1;
      known.lastAt = at;
    }
  }

  has(rule: string): boolean {
    return this.#hits.has(rule);
  }

  views(): RuleHitViews {
    return Object.fromEntries([...this.#hits].map(([rule, hit]) => [rule, { ...hit }]));
  }
}
