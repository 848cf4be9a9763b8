/** Quitting: what becomes of the apps that run, as the user wants it. */
import { app } from 'electron';
import type { ShownLane } from '#shared/contract.ts';
import type { Questions } from './questions.ts';

/** Apps that were asked to end have so long, until the user is asked about them. */
const stopMs = 10_000;

interface Wired {
  readonly questions: Questions;
  /** What runs now. */
  readonly lanes: () => readonly ShownLane[];
  /** Asks the apps of a lane to end, or ends them; tells if that fails. */
  readonly stop: (lane: string, force: boolean) => void;
  /** Hears of every change of what runs; the answer takes the listener away again. */
  readonly onChange: (listener: () => void) => () => void;
}

export class Quitting {
  readonly #wired: Wired;

  constructor(wired: Wired) {
    this.#wired = wired;
  }

  /** Ends this program, unless its user would rather not. */
  async quit(): Promise<void> {
    const lanes = this.#wired.lanes();
    const answer = lanes.length === 0 ? 'keep' : await this.#wired.questions.onQuit(lanes);
    if (answer === 'cancel') return;
    if (answer === 'stop' && !(await this.#stopAll())) return;
    app.quit();
  }

  /** Ends all apps, and asks about those that do not; false where the user would rather not quit. */
  async #stopAll(): Promise<boolean> {
    const { lanes, stop, questions } = this.#wired;
    for (const { id } of lanes()) stop(id, false);
    for (;;) {
      await this.#allGone(stopMs);
      if (lanes().length === 0) return true;
      const answer = await questions.onNotStopped(lanes());
      if (answer !== 'force') return answer === 'keep';
      for (const { id } of lanes()) stop(id, true);
    }
  }

  /** Resolves when nothing runs any more, or after so long. */
  async #allGone(withinMs: number): Promise<void> {
    const { lanes, onChange } = this.#wired;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        forget();
        clearTimeout(timer);
        resolve();
      };
      const forget = onChange(() => {
        if (lanes().length === 0) end();
      });
      const timer = setTimeout(end, withinMs);
      if (lanes().length === 0) end();
    });
  }
}
