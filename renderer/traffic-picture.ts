/**
 * From what main tells of the past to what the graph shows: lines by app or by profile, the largest by themselves and
 * the others together. Pure; nothing is smoothed, and what is not known is no zero.
 */
import type { HistorySeries, HistoryView, ShownStep } from '#shared/history-protocol.ts';
import type { ProfileHead } from '#shared/model.ts';

interface Range {
  readonly id: string;
  readonly seconds: number;
  readonly step: ShownStep;
  /** Between two questions about it. */
  readonly everyMs: number;
}

const day = 86_400;
export const ranges = [
  { id: '1m', seconds: 60, step: 1, everyMs: 1000 },
  { id: '5m', seconds: 300, step: 1, everyMs: 1000 },
  { id: '15m', seconds: 900, step: 1, everyMs: 1000 },
  { id: '1h', seconds: 3600, step: 10, everyMs: 5000 },
  { id: '24h', seconds: day, step: 60, everyMs: 15_000 },
  { id: '7d', seconds: 7 * day, step: 3600, everyMs: 60_000 },
  { id: '30d', seconds: 30 * day, step: 3600, everyMs: 60_000 },
] as const satisfies readonly Range[];
export type RangeId = (typeof ranges)[number]['id'];

export type Grouping = 'app' | 'profile';

/** Places of lines in the graph, each with its colour, pattern and dashes; the last one is that of the others. */
export const places = 8;
const othersPlace = places - 1;

export interface TrafficLine {
  /** Empty for the others. */
  readonly key: string;
  readonly name: string;
  readonly letter: string;
  /** The profile's own, where lines are profiles. */
  readonly colour?: string;
  readonly place: number;
  /** Bytes in each bucket. */
  readonly up: readonly number[];
  readonly down: readonly number[];
}

/** Milliseconds since the epoch; both at the border of buckets. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Picture extends Span {
  readonly stepMs: number;
  /** Seconds that each bucket really has: the newest one may still be filled. */
  readonly seconds: readonly number[];
  /** Nothing is known of these buckets. */
  readonly isUnknown: readonly boolean[];
  /** In the order of their places. */
  readonly lines: readonly TrafficLine[];
}

export interface Words {
  readonly others: string;
  /** A profile that was only typed, and whose name is not kept. */
  readonly typed: string;
  readonly profileName: (profile: ProfileHead) => string;
}

interface Sum {
  readonly key: string;
  readonly name: string;
  readonly letter: string;
  readonly colour?: string;
  readonly up: number[];
  readonly down: number[];
}

/** `kept` remembers which line has which place, so that a line keeps its looks while others come and go. */
export function pictureOf(
  view: HistoryView,
  grouping: Grouping,
  kept: Map<string, number>,
  words: Words,
): Picture {
  const stepMs = view.step * 1000;
  const all = view.series[0]?.up.length ?? Math.floor((view.at - view.from) / stepMs) + 1;
  // Of a second that is still being filled nothing can be said.
  const count = view.step === 1 ? Math.max(0, all - 1) : all;
  const seconds = Array.from({ length: count }, (_, index) =>
    Math.min(view.step, Math.max(1, (view.at - view.from - index * stepMs) / 1000)),
  );
  const sums = sumsOf(view.series, grouping, count, words);
  const isMoving = Array.from({ length: count }, (_, index) =>
    sums.some(({ up, down }) => (up[index] ?? 0) + (down[index] ?? 0) > 0),
  );
  return {
    from: view.from,
    to: view.from + count * stepMs,
    stepMs,
    seconds,
    isUnknown: isMoving.map((moves, index) => !moves && isUnknown(view, view.from + index * stepMs, stepMs)),
    lines: linesOf(sums, kept, words),
  };
}

function isUnknown({ since, gaps }: HistoryView, from: number, stepMs: number): boolean {
  const middle = from + stepMs / 2;
  return from + stepMs <= since || gaps.some((gap) => middle >= gap.from && middle < gap.to);
}

function sumsOf(series: readonly HistorySeries[], grouping: Grouping, count: number, words: Words): Sum[] {
  const sums = new Map<string, Sum>();
  for (const one of series) {
    const head = grouping === 'app' ? appHead(one, words) : profileHead(one.profile, words);
    const sum = sums.get(head.key) ?? { ...head, up: zeros(count), down: zeros(count) };
    sums.set(head.key, sum);
    add(sum, one);
  }
  return [...sums.values()];
}

function appHead({ app, name }: HistorySeries, { others }: Words): Omit<Sum, 'up' | 'down'> {
  const shown = app === '' ? others : name;
  return { key: `app ${app}`, name: shown, letter: letterOf(shown) };
}

function profileHead(profile: ProfileHead, words: Words): Omit<Sum, 'up' | 'down'> {
  const { id, name, colour, letter } = profile;
  if (id === undefined && name === '')
    return { key: 'profile', name: letter === '…' ? words.others : words.typed, letter, colour };
  return { key: `profile ${id ?? `:${name}`}`, name: words.profileName(profile), letter, colour };
}

function letterOf(name: string): string {
  return name.slice(0, 1).toLocaleUpperCase();
}

function zeros(count: number): number[] {
  return Array.from({ length: count }, () => 0);
}

function add(sum: Sum, { up, down }: Pick<HistorySeries, 'up' | 'down'>): void {
  for (const index of sum.up.keys()) {
    sum.up[index] = (sum.up[index] ?? 0) + (up[index] ?? 0);
    sum.down[index] = (sum.down[index] ?? 0) + (down[index] ?? 0);
  }
}

/** The largest, each in its place, and the others in one line. */
function linesOf(sums: readonly Sum[], kept: Map<string, number>, words: Words): TrafficLine[] {
  const moving = sums.filter((sum) => bytesOf(sum) > 0).toSorted((a, b) => bytesOf(b) - bytesOf(a));
  const isTooMany = moving.length > places;
  const shown = isTooMany ? moving.slice(0, othersPlace) : moving;
  for (const key of kept.keys()) if (!shown.some((sum) => sum.key === key)) kept.delete(key);
  const lines = shown.map((sum): TrafficLine => {
    const place = kept.get(sum.key) ?? freePlace(kept);
    kept.set(sum.key, place);
    return { ...sum, place };
  });
  if (isTooMany) lines.push(othersOf(moving.slice(othersPlace), words));
  return lines.toSorted((a, b) => a.place - b.place);
}

function freePlace(kept: ReadonlyMap<string, number>): number {
  const taken = new Set(kept.values());
  for (let place = 0; place < othersPlace; place += 1) if (!taken.has(place)) return place;
  return othersPlace;
}

function othersOf(rest: readonly Sum[], { others }: Words): TrafficLine {
  const count = rest[0]?.up.length ?? 0;
  const sum = { key: '', name: others, letter: '…', up: zeros(count), down: zeros(count) };
  for (const one of rest) add(sum, one);
  return { ...sum, place: othersPlace };
}

function bytesOf({ up, down }: Pick<TrafficLine, 'up' | 'down'>): number {
  return sumIn(up) + sumIn(down);
}

export function sumIn(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Which buckets of a picture are in a span: the first, and the one behind the last. */
export function indexesIn({ from, stepMs, seconds }: Picture, span: Span): [number, number] {
  const clamp = (index: number): number => Math.min(seconds.length, Math.max(0, index));
  return [clamp(Math.round((span.from - from) / stepMs)), clamp(Math.round((span.to - from) / stepMs))];
}

/** What stays of a span when the picture has moved on; nothing where it is all gone. */
export function clipped(span: Span | undefined, picture: Span): Span | undefined {
  if (span === undefined) return undefined;
  const [from, to] = [Math.max(span.from, picture.from), Math.min(span.to, picture.to)];
  return from < to ? { from, to } : undefined;
}

export interface Total {
  readonly line: TrafficLine;
  readonly up: number;
  readonly down: number;
}

/** What each line moved in a span, most first, without those that moved nothing. */
export function totalsIn(picture: Picture, span: Span): Total[] {
  const [first, end] = indexesIn(picture, span);
  return picture.lines
    .map((line) => ({ line, up: sumIn(line.up.slice(first, end)), down: sumIn(line.down.slice(first, end)) }))
    .filter(({ up, down }) => up + down > 0)
    .toSorted((a, b) => b.up + b.down - a.up - a.down);
}

/**
 * The graph's data, one list a place: bytes a second, those of a line on top of those of the lines behind it. First
 * the time in seconds, with the end of the last bucket, then down for each place, then up below zero; null where
 * nothing is known.
 */
export function stacked(picture: Picture, hidden: ReadonlySet<string>): (number | null)[][] {
  const { from, stepMs, seconds, isUnknown: unknown } = picture;
  const times = [...seconds.keys(), seconds.length].map((index) => (from + index * stepMs) / 1000);
  const height = (way: 'up' | 'down'): (number | null)[][] => {
    const below = zeros(seconds.length);
    const columns = Array.from({ length: places }, (): (number | null)[] => []);
    for (let place = places - 1; place >= 0; place -= 1) {
      const line = picture.lines.find((one) => one.place === place && !hidden.has(one.key));
      if (line === undefined) {
        columns[place] = times.map(() => null);
        continue;
      }
      const values = below.map((bytes, index) => {
        below[index] = bytes + (line[way][index] ?? 0) / (seconds[index] ?? 1);
        return unknown[index] === true ? null : (below[index] ?? 0) * (way === 'up' ? -1 : 1);
      });
      columns[place] = [...values, values.at(-1) ?? null];
    }
    return columns;
  };
  return [times, ...height('down'), ...height('up')];
}

/** Bytes a second of all lines that are shown, in one bucket. */
export function rateAt(
  { lines, seconds }: Picture,
  index: number,
  hidden: ReadonlySet<string>,
): { up: number; down: number } {
  const shown = lines.filter(({ key }) => !hidden.has(key));
  const rate = (way: 'up' | 'down') =>
    sumIn(shown.map((line) => line[way][index] ?? 0)) / (seconds[index] ?? 1);
  return { up: rate('up'), down: rate('down') };
}
