/**
 * `culvert logs`: what the engines have written down of themselves, or what the app of a lane has written.
 *
 * Does: follow a file that grows, is moved away for a new one, or is cut. Must not: let what an app has written drive
 * the terminal.
 */
import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { CulvertError } from '#shared/failure.ts';
import { entryOf, formatTime, tellsOf, type LogEntry } from '#shared/log-lines.ts';
import { engineLogPath, laneLogPath } from '#shared/paths.ts';
import { print, printable, styleFor } from './output.ts';
import { enginePidOfLane } from './stop.ts';

export interface LogsOptions {
  readonly follow?: boolean | undefined;
  readonly lines?: string | undefined;
  readonly json?: boolean | undefined;
}

const lookAgainMs = 250;
const usualLines = 100;
/** Newest last; `keptLogFiles` of the engine says how many there are. */
const olderFiles = ['.2', '.1'];

/** Throws `option-invalid`, and `lane-unknown` where nothing was ever written by or about a lane. */
export async function logs(lane: string | undefined, options: LogsOptions): Promise<void> {
  const most = linesOf(options.lines);
  const isTerminal = isatty(1);
  const output = lane === undefined ? undefined : outputOf(lane);
  const path = output ?? engineLogPath();
  const tail = new Tail(path);
  const before = output === undefined ? olderFiles.map((end) => textOf(path + end)).join('') : '';
  const show =
    output === undefined ? engineLine(lane, options, isTerminal) : appLine(lane, options, isTerminal);
  const shown = linesIn(before + tail.read()).flatMap(show);
  if (output === undefined && lane !== undefined && shown.length === 0)
    throw new CulvertError('lane-unknown', { detail: `${lane}: nothing was written by it or about it` });
  for (const line of most === 0 ? [] : shown.slice(-most)) print(line);
  while (options.follow === true) {
    await delay(lookAgainMs);
    for (const line of linesIn(tail.read()).flatMap(show)) print(line);
  }
}

function linesOf(text: string | undefined): number {
  if (text === undefined) return usualLines;
  if (!/^[0-9]{1,9}$/.test(text)) throw new CulvertError('option-invalid', { detail: '--lines is a number' });
  return Number(text);
}

/** The file of what a lane's app has written, where there is one. Throws `lane-unknown` for what is no lane's id. */
function outputOf(lane: string): string | undefined {
  if (enginePidOfLane(lane) === undefined) throw new CulvertError('lane-unknown', { detail: lane });
  const path = laneLogPath(lane);
  return statSync(path, { throwIfNoEntry: false }) === undefined ? undefined : path;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

function linesIn(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

type Show = (line: string) => string[];

/** Lines of the engines, of one lane or of all. */
function engineLine(lane: string | undefined, { json }: LogsOptions, isTerminal: boolean): Show {
  return (line) => {
    const entry = entryOf(line);
    if (entry === undefined || (lane !== undefined && entry['lane'] !== lane)) return [];
    return [json === true ? line : formatEntry(entry, isTerminal)];
  };
}

function appLine(lane: string | undefined, { json }: LogsOptions, isTerminal: boolean): Show {
  if (json === true) return (line) => [JSON.stringify({ lane, line })];
  return (line) => [isTerminal ? line.split('\t').map(printable).join('\t') : line];
}

/** `2026-02-03 04:05:06  lane.opened  lane=12-1 app=curl`, in the time of this computer. */
export function formatEntry(entry: LogEntry, isTerminal: boolean): string {
  const { bold } = styleFor(isTerminal ? 1 : -1);
  const event = bold(printable(String(entry['event'])));
  return `${formatTime(entry['at'])}  ${event}  ${printable(tellsOf(entry))}`;
}

/** The text of a file, and from then on what is added to it; whole lines only. */
export class Tail {
  readonly #path: string;
  #fd: number | undefined;
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(path: string) {
    this.#path = path;
  }

  /** What has come since the last call. */
  read(): string {
    this.#fd ??= this.#open();
    if (this.#fd === undefined) return '';
    let bytes = this.#drain(this.#fd);
    while (this.#wasMoved(this.#fd)) {
      closeSync(this.#fd);
      this.#fd = this.#open();
      if (this.#fd === undefined) break;
      this.#offset = 0;
      bytes = Buffer.concat([bytes, this.#drain(this.#fd)]);
    }
    const all = Buffer.concat([this.#rest, bytes]);
    const end = all.lastIndexOf(0x0a) + 1;
    this.#rest = all.subarray(end);
    return all.subarray(0, end).toString('utf8');
  }

  #open(): number | undefined {
    try {
      return openSync(this.#path, 'r');
    } catch (error) {
      // It may come to be.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  #drain(fd: number): Buffer {
    const { size } = fstatSync(fd);
    // It was cut, and goes on from its beginning.
    if (size < this.#offset) this.#offset = 0;
    const bytes = Buffer.alloc(size - this.#offset);
    const length = readSync(fd, bytes, 0, bytes.length, this.#offset);
    this.#offset += length;
    return bytes.subarray(0, length);
  }

  /** Whether another file has this name by now. */
  #wasMoved(fd: number): boolean {
    const present = statSync(this.#path, { throwIfNoEntry: false });
    return present !== undefined && present.ino !== fstatSync(fd).ino;
  }
}
