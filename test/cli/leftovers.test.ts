import { describe, expect, test } from 'vitest';
import { sentenceOf, settledWithin } from '../../electron/cli/leftovers.ts';

describe('who is left', () => {
  test('is named with process ids, four at most', () => {
    const many = [1, 2, 3, 4, 5, 6].map((pid) => ({ pid, name: `p${pid}` }));
    expect(sentenceOf(many.slice(0, 1))).toBe('p1 (1)');
    expect(sentenceOf(many)).toBe('p1 (1), p2 (2), p3 (3), p4 (4) and 2 more');
  });

  test('is still a sentence when nobody could be asked', () => {
    expect(sentenceOf([])).toBe('a process');
  });
});

test('waiting ends with the promise, failed or not, or with the time', async () => {
  expect(await settledWithin(Promise.resolve(), 10_000)).toBe(true);
  expect(await settledWithin(Promise.reject(new Error('expected')), 10_000)).toBe(true);
  expect(await settledWithin(new Promise(() => undefined), 1)).toBe(false);
});
