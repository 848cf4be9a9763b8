/**
 * The installed apps: every desktop entry of the application folders, by the rules of the desktop.
 *
 * Does: look at each folder and file anew, and read only those that have changed since the last look (by inode, size
 * and time of change). Must not: follow a folder out of itself without end, or read what is no regular file.
 */
import { constants } from 'node:fs';
import { access, open, readdir, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { appId } from '#shared/identity.ts';
import { appOf, isDeleted, tryExecOf, type App } from './app.ts';
import { localesOf, maxEntryLength, parseDesktopEntry } from './desktop-entry.ts';
import { applicationFolders } from './folders.ts';

const suffix = '.desktop';
/** The specification has folders below the application folders for vendors; more than these are somebody's mistake. */
const maxDepth = 4;
const maxEntries = 10_000;
/** Files that are looked at together; Node has four threads for them. */
const atOnce = 16;

/** A file that could not be read as an entry, and why. */
export interface SkippedEntry {
  readonly source: string;
  readonly reason: string;
}

interface Known {
  readonly stamp: string;
  /** Undefined where the file is no app. */
  readonly app: App | undefined;
  readonly isDeleted: boolean;
  readonly tryExec: string | undefined;
}

interface Found {
  readonly id: string;
  readonly source: string;
}

export class Catalogue {
  readonly #env: NodeJS.ProcessEnv;
  #known = new Map<string, Known>();
  #skipped: SkippedEntry[] = [];
  #looking: Promise<readonly App[]> | undefined;

  /** Of the session that this environment describes: its folders, its languages, its desktop. */
  constructor(env: NodeJS.ProcessEnv = process.env) {
    this.#env = env;
  }

  /** The apps that menus would show, by name; Culvert itself and its own launchers are left out. */
  async shown(): Promise<App[]> {
    const order = new Intl.Collator(
      localesOf(this.#env).map((name) => name.replaceAll('_', '-').split('@')[0] ?? name),
    );
    const apps = (await this.all()).filter((app) => app.isShown && !app.isLauncher && app.id !== appId);
    return apps.sort((a, b) => order.compare(a.name, b.name) || order.compare(a.id, b.id));
  }

  /** All that can be started, hidden ones and Culvert's launchers too. Two calls at once look once. */
  async all(): Promise<readonly App[]> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** What was passed over at the last look. */
  get skipped(): readonly SkippedEntry[] {
    return this.#skipped;
  }

  async #look(): Promise<readonly App[]> {
    this.#skipped = [];
    const before = this.#known;
    this.#known = new Map();
    const first = new Map<string, Found>();
    for (const folder of applicationFolders(this.#env)) {
      for (const found of await entriesIn(folder, first.size)) {
        if (!first.has(found.id)) first.set(found.id, found);
      }
    }
    const apps = await inBatches([...first.values()], (found) => this.#read(found, before));
    return apps.filter((app) => app !== undefined);
  }

  async #read(found: Found, before: ReadonlyMap<string, Known>): Promise<App | undefined> {
    try {
      const { ino, size, mtimeMs, ctimeMs } = await stat(found.source);
      const stamp = [found.id, ino, size, mtimeMs, ctimeMs].join(' ');
      const last = before.get(found.source);
      const known = last?.stamp === stamp ? last : await this.#parse(found, stamp);
      this.#known.set(found.source, known);
      if (known.app === undefined || known.isDeleted) return undefined;
      return known.tryExec === undefined || (await findProgram(known.tryExec, this.#env)) !== undefined
        ? known.app
        : undefined;
    } catch (error) {
      // One bad entry must not hide all others; it is told beside the list.
      this.#skipped.push({ source: found.source, reason: String(error) });
      return undefined;
    }
  }

  async #parse({ id, source }: Found, stamp: string): Promise<Known> {
    const entry = parseDesktopEntry(await readEntry(source));
    const desktops = (this.#env['XDG_CURRENT_DESKTOP'] ?? '').split(':').filter((name) => name !== '');
    const app = appOf(entry, { id, source, locales: localesOf(this.#env), desktops });
    return { stamp, app, isDeleted: isDeleted(entry), tryExec: tryExecOf(entry) };
  }
}

/** The text of a desktop entry. Throws for what is no regular file or too large, without reading it. */
export async function readEntry(path: string): Promise<string> {
  // A named pipe must not hold us up.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new Error('not a regular file');
    if (found.size > maxEntryLength) throw new Error(`larger than ${maxEntryLength} bytes`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** The entries of one application folder with their ids: the path inside with `-` for `/`, without the suffix. */
async function entriesIn(folder: string, already: number): Promise<Found[]> {
  const found: Found[] = [];
  const visit = async (directory: string, prefix: string, depth: number): Promise<void> => {
    for (const { name, isFolder } of await listing(directory)) {
      if (already + found.length >= maxEntries) return;
      const path = join(directory, name);
      if (isFolder && depth < maxDepth) await visit(path, `${prefix}${name}-`, depth + 1);
      else if (!isFolder && name.endsWith(suffix) && name.length > suffix.length) {
        found.push({ id: `${prefix}${name.slice(0, -suffix.length)}`, source: path });
      }
    }
  };
  await visit(folder, '', 0);
  return found;
}

async function listing(directory: string): Promise<{ name: string; isFolder: boolean }[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    // By name, so that of two files with one id the same always counts. A link to a folder is not entered.
    return entries
      .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    // Most of the folders are not there, and one that cannot be read has no apps for this user.
    return [];
  }
}

async function inBatches<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += atOnce) {
    results.push(...(await Promise.all(items.slice(at, at + atOnce).map(work))));
  }
  return results;
}

/** The executable file that a name in PATH or an absolute path stands for; undefined where there is none. */
export async function findProgram(program: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const places = (env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin').split(':').filter((dir) => isAbsolute(dir));
  const candidates = program.includes('/') ? [program] : places.map((dir) => join(dir, program));
  for (const path of candidates) if (isAbsolute(path) && (await isExecutable(path))) return path;
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    // Not there, or not for this user: PATH goes on.
    return false;
  }
}
