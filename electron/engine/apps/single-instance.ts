/**
 * Apps that hand what they are asked to open over to an instance that runs already: outside of the lane, and not
 * proxied (S19).
 *
 * Does: find that instance before the start, and tell after the start that there must have been one. Must not: call
 * an app safe. Nothing here decides what is shown as protected: that comes from where the processes are.
 */
import { readdir, readFile, realpath } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import { phrase, type Phrase } from '#shared/phrase.ts';
import type { App } from './app.ts';
import { familyOf, memberOf } from './browser-family.ts';
import { findProgram } from './catalogue.ts';
import { execArgvs } from './exec.ts';
import { isStill, processAt, processesOf, type Place, type RunningProcess } from './processes.ts';
import { holderOf, lockHolder } from './profile-lock.ts';
import { realProgram } from './program.ts';
import { canSeparate } from './separate-profile.ts';
import { ownerOnBus } from './session-bus.ts';

/** How it was found: by the lock of a profile, its name on the bus, its Flatpak, or only the same program. */
export type InstanceKind = 'firefox' | 'chromium' | 'bus' | 'flatpak' | 'program';
export type Way = 'close-and-reopen' | 'separate-profile';

export interface RunningInstance {
  readonly kind: InstanceKind;
  readonly pid: number;
  readonly startTicks: string;
  /** In a lane it is another one's: what is handed over goes that one's way. */
  readonly place: Place;
  /** `possible`: the same program runs, which hands over or does not. */
  readonly certainty: 'certain' | 'possible';
  readonly ways: readonly Way[];
}

/**
 * The instance that would take over from an app that is started now; undefined where none is seen. With the directory
 * of a separate profile only one that has that profile open counts.
 */
export async function runningInstance(
  app: App,
  env: NodeJS.ProcessEnv = process.env,
  separate?: string,
): Promise<RunningInstance | undefined> {
  const [argv] = execArgvs(app.exec, { name: app.name });
  const ways: Way[] = canSeparate(app) ? ['close-and-reopen', 'separate-profile'] : ['close-and-reopen'];
  const found = (
    kind: InstanceKind,
    { pid, startTicks, place }: RunningProcess,
    certainty: 'certain' | 'possible',
  ) => ({
    ...{ kind, pid, startTicks, place, certainty, ways },
  });
  if (app.packaging === 'flatpak') {
    const instance = await flatpakInstance(realProgram(argv).word, env);
    const isFamily = familyOf(app) !== undefined;
    return instance === undefined ? undefined : found('flatpak', instance, isFamily ? 'certain' : 'possible');
  }
  const member = memberOf(argv, env);
  if (member !== undefined) {
    const { family, directories } = member;
    const holder = await (separate === undefined
      ? lockHolder(family, directories)
      : holderOf(family, separate));
    return holder === undefined ? undefined : found(family, holder, 'certain');
  }
  const owner = await busOwner(app, env);
  if (owner !== undefined) return found('bus', owner, 'certain');
  const same = await sameProgram(realProgram(argv).word, env);
  return same === undefined ? undefined : found('program', same, 'possible');
}

async function busOwner(app: App, env: NodeJS.ProcessEnv): Promise<RunningProcess | undefined> {
  const pid = await ownerOnBus(app.id, env);
  return pid === undefined ? undefined : processAt(pid);
}

/** Read what others write: their own processes say nothing about the app. */
const interpreters =
  /^(?:(?:ba|da|z|fi|k)?sh|busybox|python[0-9.]*|perl[0-9.]*|ruby[0-9.]*|lua[0-9.]*|node|nodejs|java|mono|electron[0-9]*|gjs(?:-console)?|wine(?:64)?(?:-preloader)?|bwrap|flatpak|snap|env|sudo|pkexec)$/;

async function sameProgram(program: string, env: NodeJS.ProcessEnv): Promise<RunningProcess | undefined> {
  const path = await findProgram(program, env);
  const real = path === undefined ? undefined : await realpath(path).catch(() => undefined);
  if (real === undefined || interpreters.test(basename(real))) return undefined;
  return processesOf(real).find(({ place }) => place === 'outside');
}

/** A running Flatpak has a directory with its id and the id of its process (flatpak-ps(1)). */
async function flatpakInstance(id: string, env: NodeJS.ProcessEnv): Promise<RunningProcess | undefined> {
  const runtime = env['XDG_RUNTIME_DIR'];
  if (runtime === undefined || !isAbsolute(runtime)) return undefined;
  const directory = join(runtime, '.flatpak');
  for (const instance of await readdir(directory).catch(() => [])) {
    const read = (file: string) => readFile(join(directory, instance, file), 'utf8').catch(() => '');
    if (!(await read('info')).split('\n').includes(`name=${id}`)) continue;
    const found = processAt(Number((await read('pid')).trim()));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What is known when the first process of an app has ended. */
export interface EndFacts {
  /** Milliseconds from its start to its end. */
  readonly ranMs: number;
  readonly exitCode: number | null;
  /** No process is left in the lane. */
  readonly isLaneEmpty: boolean;
  readonly isTerminal: boolean;
}

const handOverMs = 5000;

/**
 * Whether an app that has ended seems to have handed over: at once, in peace, and nobody is left in its lane. For
 * apps with a window; a command in a terminal may well have nothing more to do.
 */
export function wasHandedOver({ ranMs, exitCode, isLaneEmpty, isTerminal }: EndFacts): boolean {
  return exitCode === 0 && isLaneEmpty && ranMs < handOverMs && !isTerminal;
}

/**
 * Ends an instance, as the user has chosen: SIGTERM, then waits. False where it still runs after `timeoutMs`, for
 * example because it asks what to save. Its process is signalled only while it is the one that was found.
 */
export async function closeInstance(
  instance: Pick<RunningInstance, 'pid' | 'startTicks'>,
  timeoutMs = 10_000,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  if (isStill(instance)) terminate(instance.pid);
  while (isStill(instance)) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return true;
}

function terminate(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch (error) {
    // It ended in between, which is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** One sentence about an instance, for the command line and as the detail of `app-running-outside`. */
export function describeInstance(app: string, { pid, place, certainty }: RunningInstance): Phrase {
  if (certainty === 'certain')
    return phrase(place === 'outside' ? 'app.runs-outside' : 'app.runs-on-lane', { app, pid });
  return phrase(place === 'outside' ? 'app.program-runs-outside' : 'app.program-runs-on-lane', { app, pid });
}
