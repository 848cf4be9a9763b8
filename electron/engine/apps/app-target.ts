/**
 * What a path is that somebody drops on the window or types: an app of which kind, or no app, and why.
 *
 * Does: look at the file itself, at the end of all links. Must not: start it, change it (`makeExecutable` is asked
 * for by its own name), or trust where a path seems to lie.
 */
import { constants } from 'node:fs';
import { access, open, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CulvertError } from '#shared/failure.ts';
import { appOf, type App } from './app.ts';
import { readEntry } from './catalogue.ts';
import { localesOf, parseDesktopEntry } from './desktop-entry.ts';
import { execArgvs, isUrl } from './exec.ts';
import { fileKind, headBytes, refusals, type RefusedKind } from './file-kind.ts';
import { applicationFolders } from './folders.ts';
import { isTrusted, markOf } from './trust.ts';

export type AppTarget =
  /** A desktop entry. What lies outside of the application folders is started only once its user trusts it. */
  | {
      readonly kind: 'entry';
      readonly app: App;
      readonly needsTrust: boolean;
      readonly command: readonly string[];
      /** Stands for the text that was read, for `trustEntry`. */
      readonly mark: string;
    }
  | {
      readonly kind: 'program';
      readonly format: 'elf' | 'appimage' | 'script';
      /** As it was named, absolute: programs read their own name. */
      readonly path: string;
      /** At the end of all links. */
      readonly realPath: string;
      /** Without its x bit it does not start; for a file of the user's own `makeExecutable` sets it. */
      readonly isExecutable: boolean;
      /** What a script is read by. */
      readonly interpreter?: string;
    }
  /** Text that profiles or rules are imported from. */
  | { readonly kind: 'import'; readonly path: string }
  | {
      readonly kind: 'refused';
      readonly path: string;
      readonly reason: RefusedKind;
      readonly sentence: string;
    };

export interface TargetOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** For paths that are not absolute. */
  readonly cwd?: string;
}

/**
 * What a path or a file:// URL is; what is no app is `refused` with a sentence. Throws `entry-invalid` for a desktop
 * entry whose command cannot be read.
 */
export async function targetOf(text: string, options: TargetOptions = {}): Promise<AppTarget> {
  const env = options.env ?? process.env;
  const path = pathOf(text, options.cwd ?? '/');
  if (path === undefined) return refusal(text, 'remote');
  try {
    const realPath = await realpath(path);
    const early = await notAFile(realPath);
    if (early !== undefined) return refusal(path, early);
    const isExecutable = await mayExecute(realPath);
    const found = fileKind(path, await headOf(realPath), isExecutable);
    if (found.kind === 'refused') return refusal(path, found.reason);
    if (found.kind === 'import') return { kind: 'import', path };
    if (found.kind === 'entry') return await entryTarget(path, realPath, env);
    const interpreter = found.kind === 'script' ? { interpreter: found.interpreter } : {};
    return { kind: 'program', format: found.kind, path, realPath, isExecutable, ...interpreter };
  } catch (error) {
    if (error instanceof CulvertError) throw error;
    return refusal(path, reasonOf(error));
  }
}

/**
 * Gives the owner of a program the right to execute it, if that is this user. Looks at it again first. Throws
 * `app-refused` for what is no program, and the system's error where it may not be changed.
 */
export async function makeExecutable(path: string, options: TargetOptions = {}): Promise<void> {
  const target = await targetOf(path, options);
  if (target.kind !== 'program') throw new CulvertError('app-refused', { detail: refusals.document });
  const file = await open(target.realPath, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const found = await file.stat();
    await file.chmod((found.mode & 0o7777) | 0o100);
  } finally {
    await file.close();
  }
}

function pathOf(text: string, cwd: string): string | undefined {
  if (!isUrl(text) || isAbsolute(text)) return resolve(cwd, text);
  try {
    const url = new URL(text);
    const isHere = url.protocol === 'file:' && (url.host === '' || url.host === 'localhost');
    return isHere ? fileURLToPath(`file://${url.pathname}`) : undefined;
  } catch {
    // Not a URL after all: a name with a colon in it.
    return resolve(cwd, text);
  }
}

/** Asked before it is opened: opening a device can do something. */
async function notAFile(path: string): Promise<RefusedKind | undefined> {
  const found = await stat(path);
  if (found.isDirectory()) return 'folder';
  return found.isFile() ? undefined : 'special';
}

async function headOf(path: string): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function mayExecute(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    // That is the answer.
    return false;
  }
}

async function entryTarget(path: string, realPath: string, env: NodeJS.ProcessEnv): Promise<AppTarget> {
  const inside = (await placeOf(path, env)) ?? (await placeOf(realPath, env));
  // From elsewhere its id is its path: it must not pass for an installed app in rules and bindings.
  const id = inside === undefined ? path : inside.replace(/\.desktop$/, '').replaceAll('/', '-');
  const text = await readEntry(path);
  const entry = parseDesktopEntry(text);
  const app = appOf(entry, { id, source: path, locales: localesOf(env), desktops: [] });
  if (app === undefined) return refusal(path, 'no-app');
  const [command] = execArgvs(app.exec, { name: app.name, icon: app.icon, source: path });
  const needsTrust = inside === undefined && !(await isTrusted(path, text, env));
  return { kind: 'entry', app, needsTrust, command, mark: markOf(text) };
}

/** The path of a file below the application folder that its own folder is in; undefined where that is none. */
async function placeOf(path: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const place = join(await realpath(dirname(path)), basename(path));
  for (const folder of applicationFolders(env)) {
    const real = await realpath(folder).catch(() => undefined);
    if (real !== undefined && place.startsWith(`${real}/`)) return place.slice(real.length + 1);
  }
  return undefined;
}

function reasonOf(error: unknown): RefusedKind {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'missing';
  if (code === 'EACCES' || code === 'EPERM') return 'unreadable';
  return 'special';
}

function refusal(path: string, reason: RefusedKind): AppTarget {
  return { kind: 'refused', path, reason, sentence: refusals[reason] };
}
