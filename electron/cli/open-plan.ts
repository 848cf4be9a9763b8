/**
 * What `culvert open` starts, decided before anything is: which app, through which profile, by which command, and
 * whether one that runs already would take over. Must not: start or change anything but the memory of what the user
 * trusts.
 */
import { basename } from 'node:path';
import { EngineClient } from '#shared/control/client.ts';
import { CulvertError } from '#shared/failure.ts';
import type { Isolation } from '#shared/model.ts';
import type { Profile } from '#shared/profile.ts';
import {
  appWithId,
  canSeparate,
  Catalogue,
  ConfigStore,
  describeInstance,
  familyOf,
  planApp,
  planProgram,
  quoteExec,
  runningInstance,
  separateDirectory,
  trustEntry,
  withSeparateProfile,
  type App,
  type RunningInstance,
  type StartPlan,
} from '#engine';
import { namesOf, startableOf, type AppNames, type Startable } from './app-names.ts';
import { unprotected } from './run-profile.ts';
import { isolationOf } from './run-request.ts';
import { profileFor } from './stored-profile.ts';

export interface OpenOptions {
  readonly profile?: string | undefined;
  /** Instead of the first operand, as launchers name it. */
  readonly app?: string | undefined;
  readonly action?: string | undefined;
  readonly isolation?: string | undefined;
  readonly separateProfile?: boolean | undefined;
  readonly trust?: boolean | undefined;
  readonly anyway?: boolean | undefined;
  readonly detach?: boolean | undefined;
  /** Descriptor on which the one who started this in the background hears how it went. */
  readonly reportFd?: string | undefined;
}

export interface Opening {
  /** For people. */
  readonly name: string;
  readonly apps: AppNames;
  readonly profile: Profile;
  readonly isolation: Isolation;
  readonly plan: StartPlan;
  /** Runs in a terminal: to end at once is nothing odd for it. */
  readonly isTerminal: boolean;
  /** The one that it will hand over to, on a lane with the same profile. */
  readonly host: RunningInstance | undefined;
  readonly notices: readonly string[];
}

/**
 * Throws `app-unknown`, `app-ambiguous`, `app-refused`, `app-untrusted`, `entry-invalid`, `command-not-found`,
 * `terminal-missing`, `profile-unknown`, `profile-missing`, `option-invalid`, and `app-running-outside` with the ways there are.
 */
export async function planOpening(operands: readonly string[], options: OpenOptions): Promise<Opening> {
  const [named, ...rest] = operands;
  const text = options.app ?? named;
  if (text === undefined) throw invalid('name an app: culvert open APP');
  const targets = options.app === undefined ? rest : operands;
  const found = await trusted(await resolve(text, options.app !== undefined), options);
  const apps = namesOf(found, text);
  const profile = profileFor(ConfigStore.open().read(), options.profile, apps);
  const app = found.kind === 'program' ? programAsApp(found.path) : found.app;
  const separate = options.separateProfile === true ? separateOf(app, profile) : undefined;
  const host = await hostOf(app, profile, separate?.directory, options);
  const adapt = separate === undefined ? undefined : (argv: Argv) => separate.adapt(argv, host !== undefined);
  const cwd = process.cwd();
  const plan =
    found.kind === 'program'
      ? adapted(planProgram(found, targets, cwd), adapt)
      : await planApp(app, {
          ...{ targets, cwd, env: process.env },
          ...(adapt === undefined ? {} : { adapt }),
          ...(options.action === undefined ? {} : { action: options.action }),
        });
  return {
    ...{ name: app.name, apps, profile, plan, host, isTerminal: app.isTerminal },
    isolation: isolationOf(options.isolation ?? profile.isolation),
    notices: profile.action === 'direct' ? [unprotected] : [],
  };
}

/** A launcher names an app by its id, or by a path; people by whatever they know. */
async function resolve(text: string, isId: boolean): Promise<Startable> {
  const catalogue = new Catalogue();
  if (isId && !text.includes('/')) return { kind: 'app', app: await appWithId(text, catalogue) };
  return startableOf(text, catalogue);
}

async function trusted(found: Startable, { trust }: OpenOptions): Promise<Startable> {
  if (found.kind !== 'entry' || !found.needsTrust) return found;
  if (trust !== true) {
    const command = found.command.join(' ');
    throw new CulvertError('app-untrusted', {
      detail: `it starts: ${command}; --trust says that you trust it`,
    });
  }
  await trustEntry(found.app.source, found.mark);
  return found;
}

/** A program as an app that has no desktop entry, to see who would take over from it. */
function programAsApp(path: string): App {
  const name = basename(path);
  return {
    ...{ id: name, name, exec: quoteExec([path]), source: path, packaging: 'host' },
    ...{ keywords: [], categories: [], actions: [] },
    ...{ isTerminal: false, isOnBus: false, isShown: false, isLauncher: false },
  };
}

type Argv = readonly [string, ...string[]];

function adapted(plan: StartPlan, adapt: ((argv: Argv) => Argv) | undefined): StartPlan {
  if (adapt === undefined) return plan;
  const [first, ...rest] = plan.argvs;
  return { ...plan, argvs: [adapt(first), ...rest.map(adapt)] };
}

interface Separate {
  readonly directory: string;
  /** With one that has the profile open on the same lane or one like it, that one takes over. */
  readonly adapt: (argv: Argv, isOpen: boolean) => Argv;
}

function separateOf(app: App, profile: Profile): Separate {
  const family = familyOf(app);
  if (family === undefined || !canSeparate(app))
    throw invalid(`${app.name} has no separate profiles that Culvert knows of`);
  const directory = separateDirectory(app.id, profile.id);
  return { directory, adapt: (argv, isOpen) => withSeparateProfile(argv, family, directory, isOpen) };
}

/** The one that takes over and may. Throws `app-running-outside` for one that must not. */
async function hostOf(
  app: App,
  profile: Profile,
  separate: string | undefined,
  options: OpenOptions,
): Promise<RunningInstance | undefined> {
  const instance = await runningInstance(app, process.env, separate);
  if (instance === undefined) return undefined;
  // In a terminal many of the same run beside one another.
  if (app.isTerminal && instance.certainty === 'possible') return undefined;
  if (instance.place === 'lane' && (await profileOfProcess(instance.pid)) === profile.id) return instance;
  if (instance.certainty === 'possible' && options.anyway === true) return undefined;
  throw new CulvertError('app-running-outside', { detail: waysWords(app, instance) });
}

/** What there is to do about it, in the words of this command line. */
export function waysWords(app: Pick<App, 'name'>, instance: RunningInstance): string {
  const ways = [
    'close that one first',
    ...(instance.ways.includes('separate-profile') ? ['use --separate-profile'] : []),
    ...(instance.certainty === 'possible' ? ['use --anyway if it never hands over to another one'] : []),
  ];
  return `${describeInstance(app.name, instance)}; ${ways.join(', or ')}`;
}

/** The id of the profile on whose lane a process is; undefined where no engine of this user knows it. */
async function profileOfProcess(pid: number): Promise<string | undefined> {
  const clients = await EngineClient.all();
  try {
    for (const client of clients) {
      const { lanes } = await client.call('snapshot', {});
      for (const { id, profile } of lanes) {
        const processes = await client.call('lane.processes', { lane: id });
        if (processes.some((process) => process.pid === pid)) return profile.id;
      }
    }
    return undefined;
  } catch {
    // An engine that ends while it is asked: whose lane it was is not known, and then it is not this profile's.
    return undefined;
  } finally {
    for (const client of clients) client.close();
  }
}

function invalid(detail: string): CulvertError {
  return new CulvertError('option-invalid', { detail });
}
