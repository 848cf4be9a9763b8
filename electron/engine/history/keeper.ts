/**
 * Keeps the past of an engine on disk while the configuration wants that, and answers what is there of all engines.
 *
 * Does: write each minute once it is over, and the last one when the engine ends; let go of what is too old. Must not:
 * fail for it: what cannot be written or read is a problem that its user is told, and everything else goes on.
 */
import { statSync } from 'node:fs';
import { CulvertError, type Failure } from '#shared/failure.ts';
import type { HistoryMark, HistoryPast, HistorySeries, HistoryState } from '#shared/history-protocol.ts';
import { historyDir } from '#shared/paths.ts';
import type { Config, HistoryKeep } from '#shared/profile.ts';
import { ConfigStore } from '../config/store.ts';
import { HistoryFiles, type HostsLine, type TrafficLine } from './files.ts';
import { topHosts } from './hosts.ts';
import type { History } from './history.ts';
import { keyOf } from './series.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const keptMs: Readonly<Record<HistoryKeep, number>> = {
  off: 0,
  '1d': dayMs,
  '7d': 7 * dayMs,
  '30d': 30 * dayMs,
};
const shownHosts = 50;
/** More would not fit into an answer; what came later in time is left out of them. */
const maxMarks = 300;

/** The stamp of a configuration that is not there: nothing is kept then. */
const noFile = 'none';

type Settings = Config['history'];
interface PastQuery {
  readonly from: number;
  readonly to: number;
  readonly step: 60 | 3600;
  readonly hostsOf?: string | undefined;
  readonly without: readonly { readonly engine: number; readonly since: number }[];
}

export class HistoryKeeper {
  readonly #memory: History;
  readonly #now: () => number;
  readonly #store: Pick<ConfigStore, 'read' | 'update' | 'path'>;
  readonly #files: HistoryFiles;
  /** Start of the first minute that is not written yet. */
  #next: number;
  #read: { settings: Settings; stamp: string } = { settings: { keep: 'off', hosts: false }, stamp: noFile };
  #problem: Failure | undefined;

  constructor(
    memory: History,
    now: () => number,
    { store = ConfigStore.open(), files = new HistoryFiles(historyDir()) } = {},
  ) {
    this.#memory = memory;
    this.#now = now;
    this.#store = store;
    this.#files = files;
    this.#next = minuteOf(now());
  }

  /** To be called each second, after what has moved was settled. Answers whether nothing is left to be written. */
  ticked(): boolean {
    const minute = minuteOf(this.#now());
    // The clock was set back.
    if (minute < this.#next - minuteMs) this.#next = minute;
    if (minute > this.#next) this.#write(minute);
    return this.#memory.lastAt < this.#next || this.#settings().keep === 'off';
  }

  /** The engine ends: the minute that has just begun is written, too. */
  finish(): void {
    if (this.#memory.lastAt >= this.#next) this.#write(minuteOf(this.#now()) + minuteMs);
  }

  /** What is kept, and whether that works. */
  state(): HistoryState {
    const { keep, hosts } = this.#settings();
    const bytes = this.#try('history-unreadable', () => this.#files.bytes) ?? 0;
    return { keep, hosts, bytes, ...(this.#problem === undefined ? {} : { problem: this.#problem }) };
  }

  /** Throws what `ConfigStore.update` throws. */
  async keep(change: { keep?: HistoryKeep | undefined; hosts?: boolean | undefined }): Promise<HistoryState> {
    const { keep, hosts } = change;
    await this.#store.update((config) => ({
      ...config,
      history: {
        ...config.history,
        ...(keep === undefined ? {} : { keep }),
        ...(hosts === undefined ? {} : { hosts }),
      },
    }));
    this.#next = minuteOf(this.#now());
    this.#problem = undefined;
    this.#prune(this.#settings());
    return this.state();
  }

  /** Removes all files. Throws `history-unwritable`. */
  clear(): void {
    try {
      this.#files.clear();
      this.#problem = undefined;
    } catch (error) {
      throw new CulvertError('history-unwritable', { detail: wordsOf(error), cause: error });
    }
  }

  /** What the files have of other engines. Throws `history-unreadable`. */
  async past({ from, to, step, hostsOf, without }: PastQuery): Promise<HistoryPast> {
    const stepMs = step * 1000;
    const first = Math.floor(from / stepMs) * stepMs;
    const isWanted = ({ engine, at }: Pick<TrafficLine, 'engine' | 'at'>): boolean =>
      !without.some((one) => one.engine === engine && at >= one.since);
    try {
      const lines = (await this.#files.read('traffic', first, to)).filter(isWanted);
      const hosts =
        hostsOf === undefined ? [] : (await this.#files.read('hosts', first, to)).filter(isWanted);
      const { since } = this.#files;
      return {
        from: first,
        step,
        ...(since === undefined ? {} : { since }),
        series: seriesOf(lines, first, stepMs, Math.ceil((to - first) / stepMs)),
        marks: lines
          .flatMap(marksOf)
          .toSorted((a, b) => a.at - b.at)
          .slice(-maxMarks),
        hosts: topHosts(hosts.flatMap(hostBytesOf), hostsOf === '' ? undefined : hostsOf, shownHosts),
      };
    } catch (error) {
      this.#problem = { code: 'history-unreadable', detail: wordsOf(error) };
      throw new CulvertError('history-unreadable', { detail: wordsOf(error), cause: error });
    }
  }

  /** Writes what happened from `#next` to before `until`, if it is wanted. */
  #write(until: number): void {
    const from = this.#next;
    this.#next = until;
    if (this.#memory.lastAt < from) return;
    const settings = this.#settings();
    this.#prune(settings);
    if (settings.keep === 'off') return;
    const { view, hosts } = this.#memory.minutes(Math.max(from, until - dayMs), until);
    const hasWritten = this.#try('history-unwritable', () => {
      for (let at = view.from; at < until; at += minuteMs) {
        const line = trafficLineOf(view, at, settings.hosts);
        if (line.series.length > 0 || line.marks.length > 0) this.#files.append('traffic', line);
        const found = settings.hosts ? hosts(at) : [];
        if (found.length > 0) this.#files.append('hosts', hostsLineOf(found, at));
      }
      return true;
    });
    if (hasWritten === true) this.#problem = undefined;
  }

  #prune({ keep, hosts }: Settings): void {
    this.#try('history-unwritable', () => {
      if (keep === 'off') this.#files.clear();
      else this.#files.prune(this.#now() - keptMs[keep]);
      if (!hosts) this.#files.clear('hosts');
    });
  }

  #try<T>(code: Failure['code'], work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.#problem = { code, detail: wordsOf(error) };
      return undefined;
    }
  }

  /** As written down now; while that cannot be read, as it was before. */
  #settings(): Settings {
    try {
      const stamp = stampOf(this.#store.path);
      if (stamp !== this.#read.stamp) this.#read = { settings: this.#store.read().history, stamp };
    } catch {
      // What is wrong with the configuration is told where it is read for lanes and for the window.
    }
    return this.#read.settings;
  }
}

/** Differs whenever a file was written. */
function stampOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? noFile : `${stats.ino} ${stats.size} ${stats.mtimeMs}`;
}

function trafficLineOf(
  { from, series, marks }: { from: number; series: readonly HistorySeries[]; marks: readonly HistoryMark[] },
  at: number,
  withNames: boolean,
): TrafficLine {
  const index = (at - from) / minuteMs;
  // A profile that was given on a command line is called by its proxies, which are hosts.
  const head = (profile: HistorySeries['profile']): HistorySeries['profile'] =>
    profile.id === undefined && !withNames ? { ...profile, name: '' } : profile;
  return {
    engine: process.pid,
    at,
    series: series.flatMap(({ app, name, profile, up, down }): TrafficLine['series'] => {
      const [bytesUp = 0, bytesDown = 0] = [up[index], down[index]];
      return bytesUp > 0 || bytesDown > 0 ? [[app, name, head(profile), bytesUp, bytesDown]] : [];
    }),
    marks: marks
      .filter((mark) => mark.at >= at && mark.at < at + minuteMs)
      .map((mark) => [mark.at, mark.kind, mark.app, mark.name, head(mark.profile)]),
  };
}

function hostsLineOf(
  found: readonly { app: string; host: string; up: number; down: number; flows: number }[],
  at: number,
): HostsLine {
  return {
    engine: process.pid,
    at,
    hosts: found.map(({ app, host, up, down, flows }) => [app, host, up, down, flows]),
  };
}

function seriesOf(
  lines: readonly TrafficLine[],
  first: number,
  stepMs: number,
  count: number,
): HistorySeries[] {
  const all = new Map<string, HistorySeries>();
  for (const line of lines) {
    const index = Math.floor((line.at - first) / stepMs);
    for (const [app, name, profile, up, down] of line.series) {
      const key = keyOf({ app, profile });
      const sum = all.get(key) ?? { app, name, profile, up: zeros(count), down: zeros(count) };
      all.set(key, sum);
      sum.up[index] = (sum.up[index] ?? 0) + up;
      sum.down[index] = (sum.down[index] ?? 0) + down;
    }
  }
  return [...all.values()];
}

function zeros(count: number): number[] {
  return Array.from({ length: count }, () => 0);
}

function marksOf({ marks }: TrafficLine): HistoryMark[] {
  return marks.map(([at, kind, app, name, profile]) => ({ at, kind, app, name, profile }));
}

function hostBytesOf({ hosts }: HostsLine) {
  return hosts.map(([app, host, up, down, flows]) => ({ app, host, up, down, flows }));
}

function minuteOf(at: number): number {
  return Math.floor(at / minuteMs) * minuteMs;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
