import { expect, test } from 'vitest';
import type { CheckLine, CheckReport } from '#shared/model.ts';
import { ProfileTests } from '../../../electron/engine/profiles/profile-tests.ts';

const line: CheckLine = { stage: 'reach', outcome: 'ok', text: 'it answers' };
const done: CheckReport = { outcome: 'ok', lines: [line] };
const asker = {};
const never = new AbortController().signal;

/** A test that finds one line and then goes on until it is ended. */
function endless(signal: AbortSignal, onLine: (found: CheckLine) => void): Promise<CheckReport> {
  onLine(line);
  return new Promise((_resolve, reject) => {
    const end = (): void => {
      onLine({ ...line, text: 'too late' });
      reject(new Error('aborted'));
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end);
  });
}

test('a test that is done answers its report, and one that fails its failure', async () => {
  const tests = new ProfileTests();
  expect(await tests.run(asker, 'a', never, () => Promise.resolve(done))).toBe(done);
  await expect(tests.run(asker, 'a', never, () => Promise.reject(new Error('no chain')))).rejects.toThrow(
    'no chain',
  );
});

test('one that is ended answers what it has found until then', async () => {
  const tests = new ProfileTests();
  const running = tests.run(asker, 'a', never, endless);
  tests.end(asker, 'b');
  tests.end({}, 'a');
  tests.end(asker, 'a');
  expect(await running).toEqual({ outcome: 'unknown', lines: [line] });
  tests.end(asker, 'a');
});

test('one ends with whoever asked for it, with another of its name, and with the engine', async () => {
  const tests = new ProfileTests();
  const gone = new AbortController();
  const first = tests.run(asker, 'a', gone.signal, endless);
  gone.abort();
  expect(await first).toMatchObject({ outcome: 'unknown' });
  const second = tests.run(asker, 'a', never, endless);
  const third = tests.run(asker, 'a', never, endless);
  const other = tests.run({}, 'a', never, endless);
  expect(await second).toMatchObject({ outcome: 'unknown' });
  tests.close();
  expect((await Promise.all([third, other])).map(({ outcome }) => outcome)).toEqual(['unknown', 'unknown']);
});
