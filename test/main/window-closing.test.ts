/** What closing the window means, as the user wants it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Preferences } from '#shared/contract.ts';
import { wordsIn } from '../../electron/main/locales/index.ts';
import type { Notice } from '../../electron/main/notices.ts';
import { WindowClosing, type ClosingParts } from '../../electron/main/window-closing.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'culvert-closing-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

type Chosen = Awaited<ReturnType<ClosingParts['questions']['onClose']>>;

function closing(closeButton: Preferences['closeButton'], answer?: Chosen, hasIcon = true) {
  const told: (Notice | undefined)[] = [];
  const kept: string[] = [];
  const preferences = {
    now: { closeButton },
    set: (change: Partial<Preferences>) => {
      kept.push(change.closeButton ?? '');
      return change;
    },
  };
  const questions = { onClose: vi.fn(() => Promise.resolve(answer as Chosen)) };
  const parts = {
    ...{ preferences, questions, window: { send: () => undefined }, words: () => wordsIn.en },
    notifications: { tell: (notice: Notice | undefined) => told.push(notice) },
    hasIcon: () => Promise.resolve(hasIcon),
    keptAt: join(dir, 'told.json'),
  };
  return { closing: new WindowClosing(parts as unknown as ClosingParts), told, kept, questions };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('hides the window, and says once where Culvert is', async () => {
  const { closing: one, told } = closing('hide');
  expect([await one.ask(), await one.ask()]).toEqual(['hide', 'hide']);
  await turn();
  expect(told).toEqual([expect.objectContaining({ kind: 'background' })]);
});

test('quits where that is wanted, and where a hidden window could not be found again', async () => {
  expect(await closing('quit').closing.ask()).toBe('quit');
  const { closing: lost, questions, told } = closing('ask', undefined, false);
  expect(await lost.ask()).toBe('quit');
  await turn();
  expect(questions.onClose).not.toHaveBeenCalled();
  expect(told).toEqual([]);
});

test.each([
  ['hide', false, []],
  ['quit', true, ['quit']],
  ['hide', true, ['hide']],
  ['stay', true, []],
] as const)('asks, and does what is answered: %s, remembered %s', async (chosen, isRemembered, kept) => {
  const asked = closing('ask', { chosen, isRemembered });
  expect(await asked.closing.ask()).toBe(chosen);
  expect(asked.kept).toEqual(kept);
});

test('asks one question at a time', async () => {
  const asked = closing('ask', { chosen: 'hide', isRemembered: false });
  expect(await Promise.all([asked.closing.ask(), asked.closing.ask()])).toContain('stay');
  expect(asked.questions.onClose).toHaveBeenCalledTimes(1);
});
