/**
 * What an engine answers about the traffic of the past, which it adds up itself: at 1 s for the last minutes, at 10 s
 * and 60 s for longer, and, where the user wants that, in files that outlive it. Part of the calls in
 * engine-protocol.ts.
 */
import * as v from 'valibot';
import { profileHead } from './model.ts';
import { failureView } from './phrase-view.ts';
import { historyKeeps } from './profile.ts';

/** Seconds that one bucket covers, and how many of them an engine has in memory: 15 minutes, 3 hours, 24 hours. */
export const historySteps = [1, 10, 60] as const;
export type HistoryStep = (typeof historySteps)[number];
export const historyLengths: Readonly<Record<HistoryStep, number>> = { 1: 900, 10: 1080, 60: 1440 };

/** Hours are made of the minutes that files have. */
export const shownSteps = [...historySteps, 3600] as const;
export type ShownStep = (typeof shownSteps)[number];

/** One line of the graph: what one app did with one profile. */
export const historySeries = v.object({
  /** Empty for those that an engine has added together, because they were too many. */
  app: v.string(),
  /** Of the app, for people. */
  name: v.string(),
  profile: profileHead,
  /** Bytes in each bucket, from `from` on. */
  up: v.array(v.number()),
  down: v.array(v.number()),
});
export type HistorySeries = v.InferOutput<typeof historySeries>;

export const historyMarks = ['start', 'stop', 'switch', 'proxy-lost', 'proxy-back'] as const;
export const historyMark = v.object({
  /** Milliseconds since the epoch. */
  at: v.number(),
  kind: v.picklist(historyMarks),
  app: v.string(),
  name: v.string(),
  profile: profileHead,
});
export type HistoryMark = v.InferOutput<typeof historyMark>;

/** A time in which nothing was counted, since the computer slept. Milliseconds since the epoch. */
export const historyGap = v.object({ from: v.number(), to: v.number() });
export type HistoryGap = v.InferOutput<typeof historyGap>;

/** What was sent to a host and came from it. */
export const historyHost = v.object({
  /** Empty for all those together that are not kept one by one. */
  host: v.string(),
  up: v.number(),
  down: v.number(),
  /** Connections that began. */
  flows: v.number(),
});
export type HistoryHost = v.InferOutput<typeof historyHost>;

const span = { from: v.number(), to: v.number() };

export const historyView = v.object({
  /** Milliseconds since the epoch: when this was true. The newest bucket goes so far. */
  at: v.number(),
  /** Start of the first bucket, milliseconds since the epoch: a multiple of the step. */
  from: v.number(),
  step: v.picklist(shownSteps),
  /** What was before is not known; milliseconds since the epoch. */
  since: v.number(),
  series: v.array(historySeries),
  marks: v.array(historyMark),
  gaps: v.array(historyGap),
});
export type HistoryView = v.InferOutput<typeof historyView>;

export const historyHosts = v.object({
  /** Hosts are counted in coarser buckets than bytes: the times that these figures are really of. */
  ...span,
  /** Most bytes first. */
  hosts: v.array(historyHost),
});
export type HistoryHosts = v.InferOutput<typeof historyHosts>;

const keeping = { keep: v.picklist(historyKeeps), hosts: v.boolean() };

/** What is kept on disk. */
export const historyState = v.object({
  ...keeping,
  /** Size of the files. */
  bytes: v.number(),
  /** Why the files could not be read or written the last time. */
  problem: v.optional(failureView),
});
export type HistoryState = v.InferOutput<typeof historyState>;

export const historyPast = v.object({
  /** Start of the first bucket, milliseconds since the epoch. */
  from: v.number(),
  /** Seconds. */
  step: v.picklist([60, 3600]),
  /** As far as the files go back; missing where there are none. */
  since: v.optional(v.number()),
  series: v.array(historySeries),
  marks: v.array(historyMark),
  hosts: v.array(historyHost),
});
export type HistoryPast = v.InferOutput<typeof historyPast>;

export const historyCalls = {
  /** The last `seconds`, in buckets of `step` seconds; the newest bucket is the one that is still being filled. */
  'history.read': {
    params: v.strictObject({
      step: v.picklist(historySteps),
      seconds: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(86_400)),
    }),
    value: historyView,
  },
  /** The hosts with the most bytes between two times, as far as is known. */
  'history.hosts': {
    params: v.strictObject({ ...span, app: v.optional(v.string()) }),
    value: historyHosts,
  },
  /**
   * What the files have of a time, in buckets of `step` seconds; `without` are engines that tell themselves what was
   * since then. `hostsOf` asks for the hosts of an app, or with an empty name of all.
   */
  'history.past': {
    params: v.strictObject({
      ...span,
      step: v.picklist([60, 3600]),
      hostsOf: v.optional(v.string()),
      without: v.pipe(v.array(v.object({ engine: v.number(), since: v.number() })), v.maxLength(1000)),
    }),
    value: historyPast,
  },
  'history.state': { params: v.strictObject({}), value: historyState },
  /** Keeps so much on disk from now on; what is no longer to be kept goes at once. */
  'history.keep': { params: v.partial(v.strictObject(keeping)), value: historyState },
  /** Forgets the past, and removes the files of it. */
  'history.clear': { params: v.strictObject({}), value: v.strictObject({}) },
} as const;

export const historyEvents = {} as const;
