/**
 * Finds, among thousands of rules, the few that may match a flow.
 *
 * Does: file each rule under that one of its conditions which the fewest others share. Must not: leave out a rule
 * that matches; those that are handed out still have to be asked.
 *
 * What cannot be filed is handed out for every flow: rules without conditions, and those whose only useful
 * condition is a regular expression or a wildcard without three characters in a row.
 */
import type { CompiledRule } from './compiled.ts';
import { PatternIndex, patternKeys, type PatternKey } from './pattern-index.ts';
import type { Target } from './target.ts';

/** A place to file a rule under. */
type Key =
  | { readonly kind: 'app' | 'process' | 'profile' | 'protocol'; readonly value: string }
  | { readonly kind: 'port'; readonly value: number }
  | PatternKey;

/** A condition as what it says, each with the keys that it may be filed under, one being enough. */
type Axis = readonly (readonly Key[])[];

export interface CandidateOptions {
  /** Whether the process is known when this is asked; while it is not, its name is no place to look. */
  readonly isProcessKnown: boolean;
}

type List = (rules: readonly CompiledRule[]) => void;

export class Candidates {
  readonly #destinations = new PatternIndex<CompiledRule>();
  readonly #words = {
    app: new Map<string, CompiledRule[]>(),
    process: new Map<string, CompiledRule[]>(),
    profile: new Map<string, CompiledRule[]>(),
    protocol: new Map<string, CompiledRule[]>(),
  };
  readonly #byPorts = new Map<number, CompiledRule[]>();
  readonly #portLevels = new Set<number>();

  /** The rules in the order in which they decide. */
  constructor(rules: readonly CompiledRule[], options: CandidateOptions) {
    const axes = rules.map((rule) => axesOf(rule, options));
    const counts = new Counts();
    for (const axis of axes.flat()) for (const keys of axis) for (const key of keys) counts.add(key);
    for (const [i, rule] of rules.entries()) {
      for (const key of counts.rarest(axes[i] ?? [])) this.#file(key, rule);
    }
  }

  /** Hands out lists of rules, each in the order of the rules; a rule may be in several. */
  lists(target: Target, each: List): void {
    this.#destinations.lists(target.name, target.address, each);
    const { app, process, profile, protocol } = this.#words;
    for (const name of target.apps) visit(app, name, each);
    if (typeof target.process === 'string') visit(process, target.process, each);
    if (target.profile !== undefined) visit(profile, target.profile, each);
    visit(protocol, target.protocol, each);
    for (const level of this.#portLevels) {
      const list = this.#byPorts.get((target.port >> level) * portLevels + level);
      if (list !== undefined) each(list);
    }
  }

  #file(key: Key, rule: CompiledRule): void {
    switch (key.kind) {
      case 'app':
      case 'process':
      case 'profile':
      case 'protocol': {
        const map = this.#words[key.kind];
        const list = map.get(key.value);
        if (list === undefined) map.set(key.value, [rule]);
        else if (list.at(-1) !== rule) list.push(rule);
        return;
      }
      case 'port': {
        this.#portLevels.add(key.value % portLevels);
        const list = this.#byPorts.get(key.value);
        if (list === undefined) this.#byPorts.set(key.value, [rule]);
        else if (list.at(-1) !== rule) list.push(rule);
        return;
      }
      default:
        this.#destinations.add(key, rule);
    }
  }
}

/** How many rules want to be filed under each key. */
class Counts {
  readonly #counts = new Map<Key['kind'], Map<Key['value'], number>>();

  add({ kind, value }: Key): void {
    const counts = this.#counts.get(kind) ?? new Map<Key['value'], number>();
    this.#counts.set(kind, counts);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }

  /** One key for each entry of the axis whose fullest list is the shortest; an earlier axis wins a tie. */
  rarest(axes: readonly Axis[]): readonly Key[] {
    let best: readonly Key[] = [{ kind: 'rest' }];
    let bestCount = Number.POSITIVE_INFINITY;
    for (const axis of axes) {
      let fullest = 0;
      const keys = axis.flatMap((entry) => {
        const [key, count] = this.#rarestOf(entry);
        fullest = Math.max(fullest, count);
        return key === undefined ? [] : [key];
      });
      if (fullest < bestCount) [best, bestCount] = [keys, fullest];
    }
    return best;
  }

  #rarestOf(keys: readonly Key[]): [Key | undefined, number] {
    let best: Key | undefined;
    let bestCount = Number.POSITIVE_INFINITY;
    for (const key of keys) {
      const count = this.#counts.get(key.kind)?.get(key.value) ?? 0;
      if (count < bestCount) [best, bestCount] = [key, count];
    }
    return [best, bestCount];
  }
}

/** The conditions under which the rule can be filed: all that each of them says has a key. */
function axesOf(rule: CompiledRule, { isProcessKnown }: CandidateOptions): readonly Axis[] {
  const axes: (Axis | undefined)[] = [
    rule.to?.patterns.map(patternKeys),
    rule.apps && [...rule.apps.keys()].map((value) => [{ kind: 'app', value }]),
    isProcessKnown ? rule.processes?.map(({ wildcard }) => keysOfProcess(wildcard)) : undefined,
    rule.ports?.flatMap(({ first, last }) => blocksOf(first, last)).map((value) => [{ kind: 'port', value }]),
    rule.profiles && [...rule.profiles].map((value) => [{ kind: 'profile', value }]),
    rule.protocol && [[{ kind: 'protocol', value: rule.protocol }]],
  ];
  return axes.filter((axis) => axis !== undefined).filter((axis) => axis.every((keys) => keys.length > 0));
}

function keysOfProcess(wildcard: readonly string[]): readonly Key[] {
  return wildcard.length === 1 ? [{ kind: 'process', value: wildcard[0] ?? '' }] : [];
}

/** Ports have 16 bits, so that blocks of them have 17 sizes; a number for block and size needs more than that. */
const portLevels = 32;

/** The fewest blocks of 2^n ports, each beginning at a multiple of its size, that make up a range. */
function blocksOf(first: number, last: number): number[] {
  const blocks: number[] = [];
  for (let at = first; at <= last;) {
    let level = 0;
    while (level < 16 && at % (2 << level) === 0 && at + (2 << level) - 1 <= last) level++;
    blocks.push((at >> level) * portLevels + level);
    at += 1 << level;
  }
  return blocks;
}

function visit(map: ReadonlyMap<string, CompiledRule[]>, key: string, each: List): void {
  const list = map.get(key);
  if (list !== undefined) each(list);
}
