/**
 * Taking profiles and rules from elsewhere: first a trial that shows what would become of each line, then the import.
 *
 * Must not: change anything before its user has seen the trial.
 */
import { defineStore } from 'pinia';
import { shallowRef } from 'vue';
import type { WindowParams, WindowValue } from '#shared/contract.ts';
import type { Failure } from '#shared/failure.ts';
import { call } from '../bridge.ts';
import { useNotices } from './notices.ts';
import { useProfileDrafts } from './profile-drafts.ts';
import { useProfiles } from './profiles.ts';

export type ImportSource = WindowParams<'profile.import'>['from'];
export type ImportResult = WindowValue<'profile.import'>;

export type ImportStep =
  /** To be typed, pasted or chosen; a failure is about what was last tried. */
  | { readonly kind: 'asked'; readonly text: string; readonly failure?: Failure }
  | { readonly kind: 'reading'; readonly from: ImportSource }
  | { readonly kind: 'trial'; readonly from: ImportSource; readonly result: ImportResult }
  | { readonly kind: 'taking'; readonly from: ImportSource; readonly result: ImportResult }
  | { readonly kind: 'done'; readonly result: ImportResult };

/** Longest text that is pasted; a file may be longer. */
const mostPasted = 900_000;

export const useProfileImport = defineStore('profile-import', () => {
  const step = shallowRef<ImportStep>();

  /** Asks what to import. */
  function ask(text = ''): void {
    step.value = { kind: 'asked', text };
  }

  function dismiss(): void {
    step.value = undefined;
  }

  /** Shows what a text or a file would bring. */
  async function read(from: ImportSource): Promise<void> {
    const text = from.kind === 'text' ? from.text : '';
    if (text.length > mostPasted) {
      const detail = `${text.length} > ${mostPasted}`;
      step.value = { kind: 'asked', text: '', failure: { code: 'import-invalid', detail } };
      return;
    }
    const reading: ImportStep = { kind: 'reading', from };
    step.value = reading;
    const answer = await call('profile.import', { from, isTrial: true });
    // Its user has turned away meanwhile.
    if (step.value !== reading) return;
    step.value = answer.ok
      ? { kind: 'trial', from, result: answer.value }
      : { kind: 'asked', text, failure: answer.failure };
  }

  /** Takes what the trial has shown; the first of the profiles is shown next. */
  async function take(): Promise<void> {
    const seen = step.value;
    if (seen?.kind !== 'trial') return;
    const { from, result } = seen;
    step.value = { kind: 'taking', from, result };
    const answer = await call('profile.import', { from, isTrial: false });
    if (!answer.ok) {
      const text = from.kind === 'text' ? from.text : '';
      step.value = { kind: 'asked', text, failure: answer.failure };
      return;
    }
    await useProfiles().load();
    const [first] = answer.value.profiles;
    if (first?.id !== undefined) useProfileDrafts().select(first.id);
    step.value = { kind: 'done', result: answer.value };
  }

  async function chooseFile(): Promise<void> {
    const answer = await call('file.choose', {});
    if (!answer.ok) useNotices().fail(answer.failure);
    else if (answer.value !== null) await read({ kind: 'file', path: answer.value });
  }

  return { step, ask, dismiss, read, take, chooseFile };
});
