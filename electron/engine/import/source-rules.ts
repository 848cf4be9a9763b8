/**
 * Rules of programs that have one list of them for everything, here put under one profile.
 *
 * Whoever runs an app with that profile gets the rules; the other profiles of the import stay plain. The carrier is
 * the profile that the source's last word (the rule for everything) names. Is that word “directly” or “refuse”, a
 * profile of its own says so.
 *
 * Must not: send out directly what the source would have sent to a proxy. A rule that is lost may be one that kept
 * something from the rule for everything; if that one goes direct, it is written down but switched off.
 */
import { phrase, type Phrase, type Said } from '#shared/phrase.ts';
import type { RuleMatch } from '#shared/profile.ts';
import type { Draft } from './result.ts';

export type Target =
  { readonly kind: 'direct' | 'block' } | { readonly kind: 'profile'; readonly id: string };

export interface SourceRule {
  readonly line: number;
  /** As it stands in the table. */
  readonly text: Said;
  readonly note?: string | undefined;
  readonly isOff?: boolean | undefined;
  /** Empty for everything. */
  readonly match: RuleMatch;
  readonly target: Target;
}

export interface SourceRules {
  /** Of the source, for a profile of its own. */
  readonly name: string;
  readonly rules: readonly SourceRule[];
  /** The first line of a rule that could not be taken and would not have gone direct. */
  readonly lostLine: number | undefined;
}

/** Writes the rules into the draft, and says of each what became of it. */
export function placeRules(draft: Draft, { name, rules, lostLine }: SourceRules): void {
  const last = rules.findIndex((rule) => rule.isOff !== true && Object.keys(rule.match).length === 0);
  const reached = last === -1 ? rules : rules.slice(0, last);
  const final = last === -1 ? undefined : rules[last];
  const unreached = last === -1 ? [] : rules.slice(last + 1);
  for (const { line, text } of unreached) draft.say(line, 'skipped', text, phrase('import.after-final'));
  if (draft.profiles.length === 0) {
    const taken = final === undefined ? reached : [...reached, final];
    for (const { line, text } of taken) draft.say(line, 'skipped', text, phrase('import.no-proxy-for-rules'));
    return;
  }
  const isUnsafe = final?.target.kind === 'direct' && lostLine !== undefined;
  const carrier = carrierOf(draft, name, reached, isUnsafe ? undefined : final);
  for (const rule of reached) placeRule(draft, carrier, rule);
  if (final === undefined) {
    if (rules.length > 0) draft.say(0, 'note', name, phrase('import.through-profile'));
  } else if (isUnsafe) {
    const reason = phrase('import.switched-off', { line: lostLine });
    placeRule(draft, carrier, { ...final, isOff: true }, reason);
  } else draft.say(final.line, 'taken', final.text, phrase('import.final-rule', { id: carrier }));
  sayAddresses(draft, name, reached, isUnsafe ? undefined : final);
}

/** The id of the profile that the rules are for. */
function carrierOf(
  draft: Draft,
  name: string,
  rules: readonly SourceRule[],
  final: SourceRule | undefined,
): string {
  if (final === undefined) {
    const used = rules.map(({ target }) => target).find((target) => target.kind === 'profile');
    return used?.id ?? draft.profiles[0]?.id ?? '';
  }
  const { target } = final;
  return target.kind === 'profile'
    ? target.id
    : draft.addProfile({ name, servers: [], action: target.kind }).id;
}

function placeRule(draft: Draft, carrier: string, rule: SourceRule, reason?: Phrase): void {
  const { target } = rule;
  const isOwn = target.kind === 'profile' && target.id === carrier;
  const action = isOwn ? ('proxy' as const) : target.kind;
  draft.addRule({
    name: `${carrier.slice(0, 20)}-rule`,
    ...(rule.note !== undefined && rule.note !== '' && { note: rule.note }),
    ...(rule.isOff === true && { isOff: true }),
    match: { ...rule.match, profiles: [carrier] },
    action,
    ...(target.kind === 'profile' && !isOwn && { profile: target.id }),
  });
  draft.say(rule.line, 'taken', rule.text, reason);
}

/** Ranges match what an app addresses by number; under a profile that goes direct that is worth knowing. */
function sayAddresses(
  draft: Draft,
  name: string,
  rules: readonly SourceRule[],
  final: SourceRule | undefined,
): void {
  const isRange = (to: string): boolean => /^[0-9a-f:.]+(\/[0-9]+)?$/i.test(to) && /[:/]|^[0-9.]+$/.test(to);
  const hasRanges = rules.some(
    ({ match, target }) => target.kind !== 'direct' && match.to?.some(isRange) === true,
  );
  if (final?.target.kind !== 'direct' || !hasRanges) return;
  draft.say(0, 'note', name, phrase('import.ranges-by-number'));
}
