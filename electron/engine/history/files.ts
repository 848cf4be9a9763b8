/**
 * The traffic of the past on disk: for each day (UTC) a file of lines, one for each minute of each engine, and beside
 * it one with the hosts. All engines of a user append to them.
 *
 * Does: write each line in one write(2) with O_APPEND, for its owner only; pass over lines that make no sense. Must
 * not: hold more than a few megabytes, or any host name in the files of bytes.
 */
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { historyMarks } from '#shared/history-protocol.ts';
import { profileHead } from '#shared/model.ts';

const maxFileBytes = 2 * 1024 * 1024;
const maxAllBytes = 24 * 1024 * 1024;
const dayMs = 24 * 60 * 60 * 1000;
const kinds = ['traffic', 'hosts'] as const;
type Kind = (typeof kinds)[number];
const nameForm = /^([0-9]{4}-[0-9]{2}-[0-9]{2})\.(traffic|hosts)$/;

/** A minute of one engine. */
const trafficLine = v.object({
  /** Process id of the engine. */
  engine: v.number(),
  /** Start of the minute, milliseconds since the epoch. */
  at: v.number(),
  /** App, its name, profile, bytes up, bytes down. */
  series: v.array(v.tuple([v.string(), v.string(), profileHead, v.number(), v.number()])),
  /** When, what, app, its name, profile. */
  marks: v.array(v.tuple([v.number(), v.picklist(historyMarks), v.string(), v.string(), profileHead])),
});
export type TrafficLine = v.InferOutput<typeof trafficLine>;

const hostsLine = v.object({
  engine: v.number(),
  at: v.number(),
  /** App, host, bytes up, bytes down, connections. */
  hosts: v.array(v.tuple([v.string(), v.string(), v.number(), v.number(), v.number()])),
});
export type HostsLine = v.InferOutput<typeof hostsLine>;

const schemas = { traffic: trafficLine, hosts: hostsLine };
interface Lines {
  traffic: TrafficLine;
  hosts: HostsLine;
}

export class HistoryFiles {
  readonly #dir: string;
  readonly #maxFileBytes: number;

  constructor(dir: string, most: number = maxFileBytes) {
    this.#dir = dir;
    this.#maxFileBytes = most;
  }

  /** Appends a minute. Throws what the system says, and an Error when the day's file is full. */
  append<K extends Kind>(kind: K, line: Lines[K]): void {
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
    const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
    const path = join(this.#dir, `${dayOf(line.at)}.${kind}`);
    const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
    try {
      // It begins with an end of line, too: a line that a full disk has cut short spoils only itself.
      const text = Buffer.from(`\n${JSON.stringify(line)}\n`);
      if (fstatSync(fd).size + text.length > this.#maxFileBytes) throw new Error(`${path} is full`);
      if (writeSync(fd, text) < text.length) throw new Error(`${path} could not be written to its end`);
    } finally {
      closeSync(fd);
    }
  }

  /** The lines of minutes from `from` to before `to`, in no order. Throws what the system says. */
  async read<K extends Kind>(kind: K, from: number, to: number): Promise<Lines[K][]> {
    const lines: Lines[K][] = [];
    for (const { path, kind: found, at } of this.#files()) {
      if (found !== kind || at + dayMs <= from || at >= to) continue;
      for (const text of (await readFile(path, 'utf8')).split('\n')) {
        const line = text === '' ? undefined : (parsed(kind, text) as Lines[K] | undefined);
        if (line !== undefined && line.at >= from && line.at < to) lines.push(line);
      }
    }
    return lines;
  }

  /** Start of the first day that there is something of. */
  get since(): number | undefined {
    return this.#files().find(({ kind }) => kind === 'traffic')?.at;
  }

  /** Size of all files. */
  get bytes(): number {
    return this.#files().reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Removes days that were over before `oldest`, and the oldest ones where all together are too large. */
  prune(oldest: number): void {
    let { bytes } = this;
    for (const file of this.#files()) {
      if (file.at + dayMs > oldest && bytes <= maxAllBytes) continue;
      rmSync(file.path, { force: true });
      bytes -= file.bytes;
    }
  }

  /** Removes all files, or those of one kind. Throws what the system says. */
  clear(kind?: Kind): void {
    for (const file of this.#files())
      if (kind === undefined || file.kind === kind) rmSync(file.path, { force: true });
  }

  /** Oldest first. */
  #files(): { path: string; kind: Kind; at: number; bytes: number }[] {
    return namesIn(this.#dir).flatMap((name) => {
      const [, day = '', kind] = nameForm.exec(name) ?? [];
      const found = kinds.find((known) => known === kind);
      const path = join(this.#dir, name);
      const stats = found === undefined ? undefined : statSync(path, { throwIfNoEntry: false });
      if (found === undefined || stats?.isFile() !== true) return [];
      return [{ path, kind: found, at: Date.parse(day), bytes: stats.size }];
    });
  }
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir).toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function parsed(kind: Kind, text: string): Lines[Kind] | undefined {
  try {
    const line = v.safeParse(schemas[kind], JSON.parse(text));
    return line.success ? line.output : undefined;
  } catch {
    // Cut short by a full disk or a computer that lost its power: its minute is lost, the others are not.
    return undefined;
  }
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
