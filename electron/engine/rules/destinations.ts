/**
 * The `to` of one rule: whether any of its patterns takes a destination. A rule may have a whole list of blocked
 * hosts, so beyond a few patterns they are looked up instead of tried.
 */
import type { Address } from './address.ts';
import { PatternIndex, patternKeys } from './pattern-index.ts';
import { takes, type Pattern } from './pattern.ts';
import type { Target } from './target.ts';

/** Up to here trying one after the other is faster. */
const fewPatterns = 8;

export class Destinations {
  readonly patterns: readonly Pattern[];
  /** Takes every destination: one of the patterns is `*`. */
  readonly isAny: boolean;
  readonly hasExpressions: boolean;
  readonly #plain: readonly Pattern[];
  readonly #expressions: readonly Pattern[];
  readonly #index: PatternIndex<Pattern> | undefined;

  constructor(patterns: readonly Pattern[]) {
    this.patterns = patterns;
    this.isAny = patterns.some(({ kind }) => kind === 'any');
    this.#expressions = patterns.filter(({ kind }) => kind === 'expression');
    this.#plain = patterns.filter(({ kind }) => kind !== 'expression');
    this.hasExpressions = this.#expressions.length > 0;
    if (this.#plain.length <= fewPatterns || this.isAny) return;
    this.#index = new PatternIndex();
    for (const pattern of this.#plain) this.#index.add(patternKeys(pattern)[0] ?? { kind: 'rest' }, pattern);
  }

  /** The pattern other than an expression that takes it. */
  plainFor({ name, address }: Pick<Target, 'name' | 'address'>): Pattern | undefined {
    return this.findPlain(name, address, (pattern) => takes(pattern, name, address));
  }

  /** Of the patterns that may take this destination, expressions left out, the first that passes the test. */
  findPlain(
    name: string | undefined,
    address: Address | undefined,
    passes: (pattern: Pattern) => boolean,
  ): Pattern | undefined {
    if (this.#index === undefined) return this.#plain.find(passes);
    let found: Pattern | undefined;
    this.#index.lists(name, address, (list) => (found ??= list.find(passes)));
    return found;
  }

  /** The expression that takes it; dear, so asked last. */
  expressionFor({ name, address }: Pick<Target, 'name' | 'address'>): Pattern | undefined {
    return this.#expressions.find((pattern) => takes(pattern, name, address));
  }

  hasExpression(source: string): boolean {
    return this.#expressions.some(
      (pattern) => pattern.kind === 'expression' && pattern.expression.source === source,
    );
  }
}
