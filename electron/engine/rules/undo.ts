/**
 * The last edits of the rules, so that they can be taken back. Must not: take back one when the rules have been
 * changed since, by whomever: that would undo more than was asked for.
 */
import { isDeepStrictEqual } from 'node:util';
import { CulvertError } from '#shared/failure.ts';
import type { Rule } from '#shared/profile.ts';

/** Edits that are kept. Each holds two lists of rules, most of which are the same objects. */
const most = 20;

interface Edit {
  readonly number: number;
  readonly before: readonly Rule[];
  readonly after: readonly Rule[];
}

export class RuleEdits {
  #kept: Edit[] = [];
  #last = 0;

  /** Answers the number by which it can be taken back. */
  keep(before: readonly Rule[], after: readonly Rule[]): number {
    this.#last += 1;
    this.#kept = [...this.#kept.slice(1 - most), { number: this.#last, before, after }];
    return this.#last;
  }

  /** The rules as they were before an edit. Throws `undo-outdated` unless they are now as it left them. */
  before(number: number, now: readonly Rule[]): Rule[] {
    const edit = this.#kept.find((one) => one.number === number);
    if (edit === undefined || !isDeepStrictEqual(edit.after, now)) throw new CulvertError('undo-outdated');
    return [...edit.before];
  }

  forget(number: number): void {
    this.#kept = this.#kept.filter((edit) => edit.number !== number);
  }
}
