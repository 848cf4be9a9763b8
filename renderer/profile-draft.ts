/** What is being typed of one profile, and what is known of it until it is saved. */
import type { WindowValue } from '#shared/contract.ts';
import type { Answer, Failure } from '#shared/failure.ts';
import type { Profile } from '#shared/profile.ts';
import { call } from './bridge.ts';
import { passwordsOf, profileOf, type ProfileForm } from './profile-form.ts';
import { problemsSaid, type SaidProblem } from './profile-problems.ts';

export interface Draft {
  form: ProfileForm;
  /** The form as it was before anything was typed, as text. */
  base: string;
  /** Fields in which something was typed. */
  readonly touched: Set<string>;
  /** Saving was tried: all that is wrong is shown. */
  isTried: boolean;
  isSaving: boolean;
  /** What the engine has said of it. */
  said: readonly SaidProblem[];
  failure: Failure | undefined;
}

/** A form that nothing was typed in yet, unless it differs from `base`. */
export function draftOf(form: ProfileForm, base = JSON.stringify(form)): Draft {
  return {
    ...{ form, base, touched: new Set(), isTried: false, isSaving: false, said: [], failure: undefined },
  };
}

export function isChanged({ form, base }: Draft): boolean {
  return JSON.stringify(form) !== base;
}

/** Saves it; what the engine has against it is kept in the draft, field by field where it names fields. */
export async function saveDraft(
  draft: Draft,
  saved: readonly Profile[],
): Promise<Answer<WindowValue<'profile.save'>>> {
  Object.assign(draft, { isSaving: true, said: [], failure: undefined });
  const { form } = draft;
  const isNew = saved.every(({ id }) => id !== form.id);
  const answer = await call('profile.save', {
    profile: profileOf(form),
    passwords: passwordsOf(form),
    ...(isNew ? { isNew } : {}),
  });
  draft.isSaving = false;
  if (!answer.ok) {
    draft.failure = answer.failure;
    draft.said = problemsSaid(answer.failure, form);
  }
  return answer;
}
