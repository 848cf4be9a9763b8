import { expect, test } from 'vitest';
import { sumOfHits } from '../../electron/main/rule-hits.ts';

test('what several engines have counted is added up, and the last time is the latest', () => {
  const sum = sumOfHits([
    { a: { hits: 2, lastAt: 50 }, b: { hits: 1, lastAt: 5 } },
    { a: { hits: 3, lastAt: 40 } },
    {},
  ]);
  expect(sum).toEqual({ a: { hits: 5, lastAt: 50 }, b: { hits: 1, lastAt: 5 } });
  expect(sumOfHits([])).toEqual({});
});
