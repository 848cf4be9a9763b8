import { describe, expect, it } from 'vitest';
import { CulvertError } from '#shared/failure.ts';
import type { Rule } from '#shared/profile.ts';
import {
  addRule,
  disableRule,
  enableRule,
  moveRule,
  nextRuleId,
  removeRule,
  removeRules,
} from '../../../electron/engine/rules/edit.ts';

const rules: readonly Rule[] = ['r1', 'r2', 'r3'].map((id) => ({ id, match: {}, action: 'block' }));
const added: Rule = { id: 'new', match: {}, action: 'proxy' };

function idsOf(list: readonly Rule[]): string {
  return list.map(({ id }) => id).join(' ');
}

function codeOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    if (error instanceof CulvertError) return error.failure.code;
    throw error;
  }
  return 'done';
}

describe('a list of rules', () => {
  it('takes a new rule at the end, or at the position that it will have', () => {
    expect(idsOf(addRule(rules, added))).toBe('r1 r2 r3 new');
    expect(idsOf(addRule(rules, added, 1))).toBe('new r1 r2 r3');
    expect(idsOf(addRule(rules, added, 3))).toBe('r1 r2 new r3');
    expect(idsOf(addRule(rules, added, 99))).toBe('r1 r2 r3 new');
  });

  it('moves a rule to the position that it will have', () => {
    expect(idsOf(moveRule(rules, 'r1', 2))).toBe('r2 r1 r3');
    expect(idsOf(moveRule(rules, 'r1', 3))).toBe('r2 r3 r1');
    expect(idsOf(moveRule(rules, 'r3', 1))).toBe('r3 r1 r2');
    expect(idsOf(moveRule(rules, 'r2', 2))).toBe('r1 r2 r3');
  });

  it('turns rules off and on again, which leaves nothing behind', () => {
    const off = disableRule(rules, 'r2');
    expect(off.map(({ isOff }) => isOff)).toEqual([undefined, true, undefined]);
    expect(enableRule(off, 'r2')).toStrictEqual(rules);
    expect(enableRule(rules, 'r2')).toStrictEqual(rules);
  });

  it('loses the one rule that is removed, and stays as it was for those who hold it', () => {
    expect(idsOf(removeRule(rules, 'r2'))).toBe('r1 r3');
    expect(idsOf(rules)).toBe('r1 r2 r3');
  });

  it('loses several at once, or none where one of them is not there', () => {
    expect(idsOf(removeRules(rules, ['r3', 'r1']))).toBe('r2');
    expect(codeOf(() => removeRules(rules, ['r1', 'r9']))).toBe('rule-unknown');
  });

  it('refuses unknown ids and positions that there cannot be', () => {
    for (const edit of [removeRule, enableRule, disableRule]) {
      expect(codeOf(() => edit(rules, 'r9'))).toBe('rule-unknown');
    }
    expect(codeOf(() => moveRule(rules, 'r9', 1))).toBe('rule-unknown');
    for (const position of [0, -1, 1.5, Number.NaN]) {
      expect(codeOf(() => moveRule(rules, 'r1', position))).toBe('option-invalid');
      expect(codeOf(() => addRule(rules, added, position))).toBe('option-invalid');
    }
  });
});

describe('the id of a new rule', () => {
  it('is one that no rule has, beyond the highest', () => {
    expect(nextRuleId([])).toBe('r1');
    expect(nextRuleId(rules)).toBe('r4');
    expect(nextRuleId([{ id: 'r7' }, { id: 'r2' }, { id: 'office' }, { id: 'r08' }, { id: 'xr99' }])).toBe(
      'r8',
    );
  });
});
