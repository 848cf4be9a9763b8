/** What a test or a check has found so far, line by line, and what that comes to. Pure but for the clock it is given. */
import { failureOf, type Failure } from '#shared/failure.ts';
import { checkStages, type CheckLine, type CheckReport, type CheckStage } from '#shared/model.ts';
import { inEnglish, phrase, type Phrase, type Said } from '#shared/phrase.ts';

export type Outcome = CheckLine['outcome'];

/** What belongs to a line beside its sentence. */
export interface Extras {
  readonly ms?: number | undefined;
  readonly failure?: Failure | undefined;
}

export class Findings {
  readonly lines: CheckLine[] = [];
  exitAddress: string | undefined;
  readonly #onLine: (line: CheckLine) => void;

  /** `onLine` hears of each line when it is found. */
  constructor(onLine: (line: CheckLine) => void = () => {}) {
    this.#onLine = onLine;
  }

  add(stage: CheckStage, outcome: Outcome, said: Phrase, { ms, failure }: Extras = {}): void {
    const line: CheckLine = {
      stage,
      outcome,
      ...(ms === undefined ? {} : { ms }),
      text: inEnglish(said),
      phrase: said,
      ...(failure === undefined ? {} : { failure: { ...failure } }),
    };
    this.lines.push(line);
    this.#onLine(line);
  }

  /** A line about something that was thrown. Answers its failure. */
  failed(stage: CheckStage, error: unknown, ms: number): Failure {
    const failure = failureOf(error);
    this.add(stage, 'failed', shortly(failure), { ms, failure });
    return failure;
  }

  /** Puts the lines in the order of the stages. */
  sort(): void {
    this.lines.sort((one, other) => checkStages.indexOf(one.stage) - checkStages.indexOf(other.stage));
  }

  report(): CheckReport {
    const { exitAddress } = this;
    return {
      outcome: worstOf(this.lines),
      ...(exitAddress === undefined ? {} : { exitAddress }),
      lines: this.lines,
    };
  }
}

/** What is wrong, shortly: the failure's own figures in place of its advice. */
export function shortly(failure: Failure): Phrase {
  return phrase('test.failed', { failure });
}

/** A failure's own figures, or its code where it has none. */
export function reasonOf({ code, detail, phrase: said }: Failure): Said {
  return said ?? detail ?? code;
}

/**
 * A leak before a failure before something unknown. What is refused is as it should be; but where nothing was found
 * out at all, that is no reason to be content.
 */
export function worstOf(lines: readonly CheckLine[]): CheckReport['outcome'] {
  const found = new Set(lines.map(({ outcome }) => outcome));
  for (const outcome of ['leak', 'failed', 'unknown'] as const) if (found.has(outcome)) return outcome;
  return found.has('ok') ? 'ok' : 'unknown';
}

/** Milliseconds since a moment of `performance.now`, whole. */
export function since(begin: number): number {
  return Math.round(performance.now() - begin);
}
