/**
 * What an app that was opened from the desktop writes: a file of its lane, `stateDir()/lanes/LANE.log`.
 *
 * Does: hand the app the file itself, so that it can go on writing when the engine is gone; keep the file small by a
 * look at its size once a second. Must not: keep an app from starting because there is no place for its output.
 */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { stateDir } from '#shared/paths.ts';

/** A file that has become larger is cut down to its end. */
export const maxLogBytes = 1024 * 1024;
const keptBytes = 256 * 1024;
const lookMs = 1000;
/** Of lanes that have ended; the oldest go. */
const keptLogs = 50;
const name = /^[1-9][0-9]*-[1-9][0-9]*\.log$/;

export class AppLog implements Disposable {
  /** For the app's stdout and stderr. */
  readonly fd: number;
  readonly #dir: string;
  #path: string | undefined;
  #looking: NodeJS.Timeout | undefined;

  private constructor(dir: string, path: string | undefined, fd: number) {
    this.#dir = dir;
    this.#path = path;
    this.fd = fd;
  }

  /** A new file without a name of a lane yet; `nameFor` gives it one, and without that it goes. */
  static open(env: NodeJS.ProcessEnv): AppLog {
    const dir = join(stateDir(env), 'lanes');
    try {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      removeOld(dir);
      const path = join(dir, `.new-${randomBytes(6).toString('hex')}`);
      const { O_RDWR, O_APPEND, O_CREAT, O_EXCL } = constants;
      return new AppLog(dir, path, openSync(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL, 0o600));
    } catch {
      // A full or read-only home: the app starts all the same, and its output is lost.
      return new AppLog(dir, undefined, openSync('/dev/null', 'r+'));
    }
  }

  /** The path of the file, where there is one. */
  get path(): string | undefined {
    return this.#path;
  }

  /** From now on it is the log of this lane, and kept small until it is disposed of. */
  nameFor(lane: string): void {
    if (this.#path === undefined) return;
    const path = join(this.#dir, `${lane}.log`);
    try {
      renameSync(this.#path, path);
      this.#path = path;
    } catch {
      // Somebody has cleared the directory: the app runs, and what it writes is nobody's to read.
    }
    this.#looking = setInterval(() => {
      this.trim();
    }, lookMs);
    this.#looking.unref();
  }

  /** Leaves the end of a file that has become too large. Never throws. */
  trim(): void {
    try {
      this.#trim();
    } catch {
      // A full disk, or one that fails: the next look may do better, and no app ends because of its log.
    }
  }

  #trim(): void {
    const { size } = fstatSync(this.fd);
    if (this.#path === undefined || size <= maxLogBytes) return;
    // The app goes on writing (open(2), O_APPEND): what comes between this look and the cut is lost.
    const end = this.#end(size);
    ftruncateSync(this.fd, 0);
    writeSync(this.fd, Buffer.concat([Buffer.from('[…]\n'), end]));
  }

  #end(size: number): Buffer {
    // Room for what has come since the size was asked for.
    const bytes = Buffer.alloc(maxLogBytes);
    const length = readSync(this.fd, bytes, 0, maxLogBytes, size - keptBytes);
    return bytes.subarray(0, length).subarray(-keptBytes);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#looking);
    if (this.#looking !== undefined) this.trim();
    else if (this.#path !== undefined) rmSync(this.#path, { force: true });
    closeSync(this.fd);
  }
}

/** The end of what the app of a lane has written, `most` bytes of it; empty where there is nothing. */
export function readLog(lane: string, env: NodeJS.ProcessEnv, most = 65_536): string {
  if (!name.test(`${lane}.log`)) return '';
  try {
    return readFileSync(join(stateDir(env), 'lanes', `${lane}.log`))
      .subarray(-most)
      .toString('utf8');
  } catch {
    // Not opened from the desktop, or its log has gone: then nothing is known of its output.
    return '';
  }
}

function removeOld(dir: string): void {
  const logs = readdirSync(dir)
    .filter((file) => name.test(file))
    .map((file) => ({ path: join(dir, file), at: changedAt(join(dir, file)) }))
    .sort((a, b) => b.at - a.at);
  for (const { path } of logs.slice(keptLogs - 1)) rmSync(path, { force: true });
}

function changedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
