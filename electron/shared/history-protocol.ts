/**
 * What an engine answers about the traffic of the past, which it adds up itself: at 1 s for the last minutes, at 10 s
 * and 60 s for longer. Part of the calls in engine-protocol.ts.
 */
import * as v from 'valibot';
import { profileHead } from './model.ts';

/** Seconds that one bucket covers, and how many of them are kept: 15 minutes, 3 hours, 24 hours. */
export const historySteps = [1, 10, 60] as const;
export type HistoryStep = (typeof historySteps)[number];
export const historyLengths: Readonly<Record<HistoryStep, number>> = { 1: 900, 10: 1080, 60: 1440 };

/** One line of the graph: what one app did with one profile. */
export const historySeries = v.object({
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

/** What was sent to a host and came from it. */
export const historyHost = v.object({
  host: v.string(),
  up: v.number(),
  down: v.number(),
  flows: v.number(),
});

export const historyCalls = {
  /** The last `seconds`, in buckets of `step` seconds; the newest bucket is the one that is still being filled. */
  'history.read': {
    params: v.strictObject({
      step: v.picklist(historySteps),
      seconds: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(86_400)),
    }),
    value: v.object({
      /** Start of the first bucket, milliseconds since the epoch: a multiple of the step. */
      from: v.number(),
      step: v.picklist(historySteps),
      series: v.array(historySeries),
      marks: v.array(historyMark),
    }),
  },
  /** The hosts with the most bytes between two times, as far as is known, most first. */
  'history.hosts': {
    params: v.strictObject({ from: v.number(), to: v.number(), app: v.optional(v.string()) }),
    value: v.array(historyHost),
  },
} as const;

export const historyEvents = {} as const;
