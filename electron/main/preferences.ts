/** What the user chose of the window's looks: kept in a file, and told to Chromium as far as it is its business. */
import { nativeTheme } from 'electron';
import { preferences, type Preferences, type WindowParams } from '#shared/contract.ts';
import { readKept, writeKept } from './kept-file.ts';

export class KeptPreferences {
  readonly #path: string;
  #now: Preferences;

  constructor(path: string) {
    this.#path = path;
    this.#now = readKept(path, preferences);
    nativeTheme.themeSource = this.#now.theme;
  }

  get now(): Preferences {
    return this.#now;
  }

  /** Changes what is given and keeps the rest. Throws what the system says when it cannot be written. */
  set(change: WindowParams<'preferences.set'>): Preferences {
    const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
    this.#now = { ...this.#now, ...given };
    nativeTheme.themeSource = this.#now.theme;
    writeKept(this.#path, this.#now);
    return this.#now;
  }
}
