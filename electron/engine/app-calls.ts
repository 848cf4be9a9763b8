/**
 * The answers to the calls about apps, launchers and the configuration (shared/app-protocol.ts), over the rooms that
 * know: apps/, config/, and the starter.
 */
import { Emitter } from '#shared/control/emitter.ts';
import type {
  appCalls,
  AppView,
  ConfigView,
  LauncherView,
  NoticeEvent,
  TargetView,
} from '#shared/app-protocol.ts';
import type { EngineParams, EngineValue } from '#shared/engine-protocol.ts';
import { CulvertError } from '#shared/failure.ts';
import type { Config } from '#shared/profile.ts';
import { boundProfile, namesOfApp, profileFor, startableOf, startableTarget } from './app-choice.ts';
import { appEnvironment, type CallerFacts } from './app-environment.ts';
import { AppIcons } from './app-icons.ts';
import { readLog } from './app-log.ts';
import { AppStarter } from './app-starter.ts';
import {
  canSeparate,
  Catalogue,
  closeInstance,
  createLauncher,
  listLaunchers,
  makeExecutable,
  removeLauncher,
  search,
  targetOf,
  trustEntry,
  type App,
} from './apps/index.ts';
import { bindApp, setDefault, unbindApp } from './config/edit.ts';
import { ConfigStore } from './config/store.ts';
import { ConfigFeed } from './config-feed.ts';
import { ownProgram } from './own-program.ts';
import type { Engine } from './engine.ts';

export type AppCall = Exclude<keyof typeof appCalls, 'config.watch'>;
export type AppHandlers = {
  readonly [C in AppCall]: (params: EngineParams<C>) => EngineValue<C> | Promise<EngineValue<C>>;
};

export interface AppCallsOptions {
  readonly engine: Pick<Engine, 'prepare' | 'openLane' | 'snapshot' | 'lane'>;
  readonly productDir: string;
  readonly facts: CallerFacts;
}

/** Made with the first call that needs them: an engine of `culvert run` is asked for none. */
interface Parts {
  readonly env: Record<string, string>;
  readonly catalogue: Catalogue;
  readonly icons: AppIcons;
  readonly store: ConfigStore;
  readonly feed: ConfigFeed;
  readonly starter: AppStarter;
}

export class AppCalls {
  readonly #options: AppCallsOptions;
  readonly #emitter = new Emitter<{ notice: NoticeEvent }>();
  /** As the last list had them: an icon is asked for each. */
  #known: ReadonlyMap<string, App> = new Map();
  #made: Parts | undefined;

  constructor(options: AppCallsOptions) {
    this.#options = options;
  }

  get #parts(): Parts {
    this.#made ??= this.#make();
    return this.#made;
  }

  #make(): Parts {
    const { engine, facts } = this.#options;
    const env = appEnvironment(process.env);
    const catalogue = new Catalogue(env);
    const store = ConfigStore.open();
    const starter = new AppStarter({
      ...{ engine, catalogue, store, env: process.env, facts },
      onNotice: (notice) => {
        this.#emitter.emit('notice', { ...notice, at: Date.now() });
      },
    });
    return { env, catalogue, store, starter, icons: new AppIcons(env), feed: new ConfigFeed(store) };
  }

  onNotice(listener: (notice: NoticeEvent) => void): () => void {
    return this.#emitter.on('notice', listener);
  }

  /** Tells the configuration whenever it has changed. */
  watchConfig(listener: (view: ConfigView) => void): () => void {
    return this.#parts.feed.watch(listener);
  }

  configView(): ConfigView {
    return this.#parts.feed.view();
  }

  close(): void {
    this.#made?.feed.close();
  }

  readonly handlers: AppHandlers = {
    'app.list': (params) => this.#list(params.search ?? ''),
    'app.icon': ({ app, size, scale }) => this.#icon(app, size ?? 48, scale ?? 1),
    'app.target': ({ path }) => this.#target(path),
    'app.open': async (params) => ({ lanes: (await this.#parts.starter.open(params)).map(({ id }) => id) }),
    'app.instance': async (params) => {
      const found = await this.#parts.starter.instance(params);
      if (found === undefined) return null;
      const { kind, pid, startTicks, place, certainty, ways } = found;
      return { kind, pid, startTicks, place, certainty, ways: [...ways] };
    },
    'app.close': async (instance) => ({ isClosed: await closeInstance(instance) }),
    'app.trust': async ({ path, mark }) => {
      await trustEntry(path, mark, this.#parts.env);
      return {};
    },
    'app.makeExecutable': async ({ path }) => {
      await madeExecutable(path, this.#parts.env);
      return {};
    },
    'app.bind': async ({ app, profile }) => {
      await this.#parts.store.update((config) => bindApp(config, app, profile));
      return {};
    },
    'app.unbind': async ({ app }) => {
      await this.#parts.store.update((config) => unbindApp(config, app));
      return {};
    },
    'profile.setDefault': async ({ profile }) => {
      await this.#parts.store.update((config) => setDefault(config, profile));
      return {};
    },
    'lane.log': ({ lane }) => ({ text: readLog(lane, this.#parts.env) }),
    'launcher.list': () => listLaunchers(this.#parts.env),
    'launcher.create': (params) => this.#createLauncher(params),
    'launcher.remove': async ({ id }) => {
      await removeLauncher(id, this.#parts.env);
      return {};
    },
    'config.read': () => this.configView(),
  };

  async #list(text: string): Promise<AppView[]> {
    const apps = await this.#parts.catalogue.shown();
    this.#known = new Map(apps.map((app) => [app.id, app]));
    const { config } = this.configView();
    return search(apps, text).map((app) => viewOf(app, namesOfApp(app), config));
  }

  async #icon(name: string, size: number, scale: number): Promise<EngineValue<'app.icon'>> {
    const app =
      this.#known.get(name) ?? (await startableOf(name, this.#parts.catalogue, this.#parts.env)).app;
    const icon = app.icon === undefined ? undefined : await this.#parts.icons.read(app.icon, size, scale);
    return icon === undefined ? null : { mime: icon.mime, data: icon.bytes.toString('base64') };
  }

  async #target(path: string): Promise<TargetView> {
    const target = await targetOf(path, { env: this.#parts.env });
    const startable = startableTarget(target);
    if (target.kind === 'import' || target.kind === 'refused' || startable === undefined)
      return target as Extract<typeof target, { kind: 'import' | 'refused' }>;
    const app = viewOf(startable.app, startable.names, this.configView().config);
    return target.kind === 'entry' ? { ...target, app, command: [...target.command] } : { ...target, app };
  }

  async #createLauncher({ app, profile, name }: EngineParams<'launcher.create'>): Promise<LauncherView> {
    const startable = await startableOf(app, this.#parts.catalogue, this.#parts.env);
    if (startable.untrusted !== undefined)
      throw new CulvertError('app-untrusted', { detail: startable.untrusted.command.join(' ') });
    const chosen = profileFor(this.#parts.store.read(), profile, startable.names);
    const culvert = ownProgram(this.#options.productDir);
    return createLauncher(
      {
        ...{ culvert, app: startable.names[0], profile: { id: chosen.id, name: chosen.name }, name },
        source: startable.program === undefined ? startable.app.source : undefined,
      },
      this.#parts.env,
    );
  }
}

function viewOf(app: App, names: readonly string[], config: Config): AppView {
  const { id, name, genericName, comment, keywords, actions, isTerminal, packaging } = app;
  const profile = boundProfile(config, names);
  return {
    ...{ id, name, keywords: [...keywords], isTerminal, packaging, canSeparate: canSeparate(app) },
    actions: actions.map((action) => ({ id: action.id, name: action.name })),
    ...(genericName === undefined ? {} : { genericName }),
    ...(comment === undefined ? {} : { comment }),
    ...(profile === undefined ? {} : { profile }),
  };
}

async function madeExecutable(path: string, env: NodeJS.ProcessEnv): Promise<void> {
  try {
    await makeExecutable(path, { env });
  } catch (error) {
    if (error instanceof CulvertError) throw error;
    // Another's file, or one on a medium that is only to be read.
    const why = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new CulvertError('command-not-executable', { detail: `${path}: ${why}`, cause: error });
  }
}
