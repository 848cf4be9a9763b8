/**
 * How the window and the command line talk to an engine: JSON-RPC 2.0, one object a line (at most
 * 1 MiB), over `engine-<pid>.sock`. Commands go down; one whole snapshot comes back, and after
 * `watch` again whenever it changes. What moves all the time, bytes and flows, is told once a second to
 * those who asked for it.
 */
import * as v from 'valibot';
import { appCalls, configView, noticeEvent } from './app-protocol.ts';
import { historyCalls, historyEvents } from './history-protocol.ts';
import { checkReport, flowView, snapshot } from './model.ts';
import { profileCalls, profileEvents } from './profile-protocol.ts';
import { slug } from './profile.ts';
import { ruleCalls, ruleEvents } from './rule-protocol.ts';
import { supportCalls, supportEvents } from './support-protocol.ts';

/** Longest line in bytes; a longer one ends the connection. */
export const maxLineBytes = 1024 * 1024;

export const trafficEvent = v.strictObject({
  /** Milliseconds since the epoch. */
  at: v.number(),
  lanes: v.array(
    v.strictObject({ id: v.string(), bytesUp: v.number(), bytesDown: v.number(), flowsOpen: v.number() }),
  ),
});
export type TrafficEvent = v.InferOutput<typeof trafficEvent>;

const laneId = v.pipe(v.string(), v.maxLength(40));

export const engineCalls = {
  hello: {
    params: v.strictObject({ version: v.string() }),
    value: v.strictObject({ version: v.string(), pid: v.number() }),
  },
  snapshot: { params: v.strictObject({}), value: snapshot },
  /** Answers the snapshot and turns on the `snapshot` and `notice` events of this connection. */
  watch: { params: v.strictObject({}), value: snapshot },
  /** Open flows, and the newest closed ones, of one lane or of all. */
  flows: {
    params: v.strictObject({ lane: v.optional(laneId), attribute: v.optional(v.boolean()) }),
    value: v.array(flowView),
  },
  /** SIGTERM to the lane's processes; with `force` SIGKILL. Resolves when the signal has been sent. */
  'lane.stop': {
    params: v.strictObject({ lane: laneId, force: v.optional(v.boolean()) }),
    value: v.strictObject({ signalled: v.number() }),
  },
  /**
   * Gives a lane another profile of the configuration. New flows follow at once; those that are open are reset,
   * or with `keep` go on as they are.
   */
  'lane.switch': {
    params: v.strictObject({ lane: laneId, profile: slug, keep: v.optional(v.boolean()) }),
    value: v.strictObject({ closed: v.number() }),
  },
  'lane.processes': {
    params: v.strictObject({ lane: laneId }),
    value: v.array(v.object({ pid: v.number(), parent: v.number(), name: v.string(), command: v.string() })),
  },
  /** Resets flows by their ids; those that have ended meanwhile are passed over. */
  'flows.close': {
    params: v.strictObject({ ids: v.pipe(v.array(v.number()), v.maxLength(50_000)) }),
    value: v.strictObject({ closed: v.number() }),
  },
  /**
   * Turns on the `flows` events of this connection: first all, then at most once a second what has changed. While
   * anybody watches, flows are given their processes.
   */
  'flows.watch': { params: v.strictObject({}), value: v.strictObject({}) },
  'flows.unwatch': { params: v.strictObject({}), value: v.strictObject({}) },
  /** Turns on the `traffic` event of this connection; answers those of the last minute, oldest first. */
  'traffic.watch': { params: v.strictObject({}), value: v.strictObject({ past: v.array(trafficEvent) }) },
  'traffic.unwatch': { params: v.strictObject({}), value: v.strictObject({}) },
  /** Looks at a lane from the inside and the outside; 5 s at most. See leak-check.ts. */
  'lane.check': {
    params: v.strictObject({ lane: laneId, url: v.optional(v.string()) }),
    value: checkReport,
  },
  ...appCalls,
  ...profileCalls,
  ...ruleCalls,
  ...historyCalls,
  ...supportCalls,
} as const;

export type EngineCall = keyof typeof engineCalls;
export type EngineParams<C extends EngineCall> = v.InferOutput<(typeof engineCalls)[C]['params']>;
export type EngineValue<C extends EngineCall> = v.InferOutput<(typeof engineCalls)[C]['value']>;

/** Tens of thousands every second: one look at each, and no more. */
const figures = v.custom<number[]>(
  (input) => Array.isArray(input) && input.every((figure) => typeof figure === 'number'),
);

export const flowsEvent = v.strictObject({
  /** Milliseconds since the epoch. */
  at: v.number(),
  /** When was looked before, for rates; missing in the first event. */
  since: v.optional(v.number()),
  /** Flows that are new or have changed, whole. */
  changed: v.array(flowView),
  /** Flows of which only the bytes have changed: id, bytes up and bytes down of each, one after another. */
  counted: figures,
  /** There was more than fits into one event: what is told here goes on in the next one. */
  hasMore: v.optional(v.boolean()),
});
export type FlowsEvent = v.InferOutput<typeof flowsEvent>;

/** Told to the connection that asked for them by a call. */
export const roomEvents = { ...profileEvents, ...ruleEvents, ...historyEvents, ...supportEvents } as const;
export type RoomEvent = keyof typeof roomEvents;

export const engineEvents = {
  snapshot,
  traffic: trafficEvent,
  flows: flowsEvent,
  notice: noticeEvent,
  config: configView,
  ...roomEvents,
} as const;
export type EngineEvent = keyof typeof engineEvents;
export type EngineEventValue<E extends EngineEvent> = v.InferOutput<(typeof engineEvents)[E]>;

export const rpcRequest = v.strictObject({
  jsonrpc: v.literal('2.0'),
  id: v.number(),
  method: v.picklist(Object.keys(engineCalls) as EngineCall[]),
  params: v.unknown(),
});
