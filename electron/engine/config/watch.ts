/**
 * Notices that a file became another one, the configuration or another that is replaced as a whole, by inotify and, where that misses it (a link that leads
 * elsewhere, a directory made anew, no watches left), by a look once a second.
 *
 * Must not: tell a change twice, or tell of what an editor leaves there for a moment only.
 */
import { statSync, watch, type FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { failureOf, type Failure } from '#shared/failure.ts';
import { targetOf } from './file.ts';

const lookMs = 1000;
/** From the last sign of a change to reading it; longer while the file is gone or empty, as it is amid a save. */
const settleMs = { usual: 60, missing: 400 };
/** Signs that do not end are no reason to wait for ever. */
const settleAtMostMs = 600;

type Seen<T> = { readonly value: T } | { readonly failure: Failure };

export class FileWatch<T> {
  readonly #path: string;
  readonly #read: () => T;
  readonly #onChange: (value: T) => void;
  readonly #onProblem: (failure: Failure) => void;
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #looking: NodeJS.Timeout;
  #settling: NodeJS.Timeout | undefined;
  #settleBy = 0;
  #mark: string;
  #seen: Seen<T>;
  /** The last one without a problem. */
  #value: T | undefined;

  constructor(
    path: string,
    read: () => T,
    onChange: (value: T) => void,
    onProblem: (failure: Failure) => void,
  ) {
    this.#path = path;
    this.#read = read;
    this.#onChange = onChange;
    this.#onProblem = onProblem;
    this.#watchDirectories();
    this.#mark = markOf(path);
    this.#seen = this.#look();
    if ('value' in this.#seen) this.#value = this.#seen.value;
    this.#looking = setInterval(() => {
      this.#watchDirectories();
      if (markOf(this.#path) !== this.#mark) this.#settle();
    }, lookMs);
    this.#looking.unref();
  }

  close(): void {
    clearInterval(this.#looking);
    clearTimeout(this.#settling);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /** The file's own directory and, for a link, its target's; what cannot be watched is looked at. */
  #watchDirectories(): void {
    const wanted = new Map([[dirname(this.#path), basename(this.#path)]]);
    try {
      const target = targetOf(this.#path);
      if (target !== this.#path) wanted.set(dirname(target), basename(target));
    } catch {
      // A link in a circle: reading it tells.
    }
    for (const [dir, watcher] of this.#watchers) {
      if (wanted.has(dir)) continue;
      watcher.close();
      this.#watchers.delete(dir);
    }
    for (const [dir, name] of wanted) if (!this.#watchers.has(dir)) this.#watchDirectory(dir, name);
  }

  #watchDirectory(dir: string, name: string): void {
    const drop = (watcher: FSWatcher) => {
      watcher.close();
      this.#watchers.delete(dir);
    };
    try {
      const watcher = watch(dir, { persistent: false }, (_event, changed) => {
        if (changed === name || changed === null) this.#settle();
        // The directory itself was moved or removed: the next look finds what is in its place.
        if (changed === basename(dir)) drop(watcher);
      });
      watcher.on('error', () => {
        drop(watcher);
      });
      this.#watchers.set(dir, watcher);
    } catch {
      // Not there, or no watch left (inotify(7), max_user_watches): the look once a second is for this.
    }
  }

  #settle(): void {
    const now = performance.now();
    if (this.#settling === undefined) this.#settleBy = now + settleAtMostMs;
    clearTimeout(this.#settling);
    const isMissing = /^(none|0)/.test(markOf(this.#path));
    const pause = Math.min(isMissing ? settleMs.missing : settleMs.usual, Math.max(0, this.#settleBy - now));
    this.#settling = setTimeout(() => {
      this.#settling = undefined;
      this.#tell();
    }, pause);
    this.#settling.unref();
  }

  #tell(): void {
    this.#mark = markOf(this.#path);
    const now = this.#look();
    if (isDeepStrictEqual(now, this.#seen)) return;
    this.#seen = now;
    if ('failure' in now) {
      this.#onProblem(now.failure);
      return;
    }
    // What was broken for a while and is as before is no change.
    if (isDeepStrictEqual(now.value, this.#value)) return;
    this.#value = now.value;
    this.#onChange(now.value);
  }

  #look(): Seen<T> {
    try {
      return { value: this.#read() };
    } catch (error) {
      return { failure: failureOf(error) };
    }
  }
}

/** Something that is another one when the file is: size first, then what the system knows of its content. */
export function markOf(path: string): string {
  try {
    const { size, mtimeMs, ctimeMs, ino, dev } = statSync(path);
    return [size, mtimeMs, ctimeMs, ino, dev].join(' ');
  } catch {
    // Not there, or not to be seen: reading it tells which.
    return 'none';
  }
}
