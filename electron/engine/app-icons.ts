/** Icons of apps as bytes, for a window that reads no files of others itself. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { maxIconBytes } from '#shared/app-protocol.ts';
import { chosenTheme, IconThemes, type IconFile } from './apps/index.ts';

/** After this time themes and icons are looked at anew: apps are installed, and users choose other themes. */
const freshMs = 30_000;
/** What is kept until then, so that a list that is shown again is not read again; most icons have a few thousand bytes. */
const maxKept = { icons: 1000, bytes: 64 * 1024 };

export interface Icon {
  readonly mime: 'image/svg+xml' | 'image/png';
  readonly bytes: Buffer;
}

export class AppIcons {
  readonly #env: NodeJS.ProcessEnv;
  #themes: IconThemes;
  /** By their paths. */
  readonly #kept = new Map<string, Icon>();
  #chosen: Promise<string>;
  #readAt = performance.now();

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
    this.#themes = new IconThemes(env);
    this.#chosen = chosenTheme(env);
  }

  /** The icon of this name or path; undefined where there is none, or only one that is too large or no picture. */
  async read(icon: string, size: number, scale: number): Promise<Icon | undefined> {
    if (performance.now() - this.#readAt > freshMs) {
      this.#themes = new IconThemes(this.#env);
      this.#chosen = chosenTheme(this.#env);
      this.#kept.clear();
      this.#readAt = performance.now();
    }
    const found = await this.#themes.find(icon, { theme: await this.#chosen, size, scale });
    if (found === undefined) return undefined;
    const read = this.#kept.get(found.path) ?? (await readIcon(found));
    const isSmall = read !== undefined && read.bytes.length <= maxKept.bytes;
    if (isSmall && this.#kept.size < maxKept.icons) this.#kept.set(found.path, read);
    return read;
  }
}

async function readIcon({ path, mime }: IconFile): Promise<Icon | undefined> {
  if (mime === 'image/x-xpixmap') return undefined;
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    try {
      const found = await file.stat();
      if (!found.isFile() || found.size > maxIconBytes) return undefined;
      const bytes = await file.readFile();
      return bytes.length > maxIconBytes ? undefined : { mime, bytes };
    } finally {
      await file.close();
    }
  } catch {
    // It has gone since it was found: the app is shown without.
    return undefined;
  }
}
