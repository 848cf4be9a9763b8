/**
 * Opens apps from the desktop, each on a lane of its own, and stays with them for their first seconds.
 *
 * Does: decide app, profile and command; refuse where a running instance would take over; tell afterwards when an app
 * has handed over after all, or met an error at once.
 * Must not: let an app run whose entry is not trusted, or stay silent about one that opened outside of its lane.
 */
import { closeSync, openSync, statSync } from 'node:fs';
import { CulvertError, failureOf, failureSaying, type Failure } from '#shared/failure.ts';
import { phrase } from '#shared/phrase.ts';
import type { Profile } from '#shared/profile.ts';
import { profileFor, startableOf, type Startable } from './app-choice.ts';
import { appEnvironment, withoutLocalProxies, type CallerFacts } from './app-environment.ts';
import {
  instanceOf,
  runningOutside,
  separateProfile,
  type Found,
  type SeparateProfile,
} from './app-instance.ts';
import { AppLog } from './app-log.ts';
import { planApp, planProgram, wasHandedOver, type Catalogue, type StartPlan } from './apps/index.ts';
import { homeOf } from './apps/folders.ts';
import type { ConfigStore } from './config/store.ts';
import type { Engine } from './engine.ts';
import type { Lane } from './lane.ts';

/** From an app's start: what ends within this time may have handed over. */
const watchedMs = 5000;

export interface AppRequest {
  /** Id of a desktop entry, or an absolute path. */
  readonly app: string;
  /** Id of a profile; else the one that the app is bound to, else the default one. */
  readonly profile?: string | undefined;
  readonly separate?: boolean | undefined;
}

export interface OpenRequest extends AppRequest {
  /** Files and URLs to open; for a program its arguments. */
  readonly args?: readonly string[] | undefined;
  readonly action?: string | undefined;
  readonly anyway?: boolean | undefined;
  /** The mark of an entry whose command the user has seen. */
  readonly trusted?: string | undefined;
  /** Directory of the app, and for paths that are not absolute; the user's home by default. */
  readonly cwd?: string | undefined;
}

/** What an app's user must hear of after it was opened. */
export interface Notice {
  readonly lane: string;
  readonly app: string;
  readonly name: string;
  readonly failure: Failure;
}

export interface StarterOptions {
  readonly engine: Pick<Engine, 'prepare' | 'openLane' | 'snapshot' | 'lane'>;
  readonly catalogue: Catalogue;
  readonly store: ConfigStore;
  /** Of this process; apps get what `appEnvironment` leaves of it. */
  readonly env: NodeJS.ProcessEnv;
  /** As they were before the engine started. */
  readonly facts: CallerFacts;
  readonly onNotice: (notice: Notice) => void;
}

/** An app that is about to be started. */
interface Opening {
  readonly startable: Startable;
  readonly profile: Profile;
  readonly separate: SeparateProfile | undefined;
  readonly found: Found | undefined;
}

export class AppStarter {
  readonly #options: StarterOptions;
  readonly #env: Record<string, string>;

  constructor(options: StarterOptions) {
    this.#options = options;
    this.#env = appEnvironment(options.env);
  }

  /** The instance for which `open` would fail, where there is one. Throws what choosing app and profile may. */
  async instance(request: AppRequest): Promise<Found['instance'] | undefined> {
    const { found } = await this.#choose(request);
    return found?.mayTakeOver === true ? undefined : found?.instance;
  }

  /**
   * Starts the app and resolves once it runs: one lane for each process, which are several for an app that takes one
   * file at a time. Throws `app-unknown`, `app-refused`, `app-untrusted`, `app-running-outside`, `profile-missing`,
   * `profile-unknown`, `entry-invalid`, `terminal-missing`, and what `Engine.openLane` throws; nothing runs then.
   */
  async open(request: OpenRequest): Promise<Lane[]> {
    const opening = await this.#choose(request);
    const { found, startable } = opening;
    if (startable.untrusted !== undefined && startable.untrusted.mark !== request.trusted)
      throw new CulvertError('app-untrusted', { detail: startable.untrusted.command.join(' ') });
    const isAllowed = found?.mayTakeOver === true || (request.anyway === true && isUnsure(found));
    if (found !== undefined && !isAllowed) throw runningOutside(startable.app, found.instance);
    const plan = await this.#plan(opening, request);
    const { mode } = await this.#options.engine.prepare(opening.profile.isolation);
    const lanes: Lane[] = [];
    for (const argv of plan.argvs) {
      try {
        lanes.push(await this.#start(opening, { argv, cwd: plan.cwd }, mode === 'rootless'));
      } catch (error) {
        // Those before it run, and are answered; this one is told beside them.
        const [first] = lanes;
        if (first === undefined) throw error;
        this.#tell(opening, first.id, failureOf(error));
        break;
      }
    }
    return lanes;
  }

  async #choose(request: AppRequest): Promise<Opening> {
    const { catalogue, engine, store } = this.#options;
    const startable = await startableOf(request.app, catalogue, this.#env);
    const profile = profileFor(store.read(), request.profile ?? startable.profile, startable.names);
    const separate =
      request.separate === true ? separateProfile(startable.app, profile, this.#env) : undefined;
    const found = await instanceOf(engine, startable.app, profile, this.#env, separate?.directory);
    return { startable, profile, separate, found };
  }

  async #plan({ startable, separate, found }: Opening, request: OpenRequest): Promise<StartPlan> {
    const env = this.#env;
    const cwd = request.cwd ?? homeDirectory(env);
    const args = request.args ?? [];
    const { app, program } = startable;
    const isOpen = found?.mayTakeOver === true;
    if (program === undefined) {
      return planApp(app, {
        ...{ targets: args, cwd, env },
        ...(request.action === undefined ? {} : { action: request.action }),
        ...(separate === undefined ? {} : { adapt: (argv) => separate.adapt(argv, isOpen) }),
      });
    }
    const plan = planProgram(program, args, cwd);
    return separate === undefined ? plan : { ...plan, argvs: [separate.adapt(plan.argvs[0], isOpen)] };
  }

  async #start(
    opening: Opening,
    command: { argv: StartPlan['argvs'][0]; cwd: string },
    isRootless: boolean,
  ): Promise<Lane> {
    const { app, names, program } = opening.startable;
    // A user namespace has no FUSE to mount itself with; the AppImage's own runtime knows another way.
    const unpacked =
      isRootless && program?.format === 'appimage' ? { APPIMAGE_EXTRACT_AND_RUN: '1' } : undefined;
    const env = withoutLocalProxies(this.#env, opening.profile.hostAccess.loopbackPorts);
    const input = openSync('/dev/null', 'r');
    const log = AppLog.open(this.#env);
    try {
      const lane = await this.#options.engine.openLane({
        name: app.name,
        apps: names,
        profile: { kind: 'stored', id: opening.profile.id },
        isolation: opening.profile.isolation,
        payload: { ...this.#options.facts, ...command, env: { ...env, ...unpacked } },
        terminal: 'none',
        stdio: [input, log.fd, log.fd],
      });
      log.nameFor(lane.id);
      void this.#accompany(lane, opening, log);
      return lane;
    } catch (error) {
      log[Symbol.dispose]();
      throw error;
    } finally {
      closeSync(input);
    }
  }

  /** Until the lane is empty, for the sake of its log; and what its first seconds tell. */
  async #accompany(lane: Lane, opening: Opening, log: AppLog): Promise<void> {
    try {
      const failure = await this.#early(lane, opening, log);
      if (failure !== undefined) {
        lane.note(failure);
        this.#tell(opening, lane.id, failure);
      }
      await lane.empty;
    } finally {
      log[Symbol.dispose]();
    }
  }

  /** Why an app that has ended within its first seconds did not do what its user expects; undefined where it does. */
  async #early(lane: Lane, opening: Opening, log: AppLog): Promise<Failure | undefined> {
    const deadline = lane.startedAt + watchedMs;
    const exit = await within(lane.exit, deadline);
    // Its user has stopped it, or it stays.
    if (exit === undefined || lane.state === 'stopping') return undefined;
    const isLaneEmpty =
      (await within(
        lane.empty.then(() => true),
        deadline,
      )) ?? false;
    const { app } = opening.startable;
    const exitCode = exit.kind === 'code' ? exit.code : null;
    const ranMs = Date.now() - lane.startedAt;
    if (wasHandedOver({ ranMs, exitCode, isLaneEmpty, isTerminal: app.isTerminal }))
      return this.#handedOver(opening, ranMs);
    if (exit.kind === 'failed') return exit.failure;
    if (!isLaneEmpty || exitCode === 0) return undefined;
    const ended =
      exit.kind === 'signal'
        ? phrase('app.ended-by-signal', { signal: exit.signal })
        : phrase('app.ended-with-status', { status: exit.code });
    const { path } = log;
    return failureSaying('app-failed', path === undefined ? ended : phrase('app.see-log', { ended, path }));
  }

  async #handedOver(
    { startable, profile, separate, found }: Opening,
    ranMs: number,
  ): Promise<Failure | undefined> {
    if (found?.mayTakeOver === true) return undefined;
    const { app } = startable;
    const { engine } = this.#options;
    // What cannot be looked at is told as what it seems to be.
    const now = await instanceOf(engine, app, profile, this.#env, separate?.directory).catch(() => undefined);
    if (now?.mayTakeOver === true) return undefined;
    if (now !== undefined) return runningOutside(app, now.instance).failure;
    return failureSaying('app-running-outside', phrase('app.handed-over', { app: app.name, ms: ranMs }));
  }

  #tell({ startable }: Opening, lane: string, failure: Failure): void {
    this.#options.onNotice({ lane, app: startable.names[0], name: startable.app.name, failure });
  }
}

function isUnsure(found: Found | undefined): boolean {
  return found?.instance.certainty === 'possible';
}

/** A home that is not there is no place to start from (launch.c would refuse it). */
function homeDirectory(env: NodeJS.ProcessEnv): string {
  const home = homeOf(env);
  return statSync(home, { throwIfNoEntry: false })?.isDirectory() === true ? home : '/';
}

/** What a promise resolves with until then; undefined afterwards. */
async function within<T>(promise: Promise<T>, deadline: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, deadline - Date.now()), undefined);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
