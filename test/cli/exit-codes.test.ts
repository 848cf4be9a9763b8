import { expect, test } from 'vitest';
import { exitOfRun, exitOfVerb } from '../../electron/cli/exit-codes.ts';
import { failureCodes } from '../../electron/shared/failure.ts';

test('run tells a missing command, one that cannot be run, and a failure of Culvert apart', () => {
  expect(exitOfRun('command-not-found')).toBe(127);
  expect(exitOfRun('command-not-executable')).toBe(126);
  expect(exitOfRun('userns-forbidden')).toBe(125);
  expect(exitOfRun('nested-lane')).toBe(125);
});

test('run calls mistakes in its own options usage errors', () => {
  expect(exitOfRun('option-invalid')).toBe(2);
  expect(exitOfRun('proxy-url-invalid')).toBe(2);
});

test('no failure ends run with success or with a number that a command may have used', () => {
  for (const code of failureCodes) expect([2, 125, 126, 127]).toContain(exitOfRun(code));
});

test.each([
  ['option-invalid', 2],
  ['lane-unknown', 3],
  ['proxy-unreachable', 4],
  ['proxy-sign-in-refused', 4],
  ['userns-forbidden', 5],
  ['pkexec-dismissed', 5],
  ['engine-unreachable', 6],
  ['internal', 1],
] as const)('other verbs end with the number of the command line for %s: %d', (code, exit) => {
  expect(exitOfVerb(code)).toBe(exit);
});

test('every failure has a number that is not success', () => {
  for (const code of failureCodes) expect(exitOfVerb(code)).toBeGreaterThan(0);
});
