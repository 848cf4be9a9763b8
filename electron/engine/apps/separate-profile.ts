/**
 * A profile of its own for a browser on a lane: it meets none that is open outside, so nothing is handed over.
 * One directory for each app and profile of Culvert's, kept: signing in once is enough.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { stateDir } from '#shared/paths.ts';
import type { App } from './app.ts';
import { familyOf, type Family } from './browser-family.ts';
import { fileNameOf } from './folders.ts';
import { realProgram } from './program.ts';

type Argv = readonly [string, ...string[]];

/**
 * Whether an app can be told to use a profile elsewhere. Those of Flatpak and Snap cannot: their sandbox does not
 * let them see the state directory.
 */
export function canSeparate(app: Pick<App, 'exec' | 'name' | 'packaging'>): boolean {
  return app.packaging === 'host' && familyOf(app) !== undefined;
}

/** The directory of an app's separate profile for one profile of Culvert's; made, with mode 0700. */
export function separateDirectory(
  appId: string,
  profileId: string,
  env: NodeJS.ProcessEnv = process.env,
): string {
  const directory = join(stateDir(env), 'separate', fileNameOf(appId), fileNameOf(profileId));
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return directory;
}

/**
 * The command with the options for the profile in this directory, right behind the program they are for. `isOpen`: a
 * browser has this profile open, and is to take over; Firefox would only complain of a second instance.
 */
export function withSeparateProfile(argv: Argv, family: Family, directory: string, isOpen = false): Argv {
  const options =
    family === 'firefox'
      ? [...(isOpen ? [] : ['--new-instance']), '--profile', directory]
      : [`--user-data-dir=${directory}`, '--no-first-run'];
  const { optionsAt } = realProgram(argv);
  const [program, ...rest] = argv;
  return [program, ...rest.slice(0, optionsAt - 1), ...options, ...rest.slice(optionsAt - 1)];
}
