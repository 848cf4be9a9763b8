/**
 * The series of a history, one for each app with each profile, and not too many of them: those that were silent for
 * a day go, and beyond the limit the one that has been silent longest is added to the others. Pure.
 */
import {
  historyLengths,
  historySteps,
  type HistorySeries,
  type HistoryStep,
} from '#shared/history-protocol.ts';
import type { ProfileHead } from '#shared/model.ts';
import { Ring } from './ring.ts';

/** One answer with all of them, each as busy as can be, still is one line of the control socket. */
export const maxSeries = 24;
const silentMs = 24 * 60 * 60 * 1000;
const othersProfile: ProfileHead = { name: '', colour: '#8a8a8a', letter: '…' };

/** Who moves bytes. */
export interface Mover {
  readonly app: string;
  readonly name: string;
  readonly profile: ProfileHead;
}

export class Series {
  mover: Mover;
  /** Moved since the last `settle`. */
  up = 0;
  down = 0;
  /** When something was last added. */
  lastAt: number;
  /** The series that has taken it in. */
  into: Series | undefined;
  readonly rings: Readonly<Record<HistoryStep, Ring>>;

  constructor(mover: Mover, at: number) {
    this.mover = mover;
    this.lastAt = at;
    this.rings = {
      1: new Ring(historyLengths[1]),
      10: new Ring(historyLengths[10]),
      60: new Ring(historyLengths[60]),
    };
  }

  /** Adds bytes to the buckets of a time, milliseconds since the epoch. */
  add(at: number, up: number, down: number): void {
    this.lastAt = Math.max(this.lastAt, at);
    for (const step of historySteps) this.rings[step].add(bucketOf(at, step), up, down);
  }

  absorb(other: Series): void {
    for (const step of historySteps) this.rings[step].absorb(other.rings[step]);
    this.up += other.up;
    this.down += other.down;
    this.lastAt = Math.max(this.lastAt, other.lastAt);
    other.into = this;
  }
}

export class SeriesTable {
  readonly #all = new Map<string, Series>();
  #others: Series | undefined;

  get all(): readonly Series[] {
    return this.#others === undefined ? [...this.#all.values()] : [...this.#all.values(), this.#others];
  }

  /** The series of an app with a profile, made if need be. The profile is shown as it is called now. */
  of(mover: Mover, at: number): Series {
    const key = keyOf(mover);
    const known = this.#all.get(key);
    if (known !== undefined) {
      known.mover = mover;
      return known;
    }
    const fresh = new Series(mover, at);
    this.#all.set(key, fresh);
    if (this.#all.size > maxSeries) this.#foldQuietest(fresh);
    return fresh;
  }

  /** Forgets those that have been silent for a day. */
  prune(at: number): void {
    for (const [key, series] of this.#all) if (isSilent(series, at)) this.#all.delete(key);
    if (this.#others !== undefined && isSilent(this.#others, at)) this.#others = undefined;
  }

  read(step: HistoryStep, first: number, count: number): HistorySeries[] {
    return this.all.flatMap(({ mover, rings }) => {
      const { up, down } = rings[step].read(first, count);
      const isThere = up.some((bytes) => bytes > 0) || down.some((bytes) => bytes > 0);
      return isThere ? [{ ...mover, profile: { ...mover.profile }, up, down }] : [];
    });
  }

  /** The clock was wrong by so many minutes. */
  move(minutes: number): void {
    for (const series of this.all) {
      series.lastAt += minutes * 60_000;
      for (const step of historySteps) series.rings[step].move((minutes * 60) / step);
    }
  }

  #foldQuietest(but: Series): void {
    let quietest: [string, Series] | undefined;
    for (const entry of this.#all) {
      if (entry[1] !== but && entry[1].lastAt < (quietest?.[1].lastAt ?? Infinity)) quietest = entry;
    }
    if (quietest === undefined) return;
    const [key, series] = quietest;
    this.#others ??= new Series({ app: '', name: '', profile: othersProfile }, series.lastAt);
    this.#others.absorb(series);
    this.#all.delete(key);
  }
}

/** The number of the bucket that a time is in. */
export function bucketOf(at: number, step: number): number {
  return Math.floor(at / (step * 1000));
}

/** What tells one series from another. */
export function keyOf({ app, profile }: Pick<Mover, 'app' | 'profile'>): string {
  return `${app}\n${profile.id ?? `:${profile.name}`}`;
}

function isSilent({ up, down, lastAt }: Series, at: number): boolean {
  return up === 0 && down === 0 && lastAt < at - silentMs;
}
