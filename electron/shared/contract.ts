/**
 * What the window and Electron's main process say to each other, as a value: from this table come the preload's
 * functions, main's handlers, the renderer's bridge and the fakes of its tests. Commands go down, answered with
 * `Answer<T>`; a whole overview comes back whenever something changed, and figures at most once a second, while the
 * window is seen.
 */
import * as v from 'valibot';
import { configView, noticeEvent } from './app-protocol.ts';
import { connectionTable, usualTable } from './connection-columns.ts';
import { engineCalls, flowsEvent, roomEvents, trafficEvent } from './engine-protocol.ts';
import type { Answer } from './failure.ts';
import { historyCalls, historyView, shownSteps } from './history-protocol.ts';
import { laneView, snapshot } from './model.ts';
import { failureView } from './phrase-view.ts';
import { profileCalls } from './profile-protocol.ts';
import { ruleCalls } from './rule-protocol.ts';
import { supportCalls } from './support-protocol.ts';

/** One engine of this user: the window's own, or one that `culvert run` hosts. */
export const engineView = v.object({
  ...snapshot.entries.engine.entries,
  helpers: snapshot.entries.helpers,
  /** The window started it. */
  isOwn: v.boolean(),
  /** It has answered within the last second; what is shown of its lanes is old where it has not. */
  isAnswering: v.boolean(),
});
export type EngineView = v.InferOutput<typeof engineView>;

export const ownEngineStates = ['starting', 'ready', 'failed'] as const;

/** Everything that runs, of every engine of this user; sent entire whenever something in it changes. */
export const overview = v.object({
  /** The engine that the window starts itself. */
  own: v.object({ state: v.picklist(ownEngineStates), failure: v.optional(failureView) }),
  engines: v.array(engineView),
  lanes: v.array(v.object({ ...laneView.entries, /** Its engine's process id. */ engine: v.number() })),
});
export type Overview = v.InferOutput<typeof overview>;
export type ShownLane = Overview['lanes'][number];

export const themes = ['system', 'light', 'dark'] as const;
export const contrasts = ['system', 'more'] as const;
export const motions = ['system', 'reduce'] as const;
/** What the window's close button does where there is a status icon to find it by: without one it quits. */
export const closings = ['hide', 'quit', 'ask'] as const;
export const languages = ['en', 'zh-CN'] as const;
export type Language = (typeof languages)[number];

/** Apps by their ids, or by their paths where they have none. */
const appNames = v.pipe(v.array(v.pipe(v.string(), v.nonEmpty(), v.maxLength(4096))), v.maxLength(500));

/** How the window looks and behaves. `system` follows the desktop. */
export const preferences = v.object({
  theme: v.optional(v.picklist(themes), 'system'),
  contrast: v.optional(v.picklist(contrasts), 'system'),
  motion: v.optional(v.picklist(motions), 'system'),
  language: v.optional(v.picklist(['system', ...languages]), 'system'),
  closeButton: v.optional(v.picklist(closings), 'hide'),
  /** Shown first, those from outside of the application folders too, in the order in which they came. */
  pinnedApps: v.optional(appNames, []),
  /** Not shown unless asked for. */
  hiddenApps: v.optional(appNames, []),
  /** How the table of connections was left; as it usually is where that is not to be understood. */
  connections: v.fallback(v.optional(connectionTable, usualTable), usualTable),
  /** The user has left the first run without making a profile: it is not shown by itself again. */
  isFirstRunSkipped: v.optional(v.boolean(), false),
});
export type Preferences = v.InferOutput<typeof preferences>;

/** About the traffic of the past, of all engines: what each says of itself, and what files have of those that have ended. */
export const windowHistoryCalls = {
  'history.read': {
    params: v.strictObject({
      step: v.picklist(shownSteps),
      seconds: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(30 * 86_400)),
    }),
    value: v.object({
      ...historyView.entries,
      /** Why what was kept on disk is missing. */
      problem: v.optional(failureView),
    }),
  },
  'history.hosts': historyCalls['history.hosts'],
  'history.state': historyCalls['history.state'],
  'history.keep': historyCalls['history.keep'],
  'history.clear': historyCalls['history.clear'],
} as const;

const none = v.strictObject({});
const flowKey = v.strictObject({ lane: v.pipe(v.string(), v.maxLength(40)), id: v.number() });

/** What the window's own engine answers, word for word. */
export const forwardedCalls = { ...profileCalls, ...ruleCalls, ...supportCalls } as const;

export const windowCalls = {
  /** The window's first word, and a new window's after a crash: answers all it needs for its first picture. */
  'window.start': {
    params: none,
    value: v.object({
      version: v.string(),
      preferences,
      /** The languages of the desktop, best first, as BCP 47 tags. */
      systemLanguages: v.array(v.string()),
      overview,
    }),
  },
  'preferences.set': {
    params: v.strictObject({
      theme: v.optional(v.picklist(themes)),
      contrast: v.optional(v.picklist(contrasts)),
      motion: v.optional(v.picklist(motions)),
      language: v.optional(v.picklist(['system', ...languages])),
      closeButton: v.optional(v.picklist(closings)),
      pinnedApps: v.optional(appNames),
      hiddenApps: v.optional(appNames),
      connections: v.optional(connectionTable),
      isFirstRunSkipped: v.optional(v.boolean()),
    }),
    value: preferences,
  },
  /** Puts text on the clipboard. */
  'text.copy': { params: v.strictObject({ text: v.pipe(v.string(), v.maxLength(1_000_000)) }), value: none },
  /** What is on the clipboard, as text: only for somebody who has just asked to paste it. */
  'text.paste': { params: none, value: v.object({ text: v.string() }) },
  /** Starts the window's own engine again after it could not be started. */
  'engine.start': { params: none, value: none },
  'lane.stop': engineCalls['lane.stop'],
  'lane.switch': engineCalls['lane.switch'],
  'lane.processes': engineCalls['lane.processes'],
  'lane.check': engineCalls['lane.check'],
  'lane.log': engineCalls['lane.log'],
  /** Turns on the `flows` event: first all flows of all engines, then at most once a second what has changed. */
  'flows.watch': { params: none, value: none },
  'flows.unwatch': { params: none, value: none },
  'flows.close': {
    params: v.strictObject({ flows: v.pipe(v.array(flowKey), v.maxLength(50_000)) }),
    value: v.strictObject({ closed: v.number() }),
  },
  /** About apps the window asks its own engine; icons are pictures at `iconAddress`. */
  'app.list': engineCalls['app.list'],
  'app.target': engineCalls['app.target'],
  'app.open': engineCalls['app.open'],
  'app.instance': engineCalls['app.instance'],
  'app.close': engineCalls['app.close'],
  'app.trust': engineCalls['app.trust'],
  'app.makeExecutable': engineCalls['app.makeExecutable'],
  'app.bind': engineCalls['app.bind'],
  'app.unbind': engineCalls['app.unbind'],
  'launcher.list': engineCalls['launcher.list'],
  'launcher.create': engineCalls['launcher.create'],
  'launcher.remove': engineCalls['launcher.remove'],
  'profile.setDefault': engineCalls['profile.setDefault'],
  'config.read': engineCalls['config.read'],
  /** Lets the user choose a file; its path, or null. */
  'file.choose': { params: none, value: v.nullable(v.string()) },
  /** Lets the user choose where to save a text; only they can read the file. Its path, or null. `file-unwritable`. */
  'file.save': {
    params: v.strictObject({
      /** Offered to the user. */
      name: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9.-]{0,80}$/)),
      text: v.pipe(v.string(), v.maxLength(1_000_000)),
    }),
    value: v.nullable(v.string()),
  },
  ...windowHistoryCalls,
  ...forwardedCalls,
} as const;

/** Numbers as one piece of memory: an array would be taken apart and put together again on its way to the page. */
const figures = v.instance(Float64Array);

export const windowEvents = {
  overview,
  /** Changed by main itself, as in answer to a question. */
  preferences,
  traffic: trafficEvent,
  /** What an engine would have told in the last minute, had the window been seen, oldest first. */
  pastTraffic: v.array(trafficEvent),
  /** `of` is the engine's process id; with `isWhole` its earlier flows are to be forgotten. */
  flows: v.object({ ...flowsEvent.entries, counted: figures, of: v.number(), isWhole: v.boolean() }),
  /** Of the window's own engine: what it goes by, whenever that changes, and what became of an app it opened. */
  config: configView,
  notice: noticeEvent,
  /** The user wants this app, by the status icon's menu say, and there is something to ask before it opens. */
  openApp: v.object({ app: v.string(), profile: v.optional(v.string()) }),
  ...roomEvents,
} as const;

export type WindowCall = keyof typeof windowCalls;
export type WindowParams<C extends WindowCall> = v.InferOutput<(typeof windowCalls)[C]['params']>;
export type WindowValue<C extends WindowCall> = v.InferOutput<(typeof windowCalls)[C]['value']>;
export type WindowEvent = keyof typeof windowEvents;
export type WindowEventValue<E extends WindowEvent> = v.InferOutput<(typeof windowEvents)[E]>;

export const windowCallNames = Object.keys(windowCalls) as readonly WindowCall[];
export const windowEventNames = Object.keys(windowEvents) as readonly WindowEvent[];

/** What a call is called between the processes. */
export function callChannel(name: WindowCall): string {
  return `culvert.call.${name}`;
}

/** What an event is called between the processes. */
export function eventChannel(name: WindowEvent): string {
  return `culvert.event.${name}`;
}

const iconRoot = '/icon/';

/** Where the page finds an app's icon, for about `size` pixels of a screen with `scale` dots for each. */
export function iconAddress(app: string, size: number, scale: number): string {
  return `${iconRoot}${encodeURIComponent(app)}?size=${size}&scale=${scale}`;
}

/** The parameters of `app.icon` that an address of the page's own stands for; undefined for any other. */
export function iconAsked(address: URL): { app: string; size: number; scale: number } | undefined {
  if (!address.pathname.startsWith(iconRoot)) return undefined;
  const asked = v.safeParse(engineCalls['app.icon'].params, {
    app: decoded(address.pathname.slice(iconRoot.length)),
    size: Number(address.searchParams.get('size') ?? 48),
    scale: Number(address.searchParams.get('scale') ?? 1),
  });
  if (!asked.success) return undefined;
  const { app, size = 48, scale = 1 } = asked.output;
  return { app, size, scale };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that stands for nothing: no app is called so.
    return undefined;
  }
}

/** A function for each call: what main answers with. One that is forgotten does not compile. */
export type WindowHandlers = {
  readonly [C in WindowCall]: (params: WindowParams<C>) => WindowValue<C> | Promise<WindowValue<C>>;
};

/** `window.culvert`, as the preload hands it to the renderer and fakes stand in for it. */
export interface WindowApi {
  readonly calls: {
    readonly [C in WindowCall]: (params: WindowParams<C>) => Promise<Answer<WindowValue<C>>>;
  };
  /** Listens; the answer takes the listener away again. */
  readonly events: {
    readonly [E in WindowEvent]: (listener: (value: WindowEventValue<E>) => void) => () => void;
  };
  readonly files: {
    /** The path of a file that was dropped on the page; empty for one that has none. Throws for what is no file. */
    readonly pathOf: (file: unknown) => string;
  };
}
