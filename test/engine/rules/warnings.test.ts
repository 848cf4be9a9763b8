import { describe, expect, it } from 'vitest';
import { parse } from 'valibot';
import { config as schema, type Rule } from '#shared/profile.ts';
import { leavesProxy, ruleWarnings } from '../../../electron/engine/rules/warnings.ts';

const profiles = parse(schema, {
  version: 1,
  profiles: [
    { id: 'work', name: 'Work' },
    { id: 'open', name: 'Open', action: 'direct' },
  ],
}).profiles;

const rule = (id: string, more: Partial<Rule>): Rule => ({ id, match: {}, action: 'block', ...more });

describe('the warnings of rules', () => {
  it('name what shadows a rule, what never matches, and what goes out directly; nothing else is there', () => {
    const rules = [
      rule('wide', { match: { to: ['.example.test'] } }),
      rule('narrow', { match: { to: ['a.example.test'] }, action: 'direct' }),
      rule('empty', { match: { apps: [] } }),
      rule('off', { action: 'direct', isOff: true }),
    ];
    expect(Object.fromEntries(ruleWarnings({ profiles, rules }))).toMatchObject({
      narrow: [{ kind: 'shadowed', by: ['wide'] }, { kind: 'direct' }],
      empty: [{ kind: 'invalid', detail: 'apps: the list is empty' }],
    });
    expect([...ruleWarnings({ profiles, rules }).keys()].toSorted()).toEqual(['empty', 'narrow']);
  });

  it('say that a profile without a proxy leaves it as well, and that one which has none loses nothing', () => {
    const leaves = (more: Partial<Rule>) => leavesProxy({ profiles }, rule('r', more));
    expect(leaves({ action: 'direct' })).toBe(true);
    expect(leaves({ action: 'profile', profile: 'direct' })).toBe(true);
    expect(leaves({ action: 'profile', profile: 'work' })).toBe(false);
    expect(leaves({ action: 'proxy' })).toBe(false);
    expect(leaves({ action: 'direct', match: { profiles: ['open', 'direct'] } })).toBe(false);
    expect(leaves({ action: 'direct', match: { profiles: ['open', 'none'] } })).toBe(true);
  });
});
