/** What main asks its user by itself, and what it tells in answer to a click outside of the window. */
import { dialog } from 'electron';
import type { ShownLane } from '#shared/contract.ts';
import type { Failure } from '#shared/failure.ts';
import type { CheckReport } from '#shared/model.ts';
import type { Words } from './locales/words.ts';
import { namesOf } from './notices.ts';

type Question = Pick<Electron.MessageBoxOptions, 'message' | 'detail' | 'buttons' | 'checkboxLabel'>;

export class Questions {
  readonly #words: () => Words;

  constructor(words: () => Words) {
    this.#words = words;
  }

  /** Whether these apps may use the normal connection. */
  async mayTurnOff(lanes: readonly ShownLane[]): Promise<boolean> {
    const { ask } = this.#words();
    const message = ask.proxyOff(namesOf(lanes));
    return (
      (await choose({ message, detail: ask.proxyOffDetail, buttons: [ask.cancel, ask.proxyOffYes] })) === 1
    );
  }

  /** Whether these apps may be blocked, although they cannot have their proxy back. */
  async mayBlock(lanes: readonly ShownLane[]): Promise<boolean> {
    const { ask } = this.#words();
    const message = ask.typed(namesOf(lanes));
    return (await choose({ message, detail: ask.typedDetail, buttons: [ask.cancel, ask.typedYes] })) === 1;
  }

  /** What becomes of apps that run when Culvert is quit. */
  async onQuit(lanes: readonly ShownLane[]): Promise<'cancel' | 'keep' | 'stop'> {
    const { ask } = this.#words();
    const message = ask.quit(lanes.length);
    const detail = ask.quitDetail(namesOf(lanes));
    const chosen = await choose({ message, detail, buttons: [ask.cancel, ask.keepRunning, ask.stopApps] });
    return (['cancel', 'keep', 'stop'] as const)[chosen] ?? 'cancel';
  }

  /** What becomes of apps that have not ended although they were asked to. */
  async onNotStopped(lanes: readonly ShownLane[]): Promise<'cancel' | 'keep' | 'force'> {
    const { ask } = this.#words();
    const message = ask.notStopped(namesOf(lanes));
    const detail = ask.notStoppedDetail;
    const chosen = await choose({ message, detail, buttons: [ask.cancel, ask.keepRunning, ask.force] });
    return (['cancel', 'keep', 'force'] as const)[chosen] ?? 'cancel';
  }

  /** What closing the window means now, and whether it means that from now on. */
  async onClose(): Promise<{ chosen: 'stay' | 'hide' | 'quit'; isRemembered: boolean }> {
    const { ask } = this.#words();
    const { response, checkboxChecked } = await show({
      ...{ message: ask.closing, detail: ask.closingDetail, checkboxLabel: ask.remember },
      buttons: [ask.cancel, ask.quitWindow, ask.hide],
    });
    const chosen = (['stay', 'quit', 'hide'] as const)[response] ?? 'stay';
    return { chosen, isRemembered: checkboxChecked };
  }

  /** Tells that what was asked of an app did not work. */
  async failed(app: string, failure: Failure): Promise<void> {
    const { ask, failure: sentenceOf } = this.#words();
    await choose({ message: ask.failed(app), detail: sentenceOf(failure), buttons: [ask.close] });
  }

  async checked(app: string, { outcome, lines }: CheckReport): Promise<void> {
    const { ask, said } = this.#words();
    const detail = lines.map(said).join('\n');
    await choose({ message: ask.checked(app, outcome), detail, buttons: [ask.close] });
  }
}

/** The number of the button; the first one is what Esc and closing the box stand for. */
async function choose(question: Question): Promise<number> {
  return (await show(question)).response;
}

function show(question: Question): Promise<Electron.MessageBoxReturnValue> {
  return dialog.showMessageBox({
    type: 'question',
    title: 'Culvert',
    ...question,
    cancelId: 0,
    defaultId: 0,
    noLink: true,
  });
}
