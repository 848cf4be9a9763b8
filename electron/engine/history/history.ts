/**
 * The past of one engine in memory: who moved how many bytes when, with which hosts, and what happened meanwhile.
 *
 * Does: hear of every byte as the table of flows counts it, and give it at each `settle` to the buckets of the time
 * since the last one. So the sum of the past is the sum of the flows, whichever lane ends between two ticks. Must not:
 * read a clock of its own, or keep more than a day.
 */
import {
  historyLengths,
  type HistoryGap,
  type HistoryHosts,
  type HistoryMark,
  type HistoryStep,
  type HistoryView,
} from '#shared/history-protocol.ts';
import type { FlowView, LaneView } from '#shared/model.ts';
import { HostRing, hostKey, topHosts, type HostBytes } from './hosts.ts';
import { bucketOf, keyOf, SeriesTable, type Mover, type Series } from './series.ts';

/** What took longer between two ticks was spread over; what took as long as this was no work of ours, but a sleep. */
const promptMs = 1500;
const sleepMs = 10_000;
/** From here on what was written down before the clock was set is put right, by whole minutes. */
const clockSetMs = 30_000;
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const maxMarks = 300;
const maxGaps = 100;
const shownHosts = 50;

export interface Clock {
  /** Milliseconds since the epoch, as the user may set it. */
  readonly now: () => number;
  /** Milliseconds that only ever grow, also while the computer sleeps. */
  readonly uptime: () => number;
}

type FlowOf = Pick<FlowView, 'id' | 'lane' | 'state' | 'host' | 'serverName' | 'address'>;
type LaneOf = Pick<LaneView, 'id' | 'app' | 'name' | 'profile' | 'state' | 'health'>;

interface KnownFlow {
  readonly series: Series;
  isCounted: boolean;
}

interface KnownLane extends LaneOf {
  readonly hasRun: boolean;
}

export class History {
  readonly #clock: Clock;
  readonly #flows = new Map<number, KnownFlow>();
  readonly #lanes = new Map<string, KnownLane>();
  #table = new SeriesTable();
  /** At 10 s for the last quarter of an hour, at 60 s for the day. */
  #hosts = [new HostRing(10_000, 90), new HostRing(minuteMs, historyLengths[60])] as const;
  #marks: HistoryMark[] = [];
  #gaps: HistoryGap[] = [];
  #moved = new Map<string, HostBytes>();
  #since: number;
  #last: { now: number; uptime: number };
  /** By how much the clock was set since the past was put right. */
  #set = 0;
  #isCounting = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#last = { now: clock.now(), uptime: clock.uptime() };
    this.#since = this.#last.now;
  }

  /** A flow has begun or changed. */
  flow(flow: FlowOf): void {
    const known = this.#flows.get(flow.id);
    const { series, isCounted } = known ?? { series: this.#seriesOf(flow.lane), isCounted: false };
    if (series === undefined) return;
    const isOver = flow.state === 'closed' || flow.state === 'refused';
    if (flow.state !== 'dialling' && !isCounted) this.#hostOf(flow, series).flows += 1;
    if (isOver) this.#flows.delete(flow.id);
    else if (known === undefined) this.#flows.set(flow.id, { series, isCounted: flow.state !== 'dialling' });
    else known.isCounted ||= flow.state !== 'dialling';
  }

  /** A flow has moved bytes since it was last counted. */
  moved(flow: FlowOf, up: number, down: number): void {
    if (up === 0 && down === 0) return;
    const series = this.#flows.get(flow.id)?.series ?? this.#seriesOf(flow.lane);
    if (series === undefined) return;
    const into = takenInBy(series);
    into.up += up;
    into.down += down;
    const host = this.#hostOf(flow, series);
    host.up += up;
    host.down += down;
  }

  /** Looks at a lane that may have changed, before it has flows and whenever something of it is another. */
  lane({ id, app, name, profile, state, health }: LaneOf): void {
    const before = this.#lanes.get(id);
    const hadRun = before?.hasRun ?? false;
    const lane = { id, app, name, profile, state, health, hasRun: hadRun || state === 'running' };
    this.#lanes.set(id, lane);
    if (lane.hasRun && !hadRun) this.#mark('start', lane);
    if (before !== undefined && keyOf(before) !== keyOf(lane)) this.#mark('switch', lane);
    if (health === 'unreachable' && before?.health !== 'unreachable') this.#mark('proxy-lost', lane);
    if (health === 'reachable' && before?.health === 'unreachable') this.#mark('proxy-back', lane);
  }

  /** A lane is gone, with all its flows. */
  laneGone(id: string): void {
    const lane = this.#lanes.get(id);
    this.#lanes.delete(id);
    if (lane?.hasRun === true) this.#mark('stop', lane);
  }

  /** Gives what has moved to the time since the last call. Called each second while there are lanes. */
  settle(): void {
    const { from, to } = this.#elapse();
    const wasAsleep = this.#isCounting && to - from >= sleepMs;
    if (wasAsleep) this.#gaps = [...this.#gaps, { from, to }].slice(-maxGaps);
    const isSpread = this.#isCounting && !wasAsleep && to - from > promptMs;
    const at = wasAsleep ? to : this.#isCounting ? (from + to) / 2 : to;
    for (const series of this.#table.all) {
      const { up, down } = series;
      if (up === 0 && down === 0) continue;
      series.up = 0;
      series.down = 0;
      if (isSpread) spread(series, { from, to, up, down });
      else series.add(at, up, down);
    }
    for (const bytes of this.#moved.values()) for (const ring of this.#hosts) ring.add(at, bytes);
    this.#moved.clear();
    this.#isCounting = this.#lanes.size > 0;
    this.#forgetOld(to);
  }

  /** When something last happened that is worth to be kept; milliseconds since the epoch. */
  get lastAt(): number {
    return Math.max(this.#marks.at(-1)?.at ?? 0, ...this.#table.all.map(({ lastAt }) => lastAt));
  }

  /** The last `seconds`, in buckets of `step` seconds. */
  read(step: HistoryStep, seconds: number): HistoryView {
    const at = this.#last.now;
    const count = Math.min(Math.ceil(seconds / step), historyLengths[step]);
    const first = bucketOf(at, step) - count + 1;
    const from = first * step * 1000;
    return {
      ...{ at, from, step, since: this.#since },
      series: this.#table.read(step, first, count),
      marks: this.#marks.filter((mark) => mark.at >= from).map((mark) => ({ ...mark })),
      gaps: this.#gaps.filter((gap) => gap.to >= from).map((gap) => ({ ...gap })),
    };
  }

  /** The hosts with the most bytes between two times. */
  hosts(from: number, to: number, app?: string): HistoryHosts {
    const { bytes, ...span } = this.#hostsRead(from, to);
    return { ...span, hosts: topHosts(bytes, app, shownHosts) };
  }

  /** The whole minutes from `from` to before `to`, as they are written to a file. */
  minutes(from: number, to: number): { view: HistoryView; hosts: (at: number) => HostBytes[] } {
    const [first, last] = [bucketOf(from, 60), bucketOf(to, 60)];
    const view: HistoryView = {
      ...{ at: to, from: first * minuteMs, step: 60, since: this.#since, gaps: [] },
      series: this.#table.read(60, first, last - first),
      marks: this.#marks.filter((mark) => mark.at >= first * minuteMs && mark.at < last * minuteMs),
    };
    return { view, hosts: (at) => this.#hosts[1].read(at, at + minuteMs).bytes };
  }

  /** Forgets the past; what goes on is counted from now on. */
  clear(): void {
    this.settle();
    this.#table = new SeriesTable();
    this.#hosts = [new HostRing(10_000, 90), new HostRing(minuteMs, historyLengths[60])];
    this.#marks = [];
    this.#gaps = [];
    this.#since = this.#last.now;
    // Flows that are open go on, as of who has them now.
    this.#flows.clear();
  }

  #hostsRead(from: number, to: number): { from: number; to: number; bytes: HostBytes[] } {
    const [fine, coarse] = this.#hosts;
    return (fine.reaches(from) ? fine : coarse).read(from, to);
  }

  #seriesOf(lane: string): Series | undefined {
    const mover: Mover | undefined = this.#lanes.get(lane);
    if (mover === undefined) return undefined;
    const { app, name, profile } = mover;
    return this.#table.of({ app, name, profile }, this.#last.now);
  }

  #hostOf({ host, serverName, address }: FlowOf, series: Series): HostBytes {
    const { app } = series.mover;
    const name = host ?? serverName ?? address;
    const key = hostKey(app, name);
    const known = this.#moved.get(key) ?? { app, host: name, up: 0, down: 0, flows: 0 };
    this.#moved.set(key, known);
    return known;
  }

  #mark(kind: HistoryMark['kind'], { app, name, profile }: LaneOf): void {
    this.#marks.push({ at: this.#clock.now(), kind, app, name, profile: { ...profile } });
    if (this.#marks.length > maxMarks) this.#marks.shift();
  }

  /** The time since the last call, by the present clock: where that was set, the past is put right first. */
  #elapse(): { from: number; to: number } {
    const [now, uptime] = [this.#clock.now(), this.#clock.uptime()];
    const passed = Math.max(0, uptime - this.#last.uptime);
    this.#set += now - this.#last.now - passed;
    if (Math.abs(this.#set) >= clockSetMs) {
      const minutes = Math.round(this.#set / minuteMs);
      this.#move(minutes);
      this.#set -= minutes * minuteMs;
    }
    this.#last = { now, uptime };
    return { from: now - passed, to: now };
  }

  #move(minutes: number): void {
    const ms = minutes * minuteMs;
    this.#table.move(minutes);
    for (const ring of this.#hosts) ring.move(ms);
    this.#marks = this.#marks.map((mark) => ({ ...mark, at: mark.at + ms }));
    this.#gaps = this.#gaps.map(({ from, to }) => ({ from: from + ms, to: to + ms }));
    this.#since += ms;
  }

  #forgetOld(now: number): void {
    const oldest = now - dayMs;
    this.#since = Math.max(this.#since, oldest);
    if ((this.#marks[0]?.at ?? now) < oldest) this.#marks = this.#marks.filter(({ at }) => at >= oldest);
    if ((this.#gaps[0]?.to ?? now) < oldest) this.#gaps = this.#gaps.filter(({ to }) => to >= oldest);
    this.#table.prune(now);
  }
}

/** The series that has a series now. */
function takenInBy(series: Series): Series {
  let now = series;
  while (now.into !== undefined) now = now.into;
  return now;
}

/** Gives bytes to each second of a time in equal parts; none is lost by rounding. */
function spread(
  series: Series,
  { from, to, up, down }: { from: number; to: number; up: number; down: number },
): void {
  const parts = Math.max(1, Math.round((to - from) / 1000));
  const part = (bytes: number, index: number): number =>
    Math.floor((bytes * (index + 1)) / parts) - Math.floor((bytes * index) / parts);
  for (let index = 0; index < parts; index += 1) {
    const at = from + ((index + 0.5) * (to - from)) / parts;
    series.add(at, part(up, index), part(down, index));
  }
}
