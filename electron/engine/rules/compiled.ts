/**
 * One rule made ready to be asked: its lists checked and brought into the form in which they are compared.
 *
 * Does: say yes or no to a flow, or what is missing for an answer. Must not: know of other rules.
 */
import { CulvertError } from '#shared/failure.ts';
import { phrase, type Phrase, type Said } from '#shared/phrase.ts';
import type { Rule, RuleMatch } from '#shared/profile.ts';
import { Destinations } from './destinations.ts';
import type { Verdict } from './facts.ts';
import { parsePattern, type Pattern } from './pattern.ts';
import { comparableApp, comparableProcess, type Target } from './target.ts';
import { fits, parseWildcard, type Wildcard } from '#shared/wildcard.ts';

export const fields = ['protocol', 'ports', 'profiles', 'apps', 'processes', 'to'] as const;
/** A condition of a rule; in the order of what they cost. */
export type Field = (typeof fields)[number] & keyof RuleMatch;

export interface PortRange {
  readonly text: string;
  readonly first: number;
  readonly last: number;
}

export interface CompiledRule {
  /** Among the rules that take part; the lowest that matches decides. */
  readonly position: number;
  readonly id: string;
  readonly verdict: Verdict;
  readonly protocol: 'tcp' | 'udp' | undefined;
  readonly ports: readonly PortRange[] | undefined;
  readonly profiles: ReadonlySet<string> | undefined;
  /** In their comparable form, with what the rule says. */
  readonly apps: ReadonlyMap<string, string> | undefined;
  readonly processes: readonly ProcessPattern[] | undefined;
  readonly to: Destinations | undefined;
}

export interface ProcessPattern {
  readonly text: string;
  readonly wildcard: Wildcard;
}

/** `process`: all but the processes match, and which process it is is not known. `expression`: all but `to`. */
export type RuleAnswer = 'yes' | 'no' | 'process' | 'expression';

/** Lists of which any entry may match, and how one is read; a phrase is the reason why it cannot be one. */
const readers = {
  apps: (text: string) => ({ text }),
  processes: (text: string): ProcessPattern => ({
    text,
    wildcard: parseWildcard(text.includes('*') ? text : comparableProcess(text)),
  }),
  to: parsePattern,
  ports: portsOf,
};
export const listFields = ['apps', 'processes', 'to', 'ports'] as const satisfies (keyof typeof readers)[];
export type ListField = (typeof listFields)[number];

/** What is wrong with an entry of a rule's list, as the rest of a sentence; undefined where nothing is. */
export function entryDefect(field: ListField, text: string): Phrase | undefined {
  const value = readEntry<object>(readers[field], text);
  return isDefect(value) ? value : undefined;
}

function readEntry<T>(read: (text: string) => T | Phrase, text: string): T | Phrase {
  return text === '' ? phrase('rule.empty') : read(text);
}

function isDefect(value: object): value is Phrase {
  return 'key' in value;
}

/** Throws `rule-invalid` with the rule's id, the field and what is wrong with it. */
export function compileRule(rule: Rule, position: number): CompiledRule {
  const { id, match, action, profile } = rule;
  if (action === 'profile' && profile === undefined) throw invalid(id, 'profile', phrase('rule.missing'));
  if (action !== 'profile' && profile !== undefined)
    throw invalid(id, 'profile', phrase('rule.profile-given', { action }));
  const each = <T extends object>(field: ListField, read: (text: string) => T | Phrase) =>
    match[field]?.map((text) => {
      const value = readEntry(read, text);
      if (isDefect(value)) throw invalid(id, field, value, quoted(text));
      return value;
    });
  const ports = each('ports', readers.ports);
  const to = each('to', readers.to);
  const apps = each('apps', readers.apps);
  return {
    position,
    id,
    verdict: profile === undefined ? { action, rule: id } : { action, profile, rule: id },
    protocol: match.protocol,
    ports: ports?.some(isAllPorts) === true ? undefined : ports,
    profiles: match.profiles && new Set(match.profiles),
    apps: apps && new Map(apps.map(({ text }) => [comparableApp(text), text])),
    processes: each('processes', readers.processes),
    to: to && new Destinations(to),
  };
}

/** Whether the rule matches; expressions are not tried here. */
export function answerOf(rule: CompiledRule, target: Target): RuleAnswer {
  if (rule.protocol !== undefined && rule.protocol !== target.protocol) return 'no';
  if (rule.ports !== undefined && portFor(rule.ports, target) === undefined) return 'no';
  if (rule.profiles !== undefined && !hasProfile(rule.profiles, target)) return 'no';
  if (rule.apps !== undefined && appFor(rule.apps, target) === undefined) return 'no';
  const process = rule.processes === undefined || processFor(rule.processes, target);
  if (process === undefined) return 'no';
  const to = rule.to;
  if (to !== undefined && !to.isAny && to.plainFor(target) === undefined) {
    return to.hasExpressions && target.name !== undefined ? 'expression' : 'no';
  }
  return process === 'unknown' ? 'process' : 'yes';
}

export function portFor(ports: readonly PortRange[], { port }: Target): PortRange | undefined {
  return ports.find(({ first, last }) => first <= port && port <= last);
}

export function hasProfile(profiles: ReadonlySet<string>, { profile }: Target): boolean {
  return profile !== undefined && profiles.has(profile);
}

/** What the rule says of the app that matches. */
export function appFor(apps: ReadonlyMap<string, string>, target: Target): string | undefined {
  const app = target.apps.find((candidate) => apps.has(candidate));
  return app === undefined ? undefined : apps.get(app);
}

/** `unknown` while the process is; what cannot be found matches nothing. */
export function processFor(
  processes: readonly ProcessPattern[],
  { process }: Target,
): ProcessPattern | 'unknown' | undefined {
  if (process === undefined) return processes.length === 0 ? undefined : 'unknown';
  if (process === null) return undefined;
  return processes.find(({ wildcard }) => fits(wildcard, process));
}

/** Whether the name of the process still has to be found out, once all else is known to match. */
export function wantsProcess(rule: CompiledRule, target: Target): boolean {
  return rule.processes !== undefined && target.process === undefined;
}

/** A rule with an empty list: any of none is never. */
export function emptyFieldOf({ match }: Rule): Field | undefined {
  return fields.find((field) => match[field]?.length === 0);
}

export function namePatternsOf({ to }: CompiledRule): readonly Pattern[] {
  return to?.patterns.filter(({ kind }) => kind !== 'any' && kind !== 'range') ?? [];
}

const fieldWords: ReadonlyMap<string, Phrase> = new Map([
  ['apps', phrase('rule.field-apps')],
  ['processes', phrase('rule.field-processes')],
  ['to', phrase('rule.field-to')],
  ['ports', phrase('rule.field-ports')],
  ['protocol', phrase('rule.field-protocol')],
  ['profiles', phrase('rule.field-profiles')],
  ['profile', phrase('rule.field-profile')],
  ['id', phrase('rule.field-id')],
]);

/** What a field of a rule is called. */
export function fieldWord(field: string): Said {
  return fieldWords.get(field) ?? field;
}

/** The refusal of a rule for one of its fields; `entry` is what stands in it, as far as it may be shown. */
export function invalid(rule: string, field: string, why: Said, entry?: string): CulvertError {
  const place = { rule, field: fieldWord(field), why };
  const detail =
    entry === undefined ? phrase('rule.in-field', place) : phrase('rule.in-entry', { ...place, entry });
  return new CulvertError('rule-invalid', { detail });
}

function portsOf(text: string): PortRange | Phrase {
  const [, first = '', last = first] = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(text) ?? [];
  const range = { text, first: Number(first), last: Number(last) };
  if (first === '' || range.first < 1 || range.last > 65_535) return phrase('rule.port');
  return range.first > range.last ? phrase('rule.port-order') : range;
}

function isAllPorts({ first, last }: PortRange): boolean {
  return first === 1 && last === 65_535;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}
