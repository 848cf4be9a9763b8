/**
 * What the command line prints: plain writes, tables, figures with units, colour on terminals only.
 *
 * Never touches process.stdout or process.stderr: Node makes a pipe behind them non-blocking for
 * everybody who shares it, and an app under `culvert run` does.
 */
import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { describe, type Failure } from '#shared/failure.ts';

const retryMs = 5;
const giveUpAfterMs = 10_000;

/** Writes all of the text to a descriptor, waiting where it is non-blocking and full. Throws EPIPE when nobody reads. */
export function write(fd: number, text: string): void {
  let rest = Buffer.from(text);
  let waitedMs = 0;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
      waitedMs = 0;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || waitedMs >= giveUpAfterMs) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
      waitedMs += retryMs;
    }
  }
}

export function print(line: string): void {
  write(1, `${line}\n`);
}

/** One diagnostic line on stderr. A stderr that nobody reads is no reason to fail. */
export function complain(line: string): void {
  try {
    write(2, `culvert: ${printable(line)}\n`);
  } catch {
    // There is nowhere left to say it; the exit status still tells.
  }
}

export function complainOf(failure: Failure): void {
  complain(describe(failure));
}

/** The text without control characters: names come from apps and proxies and must not drive the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '\u{fffd}');
}

export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly red: (text: string) => string;
}

const plain = (text: string): string => text;
const plainStyle: Style = { bold: plain, dim: plain, green: plain, yellow: plain, red: plain };

/** Whether colour may be used: on a terminal that is not dumb, unless NO_COLOR is set to anything (no-color.org). */
export function wantsColour(isTerminal: boolean, env: NodeJS.ProcessEnv): boolean {
  return isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}

export function styleFor(fd: number, env: NodeJS.ProcessEnv = process.env): Style {
  if (!wantsColour(isatty(fd), env)) return plainStyle;
  const paint = (code: number) => (text: string) => `\u001b[${code}m${text}\u001b[0m`;
  return { bold: paint(1), dim: paint(2), green: paint(32), yellow: paint(33), red: paint(31) };
}

/** One column: its heading and on which side it is aligned. */
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/**
 * A table as text with a newline at the end, or nothing where there are no rows. For a terminal with
 * headings and aligned columns; otherwise one row a line, separated by tabs, without headings.
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  options: { readonly isTerminal: boolean; readonly style?: Style },
): string {
  if (rows.length === 0) return '';
  const clean = rows.map((row) => row.map(printable));
  if (!options.isTerminal) return clean.map((row) => `${row.join('\t')}\n`).join('');
  const widths = columns.map(({ title }, i) =>
    Math.max(title.length, ...clean.map((row) => row[i]?.length ?? 0)),
  );
  const { bold } = options.style ?? plainStyle;
  const heading = alignRow(
    columns.map(({ title }) => title),
    columns,
    widths,
  );
  return `${bold(heading)}\n${clean.map((row) => `${alignRow(row, columns, widths)}\n`).join('')}`;
}

function alignRow(row: readonly string[], columns: readonly Column[], widths: readonly number[]): string {
  return row
    .map((cell, i) => {
      const width = widths[i] ?? 0;
      return columns[i]?.align === 'right' ? cell.padStart(width) : cell.padEnd(width);
    })
    .join('  ')
    .trimEnd();
}

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `0 B`, `999 B`, `1.5 KiB`, `24 MiB`: three digits at most, binary units. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < byteUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits).replace(/\.0$/, '')} ${byteUnits[unit]}`;
}

/** `4s`, `3m 20s`, `5h 12m`, `9d 3h`: the two largest units. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${seconds % 60}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}h ${minutes % 60}m`;
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** `1 process`, `2 processes`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
