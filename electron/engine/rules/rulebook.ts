/**
 * Which rule decides about a flow: the first that matches.
 *
 * Does: look only at rules that may match (candidates.ts), and try regular expressions last, and only those of
 * rules before the best one found without. Names are never looked up for a rule on addresses. Must not: read a
 * clock or a file, or ask for the name of a process: it says `process-wanted` when the answer depends on one.
 */
import { CulvertError } from '#shared/failure.ts';
import { phrase } from '#shared/phrase.ts';
import type { Rule } from '#shared/profile.ts';
import { Candidates } from './candidates.ts';
import {
  answerOf,
  compileRule,
  invalid,
  namePatternsOf,
  wantsProcess,
  type CompiledRule,
} from './compiled.ts';
import { findingsOf, nearMissesOf, type Effort, type Explanation } from './explanation.ts';
import type { FlowFacts, Verdict } from './facts.ts';
import { targetOf, type Target } from './target.ts';

/** Each may hold 128 KiB of states (expression.ts). */
const maxExpressions = 1000;

interface Found {
  readonly rule: CompiledRule;
  /** It matches if the process does. */
  readonly isOpen: boolean;
}

interface OffRule {
  readonly rule: Rule;
  /** Position of the next rule that is on. */
  readonly before: number;
}

export class Rulebook {
  /** There are rules on names, so that the server name of a TLS flow to a bare address may matter. */
  readonly wantsServerName: boolean;
  readonly #rules: readonly CompiledRule[];
  readonly #off: readonly OffRule[];
  readonly #candidates: Candidates;
  /** For flows whose process is not known yet; the same where no rule asks for processes. */
  readonly #openCandidates: Candidates;

  private constructor(rules: readonly CompiledRule[], off: readonly OffRule[]) {
    this.#rules = rules;
    this.#off = off;
    this.wantsServerName = rules.some((rule) => namePatternsOf(rule).length > 0);
    this.#candidates = new Candidates(rules, { isProcessKnown: true });
    this.#openCandidates = rules.some(({ processes }) => processes !== undefined)
      ? new Candidates(rules, { isProcessKnown: false })
      : this.#candidates;
  }

  /**
   * Makes rules ready to decide. Those that are off take no part, and may be wrong. Throws `rule-invalid`, whose
   * detail names the rule, the field and the reason.
   */
  static compile(rules: readonly Rule[]): Rulebook {
    const ids = new Set<string>();
    for (const { id } of rules) {
      if (ids.has(id)) throw invalid(id, 'id', phrase('rule.same-id'));
      ids.add(id);
    }
    const compiled: CompiledRule[] = [];
    const off: OffRule[] = [];
    for (const rule of rules) {
      if (rule.isOff === true) off.push({ rule, before: compiled.length });
      else compiled.push(compileRule(rule, compiled.length));
    }
    let expressions = 0;
    for (const rule of compiled) {
      expressions += namePatternsOf(rule).filter(({ kind }) => kind === 'expression').length;
      if (expressions > maxExpressions) {
        throw invalid(rule.id, 'to', phrase('rule.expressions-most', { most: maxExpressions }));
      }
    }
    return new Rulebook(compiled, off);
  }

  /**
   * What is to happen to a flow. Undefined: no rule matches. `process-wanted`: it depends on the name of the
   * process, which is not known yet; once it is known that there is none, rules on processes do not match.
   */
  decide(facts: FlowFacts): Verdict | 'process-wanted' | undefined {
    return verdictOf(this.#find(targetOf(facts), { rules: 0, expressions: 0 }));
  }

  /** The answer of `decide` and how it came about. Goes through all rules. */
  explain(facts: FlowFacts): Explanation {
    const target = targetOf(facts);
    const effort = { rules: 0, expressions: 0 };
    const found = this.#find(target, effort);
    const end = found?.rule.position ?? this.#rules.length;
    const off = this.#off.filter(({ rule, before }) => before <= end && wouldMatch(rule, target));
    return {
      answer: verdictOf(found),
      ...(found === undefined ? {} : { rule: found.rule.id }),
      findings: found === undefined ? [] : findingsOf(found.rule, target),
      near: nearMissesOf(this.#rules.slice(0, end), target),
      off: off.map(({ rule }) => rule.id),
      effort,
    };
  }

  #find(target: Target, effort: { -readonly [K in keyof Effort]: Effort[K] }): Found | undefined {
    let best: Found | undefined;
    let limit = this.#rules.length;
    const late: CompiledRule[] = [];
    const candidates = target.process === undefined ? this.#openCandidates : this.#candidates;
    candidates.lists(target, (rules) => {
      for (const rule of rules) {
        if (rule.position >= limit) return;
        effort.rules++;
        const answer = answerOf(rule, target);
        if (answer === 'no') continue;
        if (answer === 'expression') {
          late.push(rule);
          continue;
        }
        best = { rule, isOpen: answer === 'process' };
        limit = rule.position;
        return;
      }
    });
    if (late.length > 1) late.sort((one, other) => one.position - other.position);
    for (const rule of late) {
      if (rule.position >= limit) break;
      effort.expressions++;
      if (rule.to?.expressionFor(target) === undefined) continue;
      return { rule, isOpen: wantsProcess(rule, target) };
    }
    return best;
  }
}

function verdictOf(found: Found | undefined): Verdict | 'process-wanted' | undefined {
  if (found === undefined) return undefined;
  return found.isOpen ? 'process-wanted' : found.rule.verdict;
}

function wouldMatch(rule: Rule, target: Target): boolean {
  try {
    return findingsOf(compileRule(rule, 0), target).every(({ state }) => state === 'met');
  } catch (error) {
    // One that is off may be wrong, and then it matches nothing.
    if (error instanceof CulvertError) return false;
    throw error;
  }
}
