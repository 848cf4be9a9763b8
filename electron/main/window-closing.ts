/**
 * What the window's close button does: hide the window, or quit, as the user wants it or is asked about it.
 *
 * Does: quit where the desktop shows no status icon, since a hidden window must be one that the user finds again; say
 * once where Culvert is while its window is hidden.
 */
import * as v from 'valibot';
import { readKept, writeKept } from './kept-file.ts';
import type { Words } from './locales/words.ts';
import type { Notifications } from './notifications.ts';
import type { KeptPreferences } from './preferences.ts';
import type { Questions } from './questions.ts';
import type { Closing, MainWindow } from './window.ts';

const kept = v.object({ wasTold: v.optional(v.boolean(), false) });

export interface ClosingParts {
  /** Whether there is a status icon to be found by, asked anew. */
  readonly hasIcon: () => Promise<boolean>;
  readonly preferences: KeptPreferences;
  readonly questions: Pick<Questions, 'onClose'>;
  readonly notifications: Pick<Notifications, 'tell'>;
  readonly window: Pick<MainWindow, 'send'>;
  readonly words: () => Words;
  /** The file for what was told once. */
  readonly keptAt: string;
}

export class WindowClosing {
  readonly #parts: ClosingParts;
  #isAsking = false;

  constructor(parts: ClosingParts) {
    this.#parts = parts;
  }

  /** The user closes the window: what becomes of it. */
  async ask(): Promise<Closing> {
    if (!(await this.#parts.hasIcon())) return 'quit';
    const wanted = this.#parts.preferences.now.closeButton;
    const how = wanted === 'ask' ? await this.#choose() : wanted;
    if (how === 'hide') this.#tellOnce();
    return how;
  }

  /** One question at a time: the button can be pressed while it is open. */
  async #choose(): Promise<Closing> {
    if (this.#isAsking) return 'stay';
    this.#isAsking = true;
    try {
      const { chosen, isRemembered } = await this.#parts.questions.onClose();
      if (chosen !== 'stay' && isRemembered) this.#keep(chosen);
      return chosen;
    } finally {
      this.#isAsking = false;
    }
  }

  #keep(closeButton: 'hide' | 'quit'): void {
    const { preferences, window } = this.#parts;
    try {
      window.send('preferences', preferences.set({ closeButton }));
    } catch {
      // A full or read-only disk has it asked again, which is better than not closing.
    }
  }

  #tellOnce(): void {
    const { keptAt, notifications, words } = this.#parts;
    if (readKept(keptAt, kept).wasTold) return;
    const { background, backgroundText } = words().notice;
    setImmediate(() => {
      notifications.tell({ kind: 'background', title: background, text: backgroundText });
    });
    try {
      writeKept(keptAt, { wasTold: true });
    } catch {
      // A full or read-only disk has it told once more, which is better than not at all.
    }
  }
}
