/**
 * Files that are replaced as a whole: whoever reads, and whatever dies, there is the old text or the new one.
 *
 * Must not: leave a half-written file at its place, or make one that others can read.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { readlinkSync, realpathSync, renameSync, rmSync, writeFileSync, type Stats } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CulvertError } from '#shared/failure.ts';
import { phrase, type Phrase } from '#shared/phrase.ts';

export interface FileText {
  readonly text: string;
  readonly stats: Stats;
}

/**
 * The text of a regular file, or undefined where there is none. Throws `config-invalid` for what is no text of
 * at most `most` bytes, and the system's error where it may not be read.
 */
export function readText(path: string, most: number): FileText | undefined {
  const name = basename(path);
  let fd: number;
  try {
    // Without waiting: a pipe that lies here must not hold up anybody.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return undefined;
    throw unreadable(name, phrase('config.cannot-read', { error: codeOf(error) }), error);
  }
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw unreadable(name, phrase('config.not-file'));
    if (stats.size > most) throw unreadable(name, phrase('config.too-large', { most: most >> 20 }));
    return { text: decode(readFileSync(fd), name), stats };
  } finally {
    closeSync(fd);
  }
}

function decode(bytes: Buffer, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw unreadable(name, phrase('config.not-utf8'), error);
  }
}

function unreadable(name: string, why: Phrase, cause?: unknown): CulvertError {
  const detail = phrase('config.at-place', { place: name, why });
  return new CulvertError('config-invalid', { detail, ...(cause === undefined ? {} : { cause }) });
}

/**
 * Puts a text in the place of a file, of the link's target where it is a symbolic link, with mode 0600. It is on
 * the disk when this returns. `isAllowed` is asked last, right before the old text goes. Throws
 * `config-unwritable`, and then the old text is still there.
 */
export async function replaceFile(path: string, text: string, isAllowed = () => true): Promise<void> {
  const target = targetOf(path);
  const beside = temporaryName(target);
  try {
    removeLeftovers(target);
    const file = await open(beside, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    if (!isAllowed())
      throw new CulvertError('config-locked', { detail: phrase('config.stood-still', { path }) });
    await rename(beside, target);
    await syncDirectory(dirname(target));
  } catch (error) {
    rmSync(beside, { force: true });
    throw error instanceof CulvertError ? error : unwritable(error);
  }
}

/** The same for a copy that may be lost: at once, and without waiting for the disk. */
export function replaceCopy(path: string, text: string): void {
  const beside = temporaryName(path);
  try {
    writeFileSync(beside, text, { flag: 'wx', mode: 0o600 });
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Where a path leads in the end, also when nothing is there yet. */
export function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw unwritable(error);
  }
  try {
    return targetOf(resolve(dirname(path), readlinkSync(path)));
  } catch (error) {
    if (error instanceof CulvertError) throw error;
    // No link: the file is to be made right here.
    return path;
  }
}

function temporaryName(path: string): string {
  return `${path}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`;
}

/** What killed processes left beside a file. */
function removeLeftovers(path: string): void {
  const dir = dirname(path);
  for (const name of readdirSync(dir)) {
    if (!name.startsWith(`${basename(path)}.`)) continue;
    const pid = /\.(\d+)-[0-9a-f]{12}\.tmp$/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(dir, name), { force: true });
  }
}

/** The system's name of an error, `ENOENT`. */
export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}

/** What the system refused, as a failure. */
export function unwritable(error: unknown): CulvertError {
  const detail = error instanceof Error ? error.message : String(error);
  return new CulvertError('config-unwritable', { detail, cause: error });
}
