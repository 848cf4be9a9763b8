/** What main says by itself, in each language. */
import { expect, test } from 'vitest';
import { describe, failureCodes } from '#shared/failure.ts';
import { languages } from '#shared/contract.ts';
import { wordsIn } from '../../electron/main/locales/index.ts';

test.each(languages)(
  'in %s each failure has its sentence, with where it was and the system’s words',
  (language) => {
    for (const code of failureCodes) {
      const said = wordsIn[language].failure({ code, step: 'a step', detail: 'its words' });
      expect(said).toContain('a step');
      expect(said).toContain('its words');
      expect(said).not.toContain('undefined');
    }
  },
);

test('main’s Chinese is Chinese', () => {
  const failure = { code: 'pkexec-dismissed' } as const;
  expect(wordsIn.en.failure(failure)).toBe(describe(failure));
  expect(wordsIn['zh-CN'].failure(failure)).toMatch(/^[\p{Script=Han}，。“”（）、：；！？ -~]+。$/u);
  expect(wordsIn['zh-CN'].failure(failure)).toMatch(/\p{Script=Han}{4}/u);
});
