import { expect, test } from 'vitest';
import { CulvertError, describe, failureCodes, failureOf } from '#shared/failure.ts';

test.each(failureCodes)('%s says what happened, why, and what to do', (code) => {
  const parts = describe({ code }).split(' — ');
  expect(parts).toHaveLength(3);
  for (const part of parts) expect(part.trim().length).toBeGreaterThan(5);
});

test('step and detail stand where they help', () => {
  expect(describe({ code: 'launch-failed', step: 'netns', detail: 'EPERM' })).toMatch(
    /^the app did not start at “netns” — .* \(EPERM\) — /,
  );
});

test('an error keeps its failure, and what is not ours becomes internal', () => {
  const error = new CulvertError('tool-missing', { detail: 'nft' });
  expect(failureOf(error)).toEqual({ code: 'tool-missing', detail: 'nft' });
  expect(failureOf(new Error('odd'))).toEqual({ code: 'internal', detail: 'odd' });
  expect(failureOf('text')).toEqual({ code: 'internal', detail: 'text' });
});
