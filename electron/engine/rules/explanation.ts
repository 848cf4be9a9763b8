/** Why a rule decided, and why others did not, as data for `culvert rule test` and the window. */
import {
  appFor,
  fields,
  hasProfile,
  portFor,
  processFor,
  type CompiledRule,
  type Field,
} from './compiled.ts';
import type { Verdict } from './facts.ts';
import type { Target } from './target.ts';

/** One condition that a rule has. */
export interface Finding {
  readonly field: Field;
  /** `unknown`: it is about the process, which is not known yet. */
  readonly state: 'met' | 'failed' | 'unknown';
  /** What in the rule matched, as the rule has it. */
  readonly by?: string;
}

/** A rule of which all conditions but one were met. */
export interface NearMiss {
  readonly rule: string;
  readonly failed: Field;
}

/** What the answer cost. */
export interface Effort {
  /** Rules that were asked. */
  readonly rules: number;
  /** Rules of these whose regular expressions were tried. */
  readonly expressions: number;
}

export interface Explanation {
  readonly answer: Verdict | 'process-wanted' | undefined;
  /** The rule that decided, or would if the process matched. */
  readonly rule?: string;
  /** All conditions of that rule. */
  readonly findings: readonly Finding[];
  /** The last of the rules before it that came near, in their order. */
  readonly near: readonly NearMiss[];
  /** Rules before it that are off and would match. */
  readonly off: readonly string[];
  readonly effort: Effort;
}

const maxNear = 20;

/** How each condition of the rule fared. */
export function findingsOf(rule: CompiledRule, target: Target): readonly Finding[] {
  return fields.flatMap((field): Finding[] => {
    const by = whatMatched(field, rule, target);
    if (by === undefined) return [];
    if (by === failed) return [{ field, state: 'failed' }];
    return [by === unknown ? { field, state: 'unknown' } : { field, state: 'met', by }];
  });
}

/** Those that had at least one condition met and exactly one not; the last 20. */
export function nearMissesOf(rules: readonly CompiledRule[], target: Target): readonly NearMiss[] {
  const near: NearMiss[] = [];
  for (const rule of rules) {
    const miss = onlyMissOf(rule, target);
    if (miss !== undefined) near.push({ rule: rule.id, failed: miss });
  }
  return near.slice(-maxNear);
}

function onlyMissOf(rule: CompiledRule, target: Target): Field | undefined {
  let miss: Field | undefined;
  let isAnyMet = false;
  for (const field of fields) {
    const by = whatMatched(field, rule, target);
    if (by === failed) {
      if (miss !== undefined) return undefined;
      miss = field;
    } else if (by !== undefined && by !== unknown) {
      isAnyMet = true;
    }
  }
  return isAnyMet ? miss : undefined;
}

const failed = Symbol('failed');
const unknown = Symbol('unknown');

/** What in the rule matched; undefined where the rule has no such condition. */
function whatMatched(
  field: Field,
  rule: CompiledRule,
  target: Target,
): string | typeof failed | typeof unknown | undefined {
  switch (field) {
    case 'protocol':
      return rule.protocol && (rule.protocol === target.protocol ? rule.protocol : failed);
    case 'ports':
      return rule.ports && (portFor(rule.ports, target)?.text ?? failed);
    case 'profiles':
      return rule.profiles && (hasProfile(rule.profiles, target) ? target.profile : failed);
    case 'apps':
      return rule.apps && (appFor(rule.apps, target) ?? failed);
    case 'processes': {
      const process = rule.processes && (processFor(rule.processes, target) ?? failed);
      return process === 'unknown' ? unknown : typeof process === 'object' ? process.text : process;
    }
    case 'to':
      return rule.to && ((rule.to.plainFor(target) ?? rule.to.expressionFor(target))?.text ?? failed);
  }
}
