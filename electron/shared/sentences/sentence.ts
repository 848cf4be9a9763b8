/** The form of what is said of a failure. */
import type { FailureCode } from '../failure.ts';

export interface Sentence {
  readonly what: string;
  readonly why: string;
  readonly todo: string;
}

/** What a file of this folder holds: the sentences of some failures. */
export type Themed = Readonly<Partial<Record<FailureCode, Sentence>>>;
