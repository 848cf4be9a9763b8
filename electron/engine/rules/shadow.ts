/**
 * Rules that can never decide, so that people are told.
 *
 * Does: claim a rule only where one earlier rule is the same or wider in every condition; that several together
 * take all of it goes unnoticed. Must not: claim one that could still decide about any flow.
 */
import { CulvertError } from '#shared/failure.ts';
import { phrase, type Said } from '#shared/phrase.ts';
import type { Rule } from '#shared/profile.ts';
import { containsRange, firstOf, type Address } from './address.ts';
import { Candidates } from './candidates.ts';
import { compileRule, emptyFieldOf, fieldWord, type CompiledRule } from './compiled.ts';
import type { Destinations } from './destinations.ts';
import { isBelow, takes, type Pattern } from './pattern.ts';
import type { Target } from './target.ts';
import { fitsAll, type Wildcard } from '#shared/wildcard.ts';

export type Shadow =
  /** An earlier rule takes all that it matches. */
  | { readonly kind: 'shadowed'; readonly rule: string; readonly by: string }
  /** It matches no flow at all; `why` names the field. */
  | { readonly kind: 'never'; readonly rule: string; readonly why: Said };

/**
 * The rules that can never decide, in their order. Those that are off are passed over; one that `Rulebook.compile`
 * would refuse is among those that never match.
 */
export function shadows(rules: readonly Rule[]): readonly Shadow[] {
  const found = new Map<string, Shadow>();
  const compiled: CompiledRule[] = [];
  for (const rule of rules) {
    if (rule.isOff === true) continue;
    const ready = compiledOr(rule);
    if ('why' in ready) found.set(rule.id, { kind: 'never', rule: rule.id, why: ready.why });
    else compiled.push({ ...ready, position: compiled.length });
  }
  const candidates = new Candidates(compiled, { isProcessKnown: true });
  for (const rule of compiled) {
    const by = coverOf(rule, compiled, candidates);
    if (by !== undefined) found.set(rule.id, { kind: 'shadowed', rule: rule.id, by: by.id });
  }
  return rules.flatMap(({ id }) => found.get(id) ?? []);
}

/** The rule made ready, or why it matches nothing. */
function compiledOr(rule: Rule): CompiledRule | { readonly why: Said } {
  const empty = emptyFieldOf(rule);
  if (empty !== undefined) return { why: phrase('rule.empty-list', { field: fieldWord(empty) }) };
  try {
    return compileRule(rule, 0);
  } catch (error) {
    if (!(error instanceof CulvertError)) throw error;
    return { why: error.failure.phrase ?? error.failure.detail ?? error.message };
  }
}

/** The first rule before this one that takes all of it. */
function coverOf(
  rule: CompiledRule,
  rules: readonly CompiledRule[],
  candidates: Candidates,
): CompiledRule | undefined {
  let found: CompiledRule | undefined;
  let limit = rule.position;
  const look = (list: readonly CompiledRule[]) => {
    for (const earlier of list) {
      if (earlier.position >= limit) return;
      if (!coversRule(earlier, rule)) continue;
      found = earlier;
      limit = earlier.position;
      return;
    }
  };
  const sample = sampleOf(rule);
  if (sample === undefined) look(rules);
  else candidates.lists(sample, look);
  return found;
}

/**
 * A flow that the rule matches: what takes all of the rule takes this one too, and is found by it. Undefined
 * where only regular expressions say where it goes.
 */
function sampleOf({ to, ...rule }: CompiledRule): Target | undefined {
  const pattern = to?.patterns.find(({ kind }) => kind !== 'expression');
  if (to !== undefined && pattern === undefined) return undefined;
  return {
    protocol: rule.protocol ?? 'tcp',
    port: rule.ports?.[0]?.first ?? 1,
    name: pattern === undefined ? undefined : sampleName(pattern),
    address: pattern === undefined ? undefined : sampleAddress(pattern),
    apps: rule.apps === undefined ? [] : [...rule.apps.keys()].slice(0, 1),
    process: rule.processes?.[0]?.wildcard.join('') ?? null,
    profile: rule.profiles === undefined ? undefined : [...rule.profiles][0],
  };
}

function sampleName(pattern: Pattern): string | undefined {
  switch (pattern.kind) {
    case 'exact':
    case 'suffix':
      return pattern.name;
    case 'below':
      return `x.${pattern.name}`;
    case 'wildcard':
      return pattern.wildcard.join('');
    case 'any':
    case 'range':
    case 'expression':
      return undefined;
  }
}

function sampleAddress(pattern: Pattern): Address | undefined {
  return pattern.kind === 'range' ? firstOf(pattern.range) : undefined;
}

function coversRule(wide: CompiledRule, rule: CompiledRule): boolean {
  return (
    (wide.protocol === undefined || wide.protocol === rule.protocol) &&
    coversPorts(wide, rule) &&
    coversWords(wide.profiles, rule.profiles) &&
    coversWords(wide.apps, rule.apps) &&
    coversProcesses(wide, rule) &&
    coversDestinations(wide.to, rule.to)
  );
}

function coversPorts({ ports: wide }: CompiledRule, { ports }: CompiledRule): boolean {
  if (wide === undefined) return true;
  return (
    ports?.every((range) => wide.some(({ first, last }) => first <= range.first && range.last <= last)) ??
    false
  );
}

interface Words {
  readonly size: number;
  keys: () => Iterable<string>;
  has: (word: string) => boolean;
}

function coversWords(wide: Words | undefined, words: Words | undefined): boolean {
  if (wide === undefined) return true;
  return words !== undefined && [...words.keys()].every((word) => wide.has(word));
}

function coversProcesses({ processes: wide }: CompiledRule, { processes }: CompiledRule): boolean {
  if (wide === undefined) return true;
  return processes?.every((one) => wide.some((other) => fitsAll(other.wildcard, one.wildcard))) ?? false;
}

function coversDestinations(wide: Destinations | undefined, to: Destinations | undefined): boolean {
  if (wide === undefined || wide.isAny) return true;
  return to?.patterns.every((pattern) => coversPattern(wide, pattern)) ?? false;
}

/** Whether one pattern of the wide ones takes whatever this one takes; none of the wide is `*` alone. */
function coversPattern(wide: Destinations, pattern: Pattern): boolean {
  if (pattern.kind === 'any') return false;
  if (pattern.kind === 'expression') return wide.hasExpression(pattern.expression.source);
  const name = sampleName(pattern);
  const address = sampleAddress(pattern);
  return wide.findPlain(name, address, (other) => coversPlain(other, pattern)) !== undefined;
}

function coversPlain(wide: Pattern, pattern: Exclude<Pattern, { kind: 'any' | 'expression' }>): boolean {
  switch (pattern.kind) {
    case 'exact':
      return takes(wide, pattern.name, undefined);
    case 'range':
      return wide.kind === 'range' && containsRange(wide.range, pattern.range);
    case 'below':
      return coversWildcard(wide, ['', `.${pattern.name}`]);
    case 'suffix':
      return takes(wide, pattern.name, undefined) && coversWildcard(wide, ['', `.${pattern.name}`]);
    case 'wildcard':
      return coversWildcard(wide, pattern.wildcard);
  }
}

function coversWildcard(wide: Pattern, wildcard: Wildcard): boolean {
  const tail = wildcard.at(-1) ?? '';
  switch (wide.kind) {
    case 'suffix':
    case 'below':
      return isBelow(tail, wide.name);
    case 'wildcard':
      return fitsAll(wide.wildcard, wildcard);
    case 'any':
    case 'exact':
    case 'range':
    case 'expression':
      return false;
  }
}
