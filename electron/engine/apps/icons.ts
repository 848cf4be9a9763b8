/**
 * Icons of apps by name, as the desktop finds them (Icon Theme Specification 0.13).
 *
 * Does: read each theme's index and each of its directories once, and only as far as a search needs it. Must not:
 * answer what is no regular file, lies outside of the places for icons, or is no picture by its first bytes: a
 * desktop entry may name any path.
 */
import { constants } from 'node:fs';
import { open, readdir, realpath } from 'node:fs/promises';
import { extname, isAbsolute, join } from 'node:path';
import { readEntry } from './catalogue.ts';
import { dataDirs, homeOf } from './folders.ts';
import { parseTheme, sizeDistance, type ThemeDirectory } from './icon-theme.ts';

const iconMimes = {
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.xpm': 'image/x-xpixmap',
} as const;
type Extension = keyof typeof iconMimes;

export interface IconFile {
  /** A regular file, without links in it. */
  readonly path: string;
  /** By its first bytes. `image/x-xpixmap` is what no browser shows. */
  readonly mime: (typeof iconMimes)[Extension];
}

export interface IconOptions {
  /** Name of the user's theme; hicolor is always the last. */
  readonly theme?: string;
  /** Width in pixels. */
  readonly size?: number;
  readonly scale?: number;
}

/** Largest file that counts as an icon. */
export const maxIconBytes = 4 * 1024 * 1024;
const maxThemes = 16;
const lastTheme = 'hicolor';
/** Where programs and their pictures may lie beside the data directories and the user's home. */
const programRoots = [
  '/usr',
  '/opt',
  '/snap',
  '/var/lib/flatpak',
  '/var/lib/snapd',
  '/nix/store',
  '/gnu/store',
];

type Wanted = Required<Pick<IconOptions, 'size' | 'scale'>>;

interface Theme {
  readonly directories: readonly ThemeDirectory[];
  readonly inherits: readonly string[];
}

export class IconThemes {
  readonly #bases: readonly string[];
  readonly #pixmaps: readonly string[];
  readonly #roots: readonly string[];
  readonly #themes = new Map<string, Promise<Theme | undefined>>();
  readonly #indexes = new Map<string, Promise<ReadonlyMap<string, string>>>();
  readonly #listings = new Map<string, Promise<ReadonlyMap<string, Extension>>>();
  readonly #files = new Map<string, Promise<IconFile | undefined>>();

  /** Of the session that this environment describes. What it has read once it does not look at again. */
  constructor(env: NodeJS.ProcessEnv = process.env) {
    const dirs = dataDirs(env);
    this.#bases = [join(homeOf(env), '.icons'), ...dirs.map((dir) => join(dir, 'icons'))];
    this.#pixmaps = [...dirs.map((dir) => join(dir, 'pixmaps')), '/usr/share/pixmaps'];
    this.#roots = [homeOf(env), ...dirs, ...programRoots];
  }

  /** The file for an Icon key: a name, or an absolute path. Undefined where there is none that may be shown. */
  find(icon: string, options: IconOptions = {}): Promise<IconFile | undefined> {
    const wanted = { size: options.size ?? 48, scale: options.scale ?? 1 };
    const theme = options.theme ?? lastTheme;
    const key = `${icon}\0${theme}\0${wanted.size}/${wanted.scale}`;
    const known = this.#files.get(key) ?? this.#find(icon, theme, wanted);
    this.#files.set(key, known);
    return known;
  }

  async #find(icon: string, themeName: string, wanted: Wanted): Promise<IconFile | undefined> {
    if (isAbsolute(icon)) return this.#checked(icon);
    // Names with the extension are a common mistake that desktops forgive.
    const name = icon.replace(/\.(?:png|svg|xpm)$/, '');
    if (name === '' || name.includes('/')) return undefined;
    for (const theme of await this.#lineage(themeName)) {
      const path = (await this.#index(theme, wanted)).get(name);
      const file = path === undefined ? undefined : await this.#checked(path);
      if (file !== undefined) return file;
    }
    return this.#unthemed(name);
  }

  /** The theme, those that it inherits from, and theirs, each once; hicolor last. */
  async #lineage(name: string): Promise<string[]> {
    const order: string[] = [];
    const visit = async (theme: string): Promise<void> => {
      if (order.includes(theme) || theme === lastTheme || order.length >= maxThemes) return;
      order.push(theme);
      for (const parent of (await this.#theme(theme))?.inherits ?? []) await visit(parent);
    };
    await visit(name);
    return [...order, lastTheme];
  }

  #theme(name: string): Promise<Theme | undefined> {
    const known = this.#themes.get(name) ?? this.#readTheme(name);
    this.#themes.set(name, known);
    return known;
  }

  async #readTheme(name: string): Promise<Theme | undefined> {
    if (name.includes('/') || /^\.*$/.test(name)) return undefined;
    for (const base of this.#bases) {
      try {
        return parseTheme(await readEntry(join(base, name, 'index.theme')));
      } catch {
        // A theme has its index in one of the base directories; the others need none.
      }
    }
    return undefined;
  }

  /** The path of each icon of one theme: of the size that is wanted, else of the nearest (LookupIcon). */
  #index(theme: string, wanted: Wanted): Promise<ReadonlyMap<string, string>> {
    const key = `${theme}/${wanted.size}/${wanted.scale}`;
    const known = this.#indexes.get(key) ?? this.#readIndex(theme, wanted);
    this.#indexes.set(key, known);
    return known;
  }

  async #readIndex(name: string, wanted: Wanted): Promise<ReadonlyMap<string, string>> {
    const theme = await this.#theme(name);
    const byDistance = (theme?.directories ?? [])
      .map((directory) => ({ directory, distance: sizeDistance(directory, wanted) }))
      .sort((a, b) => a.distance - b.distance);
    const places = byDistance.flatMap(({ directory, distance }) =>
      this.#bases.map((base) => ({ folder: join(base, name, directory.path), distance })),
    );
    const listings = await Promise.all(places.map(({ folder }) => this.#listing(folder)));
    const best = new Map<string, { distance: number; path: string }>();
    for (const [at, { folder, distance }] of places.entries()) {
      for (const [icon, extension] of listings[at] ?? []) {
        const before = best.get(icon);
        // Of two that fit equally a picture without a fixed size is the better one.
        if (
          before === undefined ||
          (extension === '.svg' && before.distance === distance && !before.path.endsWith('.svg'))
        )
          best.set(icon, { distance, path: join(folder, icon + extension) });
      }
    }
    return new Map([...best].map(([icon, { path }]) => [icon, path]));
  }

  async #unthemed(name: string): Promise<IconFile | undefined> {
    for (const folder of [...this.#bases, ...this.#pixmaps]) {
      const extension = (await this.#listing(folder)).get(name);
      const file = extension === undefined ? undefined : await this.#checked(join(folder, name + extension));
      if (file !== undefined) return file;
    }
    return undefined;
  }

  /** Names of the icons in a directory, each with the best of the extensions that it has. */
  #listing(folder: string): Promise<ReadonlyMap<string, Extension>> {
    const known = this.#listings.get(folder) ?? listIcons(folder);
    this.#listings.set(folder, known);
    return known;
  }

  async #checked(path: string): Promise<IconFile | undefined> {
    try {
      const real = await realpath(path);
      if (!this.#roots.some((root) => real.startsWith(`${root}/`))) return undefined;
      const mime = await mimeOf(real);
      return mime === undefined ? undefined : { path: real, mime };
    } catch {
      // A link to nowhere, or not for this user: there is no such icon then.
      return undefined;
    }
  }
}

async function listIcons(folder: string): Promise<ReadonlyMap<string, Extension>> {
  const found = new Map<string, Extension>();
  try {
    for (const file of await readdir(folder)) {
      const extension = extname(file);
      if (!isExtension(extension)) continue;
      const name = file.slice(0, -extension.length);
      const before = found.get(name);
      if (before === undefined || rank(extension) < rank(before)) found.set(name, extension);
    }
  } catch {
    // Themes name directories that a base does not have.
  }
  return found;
}

function isExtension(extension: string): extension is Extension {
  return Object.hasOwn(iconMimes, extension);
}

/** SVG before PNG before XPM. */
function rank(extension: Extension): number {
  return Object.keys(iconMimes).indexOf(extension);
}

/** What a file is by its first bytes; undefined for what is no icon. Reads only regular files. */
async function mimeOf(path: string): Promise<IconFile['mime'] | undefined> {
  // Opened without waiting: a named pipe must not hold us up.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (!found.isFile() || found.size > maxIconBytes) return undefined;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1024), 0, 1024, 0);
    return pictureOf(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

function pictureOf(head: Buffer): IconFile['mime'] | undefined {
  if (head.subarray(0, 8).equals(Buffer.from('89504e470d0a1a0a', 'hex'))) return 'image/png';
  const text = head
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart();
  if (text.startsWith('/* XPM */')) return 'image/x-xpixmap';
  return /^<(?:svg[\s>]|\?xml|!DOCTYPE svg|!--)/i.test(text) ? 'image/svg+xml' : undefined;
}
