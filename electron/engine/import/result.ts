/**
 * What an import answers, and the draft in which a format's reader collects it.
 *
 * Does: proposes ids, keeps passwords apart from profiles, puts every finished part through the schema, counts
 * against the limits. Must not: put a password into the text of a line, or let control characters through to a
 * terminal.
 */
import * as v from 'valibot';
import { CulvertError, failureOf } from '#shared/failure.ts';
import type { Upstream } from '#shared/model.ts';
import { phrase, type Phrase, type Said } from '#shared/phrase.ts';
import { builtInProfiles, profile as profileSchema, rule as ruleSchema } from '#shared/profile.ts';
import type { ChainMode, Profile, Rule, RuleMatch } from '#shared/profile.ts';
import { compileRule } from '../rules/compiled.ts';
import { lineOf, printable, type ImportLine, type LineStatus } from './line.ts';

export const importKinds = [
  'links',
  'proxychains',
  'proxifier',
  'clash',
  'environment',
  'culvert',
  'direct-list',
  'proxy-list',
] as const;
export type ImportKind = (typeof importKinds)[number];

/** A profile without its passwords. */
export type ImportedProfile = Profile;

export interface ImportedSecret {
  readonly profile: string;
  readonly server: string;
  readonly password: string;
}

/** What a list of addresses asks of the profile that it is for. */
export interface ProfileChanges {
  readonly profile: string;
  readonly action?: 'proxy' | 'direct';
  readonly dns?: { readonly mode: 'fake' | 'host' };
}

export interface ImportResult {
  readonly kind: ImportKind;
  readonly profiles: ImportedProfile[];
  readonly secrets: ImportedSecret[];
  readonly rules: Rule[];
  readonly lines: ImportLine[];
  /** Lists of addresses only. */
  readonly changes?: ProfileChanges;
}

export const limits = {
  bytes: 4 * 1024 * 1024,
  lines: 10_000,
  profiles: 500,
  rules: 20_000,
  serversInChain: 256,
  depth: 32,
  /** In the table of what became of each line. */
  entries: 50_000,
} as const;

/** Everything of a profile that a reader may say; the rest is the schema's own. */
export interface ProfileDraft extends Partial<Omit<Profile, 'id' | 'name' | 'chain'>> {
  /** Any text; cut to what a name may be. */
  readonly name: string;
  /** With their passwords. */
  readonly servers: readonly Upstream[];
  readonly mode?: ChainMode;
  readonly length?: number;
}

export type RuleDraft = Omit<Rule, 'id'> & { readonly name: string };

/** Throws the one error of this room; `detail` has the figure or the reason and none of the text. */
export function refuse(detail: Phrase): never {
  throw new CulvertError('import-invalid', { detail });
}

/** A slug out of any text, not yet taken; the caller adds it to `taken`. */
export function slugOf(text: string, fallback: string, taken: ReadonlySet<string>): string {
  const base = cutSlug(
    text
      .slice(0, 200)
      .normalize('NFKD')
      .replace(/\p{M}/gu, '')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-'),
    40,
  );
  const stem = base === '' ? fallback : base;
  if (!taken.has(stem)) return stem;
  for (let number = 2; ; number += 1) {
    const candidate = `${cutSlug(stem, 39 - String(number).length)}-${number}`;
    if (!taken.has(candidate)) return candidate;
  }
}

function cutSlug(text: string, most: number): string {
  const start = text.startsWith('-') ? 1 : 0;
  const cut = text.slice(start, start + most);
  return cut.endsWith('-') ? cut.slice(0, -1) : cut;
}

/** A name that the schema takes: at most 60 UTF-16 units, no half characters. */
export function nameOf(text: string, fallback: string): string {
  let name = printable(text, 60);
  while (name.length > 60) name = Array.from(name).slice(0, -1).join('');
  return name === '' ? fallback : name;
}

/** Collects one import; see the head of this file. */
export class Draft {
  readonly kind: ImportKind;
  readonly lines: ImportLine[] = [];
  readonly profiles: Profile[] = [];
  readonly secrets: ImportedSecret[] = [];
  readonly rules: Rule[] = [];
  readonly #ids = new Set<string>(builtInProfiles);
  readonly #ruleIds = new Set<string>();
  #numbersByStem = new Map<string, number>();

  constructor(kind: ImportKind) {
    this.kind = kind;
  }

  /** One entry of the table; `reason` is asked of every status but `taken`. Throws `import-invalid` over 50,000. */
  say(line: number, status: LineStatus, text: Said, reason?: Phrase): void {
    if (this.lines.length >= limits.entries)
      refuse(phrase('import-refusal.items-most', { most: limits.entries }));
    this.lines.push(lineOf(line, status, text, reason));
  }

  /** Adds a profile with ids of its own and returns it. Throws `import-invalid` over 500. */
  addProfile({ name, servers, mode, length, ...rest }: ProfileDraft): Profile {
    if (this.profiles.length >= limits.profiles)
      refuse(phrase('import-refusal.profiles-most', { most: limits.profiles }));
    const id = slugOf(name, 'proxy', this.#ids);
    this.#ids.add(id);
    const secrets: ImportedSecret[] = [];
    const written = servers.map(({ password, ...server }, index) => {
      const serverId = `server-${index + 1}`;
      if (password !== undefined) secrets.push({ profile: id, server: serverId, password });
      return { id: serverId, ...server };
    });
    const chain = { servers: written, ...(mode && { mode }), ...(length && { length }) };
    const made = v.safeParse(profileSchema, { ...rest, id, name: nameOf(name, 'Proxy'), chain });
    if (!made.success)
      return refuse(phrase('import-refusal.profile-invalid', { where: placeOf(made.issues[0]) }));
    this.profiles.push(made.output);
    this.secrets.push(...secrets);
    return made.output;
  }

  /** Adds a rule with an id of its own and returns it. Throws `import-invalid` over 20,000. */
  addRule({ name, ...rest }: RuleDraft): Rule {
    if (this.rules.length >= limits.rules)
      refuse(phrase('import-refusal.rules-most', { most: limits.rules }));
    const made = v.safeParse(ruleSchema, { ...rest, id: this.#ruleId(name) });
    if (!made.success)
      return refuse(phrase('import-refusal.rule-invalid', { where: placeOf(made.issues[0]) }));
    if (ruleDefect(made.output) !== undefined) return refuse(phrase('import-refusal.rule-unusable'));
    this.#ruleIds.add(made.output.id);
    this.rules.push(made.output);
    return made.output;
  }

  /** Takes a profile or rule with the id that it has; false if that is taken or built in. */
  keepId(kind: 'profile' | 'rule', id: string): boolean {
    const ids = kind === 'profile' ? this.#ids : this.#ruleIds;
    if (ids.has(id)) return false;
    ids.add(id);
    return true;
  }

  finish(changes?: ProfileChanges): ImportResult {
    const { kind, profiles, secrets, rules } = this;
    const lines = this.lines.toSorted((one, other) => one.line - other.line);
    return { kind, profiles, secrets, rules, lines, ...(changes && { changes }) };
  }

  /** Counts on per stem: thousands of rules have the same name, and each must not try all numbers before it. */
  #ruleId(name: string): string {
    const stem = slugOf(name, 'rule', new Set()).slice(0, 30).replace(/-$/, '');
    let number = this.#numbersByStem.get(stem) ?? 1;
    while (this.#ruleIds.has(number === 1 ? stem : `${stem}-${number}`)) number += 1;
    this.#numbersByStem.set(stem, number + 1);
    return number === 1 ? stem : `${stem}-${number}`;
  }
}

function placeOf(issue: v.BaseIssue<unknown>): Said {
  return v.getDotPath(issue) ?? phrase('import-refusal.as-whole');
}

/** Why the engine could not use this rule; undefined where it can. */
export function ruleDefect(rule: Rule): Phrase | undefined {
  try {
    compileRule(rule, 0);
    return undefined;
  } catch (error) {
    return failureOf(error).phrase ?? phrase('import-refusal.rule-defect');
  }
}

/** A match with nothing in its lists but what was given; an empty list would match nothing. */
export function matchOf(parts: RuleMatch): RuleMatch {
  const entries = Object.entries(parts).filter(([, part]) => !Array.isArray(part) || part.length > 0);
  return Object.fromEntries(entries);
}
