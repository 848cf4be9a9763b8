/**
 * A file of lines that several processes append to, and that never becomes large: `engine.log`, and before it
 * `engine.log.1` and `engine.log.2`.
 *
 * Does: write each line in one write(2) with O_APPEND, which the kernel does not mix with others'; move a full file
 * away under a lock. Must not: fail, wait or throw, whatever the disk is like: what it is for goes on without a log.
 */
import { closeSync, constants, fstatSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { withLock } from './config/lock.ts';

const maxLogFileBytes = 1024 * 1024;
/** This many files at most, the present one included. */
export const keptLogFiles = 3;

export class LogFile {
  readonly #path: string;
  readonly #maxBytes: number;
  #rotating: Promise<void> | undefined;

  constructor(path: string, maxBytes: number = maxLogFileBytes) {
    this.#path = path;
    this.#maxBytes = maxBytes;
  }

  /** Opened for each line: another process may have moved the file away since the last one. */
  append(line: string): void {
    try {
      const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
      const fd = openSync(this.#path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
      try {
        writeSync(fd, `${line}\n`);
        if (fstatSync(fd).size >= this.#maxBytes) this.#rotating ??= this.#rotate();
      } finally {
        closeSync(fd);
      }
    } catch {
      // A full disk or a read-only home: there is no better place to say so, and lanes matter more.
    }
  }

  /** Resolves when a move that is under way is over. */
  async settled(): Promise<void> {
    await this.#rotating;
  }

  async #rotate(): Promise<void> {
    const path = this.#path;
    try {
      await withLock(
        dirname(path),
        `${basename(path)}.lock`,
        () => {
          // Another process may have been quicker.
          if (statSync(path).size >= this.#maxBytes) moveAway(path);
          return Promise.resolve();
        },
        0,
      );
    } catch {
      // Somebody else is at it, or the directory cannot be written to: the next line tries again.
    } finally {
      this.#rotating = undefined;
    }
  }
}

function moveAway(path: string): void {
  for (let number = keptLogFiles - 1; number >= 1; number -= 1) {
    const from = number === 1 ? path : `${path}.${number - 1}`;
    if (statSync(from, { throwIfNoEntry: false }) !== undefined) renameSync(from, `${path}.${number}`);
  }
}
