/**
 * Main as the page sees it, made from the contract: every call and every event is there, and what goes through
 * is parsed as the real border parses it, so that a fake that has drifted fails.
 */
import * as v from 'valibot';
import {
  windowCallNames,
  windowCalls,
  windowEventNames,
  windowEvents,
  preferences,
  type Overview,
  type Preferences,
  type ShownLane,
  type WindowApi,
  type WindowCall,
  type WindowEvent,
  type WindowEventValue,
  type WindowHandlers,
} from '../../electron/shared/contract.ts';
import type { AppView, ConfigView } from '../../electron/shared/app-protocol.ts';
import { failureOf, type Answer } from '../../electron/shared/failure.ts';
import type { ProfileHead } from '../../electron/shared/model.ts';
import { config } from '../../electron/shared/profile.ts';

export const overviewOf = (lanes: readonly ShownLane[] = []): Overview => ({
  own: { state: 'ready' },
  engines: [
    {
      pid: 7,
      version: '0.1.0',
      startedAt: 1000,
      helpers: [{ state: 'ready', mode: 'rootless' }],
      isOwn: false,
      isAnswering: true,
    },
  ],
  lanes: [...lanes],
});

export const lane = (change: Partial<ShownLane> = {}): ShownLane => ({
  id: '7-1',
  engine: 7,
  name: 'firefox',
  app: 'firefox',
  command: ['firefox', '--new-window', 'a b'],
  profile: { id: 'work', name: 'Work', colour: '#3a6ea5', letter: 'W' },
  via: 'socks5://203.0.113.7:1080',
  health: 'reachable',
  state: 'running',
  mode: 'rootless',
  interception: 'tproxy',
  pid: 100,
  startedAt: 1000,
  flowsOpen: 2,
  flowsTotal: 5,
  bytesUp: 10,
  bytesDown: 20,
  notes: [],
  ...change,
});

const usualPreferences: Preferences = v.parse(preferences, {});

export const app = (id: string, change: Partial<AppView> = {}): AppView => ({
  ...{ id, name: `The ${id}`, keywords: [], actions: [], isTerminal: false },
  ...{ packaging: 'host', canSeparate: false },
  ...change,
});

export const work = { id: 'work', name: 'Work', colour: '#3a6ea5', letter: 'W' };
const builtIn = [
  { id: 'none', name: 'No network', colour: '#8a8a8a', letter: 'N' },
  { id: 'direct', name: 'Direct (isolated)', colour: '#c98a1b', letter: 'D' },
];

/** A configuration with these profiles, the first of them the default one. */
export function configOf(profiles: readonly ProfileHead[] = [work]): ConfigView {
  const [first] = profiles;
  const defaultProfile = first?.id === undefined ? {} : { defaultProfile: first.id };
  return { config: v.parse(config, { version: 1, ...defaultProfile }), profiles: [...profiles, ...builtIn] };
}

/** What it answers unless a test says otherwise; a call that is not here fails as one that nobody answers. */
const usual: Partial<WindowHandlers> = {
  'window.start': () => ({
    version: '0.1.0',
    preferences: usualPreferences,
    systemLanguages: ['en-GB'],
    overview: overviewOf(),
  }),
  'preferences.set': (change) => v.parse(preferences, change),
  'text.copy': () => ({}),
  'text.paste': () => ({ text: '' }),
  'engine.start': () => ({}),
  'lane.stop': () => ({ signalled: 1 }),
  'lane.switch': () => ({ closed: 0 }),
  'lane.processes': () => [{ pid: 100, parent: 1, name: 'firefox', command: 'firefox' }],
  'lane.check': () => ({ outcome: 'ok', lines: [] }),
  'lane.log': () => ({ text: '' }),
  'flows.watch': () => ({}),
  'flows.unwatch': () => ({}),
  'flows.close': ({ flows }) => ({ closed: flows.length }),
  'app.list': () => [],
  'app.target': ({ path }) => ({
    kind: 'refused',
    path,
    reason: 'missing',
    sentence: 'there is no such file',
  }),
  'app.open': () => ({ lanes: ['7-1'] }),
  'app.instance': () => null,
  'app.close': () => ({ isClosed: true }),
  'app.trust': () => ({}),
  'app.makeExecutable': () => ({}),
  'app.bind': () => ({}),
  'app.unbind': () => ({}),
  'launcher.create': ({ app: id, profile }) => ({ id: 'x', file: '/x', name: 'X', app: id, profile }),
  'launcher.list': () => [],
  'launcher.remove': () => ({}),
  'profile.setDefault': () => ({}),
  'proxy.read': () => [],
  'proxy.found': () => [],
  'profile.endTest': () => ({}),
  'config.read': () => configOf(),
  'file.choose': () => null,
};

export class FakeMain {
  /** What was asked, in order. */
  readonly asked: { readonly name: WindowCall; readonly params: unknown }[] = [];
  readonly #listeners = new Map<WindowEvent, Set<(value: never) => void>>();
  readonly #handlers: Partial<WindowHandlers>;

  constructor(handlers: Partial<WindowHandlers> = {}) {
    this.#handlers = { ...usual, ...handlers };
    const calls = windowCallNames.map((name) => [name, (params: unknown) => this.#answer(name, params)]);
    const events = windowEventNames.map((name) => [
      name,
      (listener: (value: never) => void) => {
        const set = this.#listeners.get(name) ?? new Set();
        this.#listeners.set(name, set.add(listener));
        return () => set.delete(listener);
      },
    ]);
    const api = {
      calls: Object.fromEntries(calls) as WindowApi['calls'],
      events: Object.fromEntries(events) as WindowApi['events'],
      // A file of a test says where it is by its name.
      files: { pathOf: (file: unknown) => (file as File).name },
    };
    Object.defineProperty(window, 'culvert', { value: api, configurable: true });
  }

  /** Tells the page. */
  tell<E extends WindowEvent>(event: E, value: WindowEventValue<E>): void {
    v.parse(windowEvents[event], value);
    for (const listener of this.#listeners.get(event) ?? []) {
      (listener as (value: WindowEventValue<E>) => void)(value);
    }
  }

  async #answer(name: WindowCall, params: unknown): Promise<Answer<unknown>> {
    this.asked.push({ name, params });
    const parsed = v.safeParse(windowCalls[name].params, params);
    if (!parsed.success) return { ok: false, failure: { code: 'bad-message', step: name } };
    try {
      const handler = this.#handlers[name] as ((params: unknown) => unknown) | undefined;
      if (handler === undefined) throw new Error(`the test's main does not answer ${name}`);
      return { ok: true, value: v.parse(windowCalls[name].value, await handler(parsed.output)) };
    } catch (error) {
      return { ok: false, failure: failureOf(error) };
    }
  }
}
