/**
 * What `culvert open` starts, decided before anything is: which app, through which profile, by which command, and
 * whether one that runs already would take over. Must not: start or change anything but the memory of what the user
 * trusts.
 */
import { CulvertError } from '#shared/failure.ts';
import type { Isolation } from '#shared/model.ts';
import { inEnglish } from '#shared/phrase.ts';
import type { Profile } from '#shared/profile.ts';
import {
  appWithId,
  Catalogue,
  ConfigStore,
  describeInstance,
  instanceOf,
  namesOfApp,
  planApp,
  planProgram,
  separateProfile,
  trustEntry,
  typedApp,
  type App,
  type AppNames,
  type RunningInstance,
  type Startable,
  type StartPlan,
} from '#engine';
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
  readonly isAppImage: boolean;
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
  const found = await resolve(text, options.app !== undefined);
  await makeTrusted(found, options);
  const { app, names, program } = found;
  const profile = profileFor(ConfigStore.open().read(), options.profile, names);
  const separate = options.separateProfile === true ? separateProfile(app, profile, process.env) : undefined;
  const host = await hostOf(app, profile, separate?.directory, options);
  const adapt = separate && ((argv: Argv): Argv => separate.adapt(argv, host !== undefined));
  const cwd = process.cwd();
  const plan =
    program === undefined
      ? await planApp(app, {
          ...{ targets, cwd, env: process.env },
          ...(adapt === undefined ? {} : { adapt }),
          ...(options.action === undefined ? {} : { action: options.action }),
        })
      : adapted(planProgram(program, targets, cwd), adapt);
  return {
    ...{ name: app.name, apps: names, profile, plan, host, isTerminal: app.isTerminal },
    isAppImage: program?.format === 'appimage',
    isolation: isolationOf(options.isolation ?? profile.isolation),
    notices: profile.action === 'direct' ? [unprotected] : [],
  };
}

/** A launcher names an app by its id, or by a path; people by whatever they know. */
async function resolve(text: string, isId: boolean): Promise<Startable> {
  const catalogue = new Catalogue();
  if (!isId || text.includes('/')) return typedApp(text, catalogue);
  const app = await appWithId(text, catalogue);
  return { app, names: namesOfApp(app) };
}

async function makeTrusted({ app, untrusted }: Startable, { trust }: OpenOptions): Promise<void> {
  if (untrusted === undefined) return;
  if (trust !== true) {
    const command = untrusted.command.join(' ');
    throw new CulvertError('app-untrusted', {
      detail: `it starts: ${command}; --trust says that you trust it`,
    });
  }
  await trustEntry(app.source, untrusted.mark);
}

type Argv = readonly [string, ...string[]];

function adapted(plan: StartPlan, adapt: ((argv: Argv) => Argv) | undefined): StartPlan {
  if (adapt === undefined) return plan;
  const [first, ...rest] = plan.argvs;
  return { ...plan, argvs: [adapt(first), ...rest.map(adapt)] };
}

/** The one that takes over and may. Throws `app-running-outside` for one that must not. */
async function hostOf(
  app: App,
  profile: Profile,
  separate: string | undefined,
  options: OpenOptions,
): Promise<RunningInstance | undefined> {
  // The engine of this process has no lanes yet.
  const found = await instanceOf(undefined, app, profile, process.env, separate);
  if (found === undefined || found.mayTakeOver) return found?.instance;
  if (found.instance.certainty === 'possible' && options.anyway === true) return undefined;
  throw new CulvertError('app-running-outside', { detail: waysWords(app, found.instance) });
}

/** What there is to do about it, in the words of this command line. */
export function waysWords(app: Pick<App, 'name'>, instance: RunningInstance): string {
  const ways = [
    'close that one first',
    ...(instance.ways.includes('separate-profile') ? ['use --separate-profile'] : []),
    ...(instance.certainty === 'possible' ? ['use --anyway if it never hands over to another one'] : []),
  ];
  return `${inEnglish(describeInstance(app.name, instance))}; ${ways.join(', or ')}`;
}

function invalid(detail: string): CulvertError {
  return new CulvertError('option-invalid', { detail });
}
