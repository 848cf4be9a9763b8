/**
 * What an engine answers about apps: which there are, what a dropped path is, opening them, launchers, and the
 * configuration that says which profile they use. Part of the calls in engine-protocol.ts.
 */
import * as v from 'valibot';
import { profileHead } from './model.ts';
import { failureView } from './phrase-view.ts';
import { config, slug } from './profile.ts';

/** Largest icon that is answered, in bytes. */
export const maxIconBytes = 256 * 1024;

const none = v.strictObject({});
const text = (most: number) => v.pipe(v.string(), v.nonEmpty(), v.maxLength(most));
/** Id of a desktop entry, or the absolute path of an entry from elsewhere or of a program. */
const appName = text(4096);
const laneId = text(40);
/** Stands for the text of a desktop entry that was shown to the user. */
const mark = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

export const appView = v.object({
  /** What rules, bindings and launchers call it: its desktop entry's id, or its path. */
  id: v.string(),
  /** In the user's language, as the others. */
  name: v.string(),
  genericName: v.optional(v.string()),
  comment: v.optional(v.string()),
  keywords: v.array(v.string()),
  actions: v.array(v.object({ id: v.string(), name: v.string() })),
  /** Id of the profile that it is bound to. */
  profile: v.optional(v.string()),
  isTerminal: v.boolean(),
  packaging: v.picklist(['host', 'flatpak', 'snap']),
  /** It can be opened with `separate`. */
  canSeparate: v.boolean(),
});
export type AppView = v.InferOutput<typeof appView>;

/** What a path is. Only `entry` and `program` can be opened. */
export const targetView = v.variant('kind', [
  v.object({
    kind: v.literal('entry'),
    app: appView,
    /** It lies outside of the application folders: `app.open` wants its mark, once the user has seen the command. */
    needsTrust: v.boolean(),
    command: v.array(v.string()),
    mark,
  }),
  v.object({
    kind: v.literal('program'),
    app: appView,
    format: v.picklist(['elf', 'appimage', 'script']),
    path: v.string(),
    /** At the end of all links. */
    realPath: v.string(),
    /** Without it `app.makeExecutable` comes first. */
    isExecutable: v.boolean(),
    interpreter: v.optional(v.string()),
  }),
  /** Text that profiles or rules are imported from. */
  v.object({ kind: v.literal('import'), path: v.string() }),
  v.object({ kind: v.literal('refused'), path: v.string(), reason: v.string(), sentence: v.string() }),
]);
export type TargetView = v.InferOutput<typeof targetView>;

/** A running process that would take over from an app that is opened now. */
export const instanceView = v.object({
  /** How it was found: by the lock of a profile, its name on the bus, its Flatpak, or only the same program. */
  kind: v.picklist(['firefox', 'chromium', 'bus', 'flatpak', 'program']),
  pid: v.number(),
  /** With the pid it names one process for ever. */
  startTicks: v.string(),
  /** `lane`: on an isolated network, with another profile. */
  place: v.picklist(['outside', 'lane']),
  /** `possible`: the same program runs, which hands over or does not; `anyway` opens it all the same. */
  certainty: v.picklist(['certain', 'possible']),
  ways: v.array(v.picklist(['close-and-reopen', 'separate-profile'])),
});
export type InstanceView = v.InferOutput<typeof instanceView>;

export const launcherView = v.object({
  id: v.string(),
  file: v.string(),
  name: v.string(),
  app: v.string(),
  profile: v.string(),
});
export type LauncherView = v.InferOutput<typeof launcherView>;

export const configView = v.object({
  /** Without a problem the one of the file; with one the last that was good, or an empty one. Never passwords. */
  config,
  /** All that can be chosen, those that are built in too. */
  profiles: v.array(profileHead),
  /** Why the file cannot be read. */
  problem: v.optional(failureView),
});
export type ConfigView = v.InferOutput<typeof configView>;

/** Something that happened after a call was answered, and that the user must hear of. */
export const noticeEvent = v.object({
  /** Milliseconds since the epoch. */
  at: v.number(),
  lane: v.string(),
  app: v.string(),
  /** Of the app, for people. */
  name: v.string(),
  failure: failureView,
});
export type NoticeEvent = v.InferOutput<typeof noticeEvent>;

const opening = {
  /** A desktop entry's id, or the path of an entry from elsewhere or of a program. A launcher stands for its app. */
  app: appName,
  /** Else the one that the app is bound to, else the default one; else `profile-missing`. */
  profile: v.optional(slug),
  /** With a profile of the browser's own: see `canSeparate`. */
  separate: v.optional(v.boolean()),
};

export const appCalls = {
  /** The installed apps that menus show, by name; with `search` those that match, best first. */
  'app.list': {
    params: v.strictObject({ search: v.optional(v.pipe(v.string(), v.maxLength(200))) }),
    value: v.array(appView),
  },
  /** An app's icon in base64, of `size` pixels or near it; null where there is none, or none that may be shown. */
  'app.icon': {
    params: v.strictObject({
      app: appName,
      /** 48 by default. */
      size: v.optional(v.pipe(v.number(), v.integer(), v.minValue(8), v.maxValue(512))),
      scale: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4))),
    }),
    value: v.nullable(v.object({ mime: v.picklist(['image/svg+xml', 'image/png']), data: v.string() })),
  },
  /** What an absolute path or a file:// URL is. */
  'app.target': { params: v.strictObject({ path: appName }), value: targetView },
  /**
   * Starts an app on a lane of its own; several files for an app that takes one at a time are as many lanes. Resolves
   * once it runs, which may take the time of a question for a password. Its output goes to stateDir()/lanes/ID.log.
   * Fails with `app-running-outside` where one runs that would take over (`app.instance` says which), unless that one
   * is on a lane with the same profile; what becomes known later comes as a `notice`.
   */
  'app.open': {
    params: v.strictObject({
      ...opening,
      /** Files and URLs to open; for a program its arguments. */
      args: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(131_072))), v.maxLength(1000))),
      /** Id of one of the app's own actions. */
      action: v.optional(text(255)),
      /** Where an instance only may take over. */
      anyway: v.optional(v.boolean()),
      /** The mark of an entry from outside of the application folders whose command the user has seen. */
      trusted: v.optional(mark),
    }),
    value: v.strictObject({ lanes: v.pipe(v.array(laneId), v.minLength(1)) }),
  },
  /** The instance for which `app.open` would fail with `app-running-outside`; null for none. */
  'app.instance': { params: v.strictObject(opening), value: v.nullable(instanceView) },
  /** SIGTERM to that instance; false where it still runs after 10 s, because it asks what to save, say. */
  'app.close': {
    params: v.strictObject({
      pid: v.pipe(v.number(), v.integer(), v.minValue(2)),
      startTicks: v.pipe(v.string(), v.regex(/^[0-9]{1,20}$/)),
    }),
    value: v.strictObject({ isClosed: v.boolean() }),
  },
  /** Remembers that the user trusts an entry from outside of the application folders, as long as it stays the same. */
  'app.trust': { params: v.strictObject({ path: appName, mark }), value: none },
  'app.makeExecutable': { params: v.strictObject({ path: appName }), value: none },
  'app.bind': { params: v.strictObject({ app: text(255), profile: slug }), value: none },
  'app.unbind': { params: v.strictObject({ app: text(255) }), value: none },
  /** For apps that are bound to none; without a profile there is no default any more. */
  'profile.setDefault': { params: v.strictObject({ profile: v.optional(slug) }), value: none },
  /** The end of what the app of a lane has written, also of one that has ended; empty unless `app.open` made it. */
  'lane.log': { params: v.strictObject({ lane: laneId }), value: v.strictObject({ text: v.string() }) },
  'launcher.list': { params: none, value: v.array(launcherView) },
  /** One for the same app and profile is replaced. An app whose entry is not trusted gets none. */
  'launcher.create': {
    params: v.strictObject({ app: appName, profile: slug, name: v.optional(text(200)) }),
    value: launcherView,
  },
  'launcher.remove': { params: v.strictObject({ id: text(255) }), value: none },
  'config.read': { params: none, value: configView },
  /** Answers the same and turns on the `config` events of this connection. */
  'config.watch': { params: none, value: configView },
} as const;
