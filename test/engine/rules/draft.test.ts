import { describe, expect, it } from 'vitest';
import type { RuleDraft } from '#shared/rule-protocol.ts';
import { expectRule, ruleOfDraft } from '../../../electron/engine/rules/draft.ts';

const config = { profiles: [], rules: [{ id: 'draft', match: {}, action: 'block' as const }] };
const problems = (draft: Partial<RuleDraft>) => {
  const read = ruleOfDraft(config, { match: {}, action: 'block', ...draft });
  return 'problems' in read ? read.problems : [];
};

describe('a rule that is being written', () => {
  it('is a rule once nothing is wrong with it, with an id that no other one has', () => {
    expect(ruleOfDraft(config, { match: { to: ['a.test'], ports: ['80'] }, action: 'direct' })).toEqual({
      rule: { id: 'draft-2', match: { to: ['a.test'], ports: ['80'] }, action: 'direct' },
    });
  });

  it('has a problem for each entry that cannot be one, with its place', () => {
    expect(problems({ match: { to: ['a.test', '/(/', 'a b'], ports: ['80', '90-80', 'x'] } })).toMatchObject([
      { field: 'to', entry: 1, detail: expect.stringContaining('RE2') as string },
      { field: 'to', entry: 2, detail: expect.stringContaining('is no name') as string },
      { field: 'ports', entry: 1, detail: 'ends before it begins' },
      { field: 'ports', entry: 2, detail: 'is no port or range within 1 to 65535' },
    ]);
    expect(problems({ match: { apps: [] } })).toMatchObject([
      { field: 'apps', detail: 'has no entries, so that it matches nothing' },
    ]);
    expect(problems({ match: { apps: ['x'.repeat(300)] } })).toMatchObject([{ field: 'apps', entry: 0 }]);
    expect(problems({ note: 'x'.repeat(300) })).toMatchObject([
      { field: 'note', detail: 'must have at most 200 characters, found a text of 300 characters' },
    ]);
  });

  it('leads to a profile that is there', () => {
    expect(problems({ action: 'profile', profile: 'direct' })).toEqual([]);
    expect(problems({ action: 'profile' })).toMatchObject([{ field: 'profile' }]);
    expect(problems({ action: 'block', profile: 'direct' })).toMatchObject([{ field: 'profile' }]);
    expect(problems({ match: { profiles: ['gone'] } })).toMatchObject([
      { field: 'profiles', entry: 0, detail: 'there is no profile “gone”' },
    ]);
  });

  it('is refused with the first thing that is wrong when it is to be saved all the same', () => {
    expect(() => {
      expectRule(config, { id: 'r1', match: { ports: ['90-80'] }, action: 'block' });
    }).toThrow(/r1: ports: “90-80” ends before it begins/);
  });
});
