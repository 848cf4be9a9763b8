/** What is to be started for an app: argument vectors and working directory, for the lane's payload. */
import { stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { CulvertError } from '#shared/failure.ts';
import { phrase } from '#shared/phrase.ts';
import type { App } from './app.ts';
import type { AppTarget } from './app-target.ts';
import { findProgram } from './catalogue.ts';
import { execArgvs, isUrl } from './exec.ts';
import { inTerminal } from './terminal.ts';

type Argv = readonly [string, ...string[]];

export interface StartPlan {
  /** One for each process: several where the entry takes one file at a time. Programs are absolute paths. */
  readonly argvs: readonly [Argv, ...Argv[]];
  readonly cwd: string;
}

export interface StartOptions {
  /** Files and URLs to open. Paths that are not absolute are taken from `cwd`. */
  readonly targets?: readonly string[];
  /** Id of one of the app's own actions. */
  readonly action?: string;
  /** Of the caller; the entry's `Path` goes before it. */
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Puts options into the command of a single-instance app; see separate-profile.ts. */
  readonly adapt?: (argv: Argv) => Argv;
}

/**
 * How an installed app is started. Throws `entry-invalid`, `command-not-found`, `terminal-missing`, and
 * `app-unknown` for an action that it does not have.
 */
export async function planApp(app: App, options: StartOptions): Promise<StartPlan> {
  const action = app.actions.find(({ id }) => id === options.action);
  if (options.action !== undefined && action === undefined) {
    throw new CulvertError('app-unknown', {
      detail: phrase('app.no-action', { app: app.id, action: options.action }),
    });
  }
  const argvs = execArgvs(action?.exec ?? app.exec, {
    name: app.name,
    icon: action?.icon ?? app.icon,
    source: app.source,
    targets: targetsOf(options.targets ?? [], options.cwd),
  });
  const [first, ...rest] = argvs;
  const plan = (argv: Argv) => finish(argv, app.isTerminal, options);
  return {
    argvs: [await plan(first), ...(await Promise.all(rest.map(plan)))],
    cwd: await cwdOf(app, options.cwd),
  };
}

/** How a program, an AppImage or a script is started: by its path, with the arguments as they are. */
export function planProgram(
  target: Extract<AppTarget, { kind: 'program' }>,
  args: readonly string[],
  cwd: string,
): StartPlan {
  if (!target.isExecutable) throw new CulvertError('command-not-executable', { detail: target.path });
  return { argvs: [[target.path, ...args]], cwd };
}

async function finish(argv: Argv, isTerminal: boolean, { adapt, env }: StartOptions): Promise<Argv> {
  const [program, ...args] = adapt === undefined ? argv : adapt(argv);
  const path = await findProgram(program, env);
  if (path === undefined) throw new CulvertError('command-not-found', { detail: program });
  return isTerminal ? inTerminal([path, ...args], env) : [path, ...args];
}

/** Absolute paths and URLs, so that none of them can be read as an option. */
function targetsOf(texts: readonly string[], cwd: string): string[] {
  return texts.map((text) => {
    if (text.includes('\0'))
      throw new CulvertError('option-invalid', { detail: 'a file name has a NUL in it' });
    return isUrl(text) && !isAbsolute(text) ? text : resolve(cwd, text);
  });
}

async function cwdOf(app: App, otherwise: string): Promise<string> {
  if (app.path === undefined || !isAbsolute(app.path)) return otherwise;
  const found = await stat(app.path).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    throw new CulvertError('entry-invalid', { detail: phrase('app.no-directory', { path: app.path }) });
  }
  return app.path;
}
