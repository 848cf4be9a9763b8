/** What people should know of their rules: that one can never decide, or lets connections out beside the proxy. Pure. */
import { findProfile, type Config, type Rule } from '#shared/profile.ts';
import type { RuleWarning } from '#shared/rule-protocol.ts';
import { detailOf } from '../detail.ts';
import { shadows } from './shadow.ts';

/** By the ids of the rules; those with nothing to be said, and those that are off, are not there. */
export function ruleWarnings(config: Pick<Config, 'profiles' | 'rules'>): Map<string, RuleWarning[]> {
  const found = new Map<string, RuleWarning[]>();
  const add = (rule: string, warning: RuleWarning): void => {
    const known = found.get(rule);
    if (known === undefined) found.set(rule, [warning]);
    else known.push(warning);
  };
  for (const shadow of shadows(config.rules)) {
    if (shadow.kind === 'shadowed') add(shadow.rule, { kind: 'shadowed', by: [shadow.by] });
    else add(shadow.rule, { kind: 'invalid', ...detailOf(shadow.why) });
  }
  for (const rule of config.rules) {
    if (rule.isOff !== true && leavesProxy(config, rule)) add(rule.id, { kind: 'direct' });
  }
  return found;
}

/** Whether it lets connections out directly that would else be proxied or refused. */
export function leavesProxy(config: Pick<Config, 'profiles'>, { action, profile, match }: Rule): boolean {
  const goesTo = profile === undefined ? undefined : findProfile(config, profile)?.action;
  if (action !== 'direct' && (action !== 'profile' || goesTo !== 'direct')) return false;
  return match.profiles?.every((id) => findProfile(config, id)?.action === 'direct') !== true;
}
