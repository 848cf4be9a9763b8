/**
 * Whether an app that is opened now would be taken over by one that runs already, and whether that one may: it may
 * where it is on a lane with the same profile, for then its traffic goes the way that was chosen.
 */
import { EngineClient } from '#shared/control/client.ts';
import { CulvertError } from '#shared/failure.ts';
import { phrase } from '#shared/phrase.ts';
import type { Profile } from '#shared/profile.ts';
import {
  canSeparate,
  describeInstance,
  familyOf,
  runningInstance,
  separateDirectory,
  withSeparateProfile,
  type App,
  type RunningInstance,
} from './apps/index.ts';
import type { Engine } from './engine.ts';

type Argv = readonly [string, ...string[]];

/** An engine that is stopped, as a job in a shell may be, is not waited for. */
const answerMs = 2000;

/** A profile of the browser's own for one of Culvert's. */
export interface SeparateProfile {
  readonly directory: string;
  /** `isOpen`: one that runs has it open, and may take over. */
  readonly adapt: (argv: Argv, isOpen: boolean) => Argv;
}

/** Makes its directory. Throws `option-invalid` for an app that has no such thing. */
export function separateProfile(app: App, profile: Profile, env: NodeJS.ProcessEnv): SeparateProfile {
  const family = familyOf(app);
  if (family === undefined || !canSeparate(app))
    throw new CulvertError('option-invalid', {
      detail: phrase('app.no-separate-profiles', { app: app.name }),
    });
  const directory = separateDirectory(app.id, profile.id, env);
  return { directory, adapt: (argv, isOpen) => withSeparateProfile(argv, family, directory, isOpen) };
}

/** What is found of a running instance: one that may take over, or one that must not. */
export interface Found {
  readonly instance: RunningInstance;
  readonly mayTakeOver: boolean;
}

/** The instance that would take over; undefined where none is seen. `engine` is this process's own, where it has one. */
export async function instanceOf(
  engine: Pick<Engine, 'snapshot' | 'lane'> | undefined,
  app: App,
  profile: Profile,
  env: NodeJS.ProcessEnv,
  separate?: string,
): Promise<Found | undefined> {
  const instance = await runningInstance(app, env, separate);
  if (instance === undefined) return undefined;
  // In a terminal many of the same run beside one another.
  if (app.isTerminal && instance.certainty === 'possible') return undefined;
  const mayTakeOver =
    instance.place === 'lane' && (await profileOfProcess(engine, instance.pid)) === profile.id;
  return { instance, mayTakeOver };
}

/** The failure that says so, for people; the figures are in the instance. */
export function runningOutside(app: Pick<App, 'name'>, instance: RunningInstance): CulvertError {
  return new CulvertError('app-running-outside', { detail: describeInstance(app.name, instance) });
}

/** The id of the profile on whose lane a process is; undefined where no engine of this user knows it. */
async function profileOfProcess(
  engine: Pick<Engine, 'snapshot' | 'lane'> | undefined,
  pid: number,
): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, answerMs, undefined);
  });
  try {
    for (const { id, profile } of engine?.snapshot().lanes ?? []) {
      const processes = (await engine?.lane(id).processes()) ?? [];
      if (processes.some((process) => process.pid === pid)) return profile.id;
    }
    return await Promise.race([late, profileElsewhere(pid)]);
  } catch {
    // A lane or an engine that ends while it is asked: whose the process was is not known, and then it is not this
    // profile's.
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

async function profileElsewhere(pid: number): Promise<string | undefined> {
  const clients = (await EngineClient.all()).filter((client) => client.pid !== process.pid);
  try {
    for (const client of clients) {
      for (const { id, profile } of (await client.call('snapshot', {})).lanes) {
        const processes = await client.call('lane.processes', { lane: id });
        if (processes.some((process) => process.pid === pid)) return profile.id;
      }
    }
    return undefined;
  } finally {
    for (const client of clients) client.close();
  }
}
