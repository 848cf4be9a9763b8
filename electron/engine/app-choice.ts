/**
 * What somebody means who opens an app from the desktop: which app, by which names rules and bindings know it, and
 * through which profile. Must not: start it, or take an entry that its user has yet to trust for one that is.
 */
import { basename } from 'node:path';
import { CulvertError } from '#shared/failure.ts';
import { phrase } from '#shared/phrase.ts';
import { findProfile, type Config, type Profile } from '#shared/profile.ts';
import {
  appWithId,
  listLaunchers,
  programWords,
  quoteExec,
  targetOf,
  type App,
  type AppTarget,
  type Catalogue,
} from './apps/index.ts';

export type AppNames = readonly [string, ...string[]];
export type ProgramTarget = Extract<AppTarget, { kind: 'program' }>;

export interface Startable {
  /** For a program one that stands for the desktop entry that it does not have. */
  readonly app: App;
  /** Its id or path first; then what else rules may call it. */
  readonly names: AppNames;
  readonly program?: ProgramTarget;
  /** Of an entry that its user has to trust first: what it starts, and the mark of its text. */
  readonly untrusted?: { readonly command: readonly string[]; readonly mark: string };
  /** The profile of the launcher that stands for the app. */
  readonly profile?: string;
}

/**
 * The app with this id, or what the path is; a launcher of Culvert's stands for its app and profile. Throws
 * `app-unknown`, `app-refused` for what is no app, `entry-invalid`.
 */
export async function startableOf(
  name: string,
  catalogue: Catalogue,
  env: NodeJS.ProcessEnv,
): Promise<Startable> {
  const found = await appOrTarget(name, catalogue, env);
  const app = found.app;
  if (!app.isLauncher) return found;
  const launcher = (await listLaunchers(env)).find(({ id }) => id === app.id);
  if (launcher === undefined) throw new CulvertError('launcher-unknown', { detail: name });
  const meant = await appOrTarget(launcher.app, catalogue, env);
  if (meant.app.isLauncher)
    throw new CulvertError('app-refused', { detail: phrase('app.launcher-of-launcher') });
  return { ...meant, profile: launcher.profile };
}

async function appOrTarget(name: string, catalogue: Catalogue, env: NodeJS.ProcessEnv): Promise<Startable> {
  if (!name.includes('/')) return ofApp(await appWithId(name, catalogue));
  const startable = startableTarget(await targetOf(name, { env }));
  if (startable !== undefined) return startable;
  throw new CulvertError('app-refused', { detail: name });
}

/** What a path is, where it can be started. */
export function startableTarget(target: AppTarget): Startable | undefined {
  switch (target.kind) {
    case 'entry': {
      const { app, command, mark, needsTrust } = target;
      return { ...ofApp(app), ...(needsTrust ? { untrusted: { command, mark } } : {}) };
    }
    case 'program':
      return {
        app: programAsApp(target.path),
        names: [target.path, basename(target.path)],
        program: target,
      };
    case 'import':
    case 'refused':
      return undefined;
  }
}

function ofApp(app: App): Startable {
  return { app, names: namesOfApp(app) };
}

/** Its id first, then the program that it starts and the one behind wrappers. */
export function namesOfApp(app: Pick<App, 'id' | 'exec'>): AppNames {
  return [app.id, ...new Set(programWords(app.exec).filter((word) => word !== app.id))];
}

/** A program as an app without a desktop entry, to see whether it is one of those that hand over. */
function programAsApp(path: string): App {
  return {
    ...{ id: path, name: basename(path), exec: quoteExec([path]), source: path, packaging: 'host' },
    ...{ keywords: [], categories: [], actions: [] },
    ...{ isTerminal: false, isOnBus: false, isShown: false, isLauncher: false },
  };
}

/** The id of the profile that an app is bound to, by the first of its names that is. */
export function boundProfile({ apps }: Pick<Config, 'apps'>, names: readonly string[]): string | undefined {
  const bound = names.find((name) => Object.hasOwn(apps, name));
  return bound === undefined ? undefined : apps[bound];
}

/**
 * The profile with the given id, else the one that the app is bound to, else the default. Throws `profile-unknown`,
 * and `profile-missing` where there is none at all.
 */
export function profileFor(config: Config, given: string | undefined, names: readonly string[]): Profile {
  const id = given ?? boundProfile(config, names) ?? config.defaultProfile;
  if (id === undefined) throw new CulvertError('profile-missing', { detail: names[0] ?? '' });
  const profile = findProfile(config, id);
  if (profile === undefined) throw new CulvertError('profile-unknown', { detail: id });
  return profile;
}
