/** Reads the end of a log that several engines write, with the files that it was moved to when it was full. */
import { readFileSync } from 'node:fs';
import { keptLogFiles } from './log-file.ts';

/** At most so many lines, the newest ones, oldest first. Throws what the system says unless there is no log. */
export function newestLogLines(path: string, most: number): string[] {
  const lines: string[] = [];
  for (let number = 0; number < keptLogFiles && lines.length < most; number += 1) {
    const older = textOf(number === 0 ? path : `${path}.${number}`).split('\n');
    lines.unshift(...older.filter((line) => line !== '').slice(lines.length - most));
  }
  return lines;
}

/** The last of these lines that fit into so many characters. */
export function lastThatFit(lines: readonly string[], maxLength: number): string[] {
  let length = 0;
  const first = lines.findLastIndex((line) => {
    length += line.length + 1;
    return length > maxLength;
  });
  return lines.slice(first + 1);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
