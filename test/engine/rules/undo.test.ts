import { expect, it } from 'vitest';
import type { Rule } from '#shared/profile.ts';
import { RuleEdits } from '../../../electron/engine/rules/undo.ts';

const list = (...ids: string[]): Rule[] => ids.map((id) => ({ id, match: {}, action: 'block' }));

it('an edit is taken back while the rules are as it left them, whoever has written them since', () => {
  const edits = new RuleEdits();
  const first = edits.keep(list('a', 'b'), list('b'));
  expect(edits.before(first, list('b'))).toEqual(list('a', 'b'));
  expect(() => edits.before(first, list('b', 'c'))).toThrow(/was not taken back/);
  const second = edits.keep(list('b'), list('b', 'c'));
  expect(edits.before(second, list('b', 'c'))).toEqual(list('b'));
  expect(edits.before(first, list('b'))).toEqual(list('a', 'b'));
  edits.forget(first);
  expect(() => edits.before(first, list('b'))).toThrow(/was not taken back/);
});

it('only the last edits are kept', () => {
  const edits = new RuleEdits();
  const numbers = Array.from({ length: 30 }, () => edits.keep(list('a'), list('b')));
  expect(() => edits.before(numbers[0] ?? 0, list('b'))).toThrow();
  expect(edits.before(numbers[29] ?? 0, list('b'))).toEqual(list('a'));
});
