/** What somebody means by the name of an app on a command line. */
import { isAbsolute } from 'node:path';
import { CulvertError } from '#shared/failure.ts';
import type { App } from './app.ts';
import { targetOf, type AppTarget, type TargetOptions } from './app-target.ts';
import { findProgram, type Catalogue } from './catalogue.ts';
import { programWords } from './program.ts';
import { search } from './search.ts';

/** An installed app, or what a path is. */
export type Resolved = { readonly kind: 'app'; readonly app: App } | AppTarget;

const shownAtMost = 6;

/** The installed app with this id, with or without `.desktop`. Throws `app-unknown`. */
export async function appWithId(id: string, catalogue: Catalogue): Promise<App> {
  const wanted = id.replace(/\.desktop$/, '');
  const app = (await catalogue.all()).find((candidate) => candidate.id === wanted);
  if (app === undefined) throw new CulvertError('app-unknown', { detail: id });
  return app;
}

/**
 * What a text means, in this order: a path (with a slash in it, or a file:// URL), the id of an installed app, its
 * name, the name of its program, a command in PATH. Throws `app-ambiguous` with the ids of those that have the
 * name, and `app-unknown` with what is like it.
 */
export async function resolveApp(
  text: string,
  catalogue: Catalogue,
  options: TargetOptions = {},
): Promise<Resolved> {
  if (text.includes('/')) return targetOf(text, options);
  // Launchers are ways to start apps, not apps.
  const apps = (await catalogue.all()).filter((app) => !app.isLauncher);
  const id = text.replace(/\.desktop$/, '');
  const byId = apps.find((app) => app.id === id);
  if (byId !== undefined) return { kind: 'app', app: byId };
  const named = apps.filter((app) => app.name.toLowerCase() === text.toLowerCase());
  const byName = only(named.filter((app) => app.isShown)) ?? only(named);
  if (byName !== undefined) return { kind: 'app', app: byName };
  if (named.length > 0) throw ambiguous(text, named);
  const started = apps.filter((app) => app.isShown && programWords(app.exec).includes(text));
  const byProgram = only(started);
  if (byProgram !== undefined) return { kind: 'app', app: byProgram };
  const program = await findProgram(text, options.env ?? process.env);
  if (program !== undefined && isAbsolute(program)) return targetOf(program, options);
  if (started.length > 0) throw ambiguous(text, started);
  const like = search(
    apps.filter((app) => app.isShown),
    text,
  );
  throw new CulvertError('app-unknown', {
    detail: like.length === 0 ? text : `${text}; like it: ${idsOf(like)}`,
  });
}

function only(apps: readonly App[]): App | undefined {
  return apps.length === 1 ? apps[0] : undefined;
}

function ambiguous(text: string, apps: readonly App[]): CulvertError {
  return new CulvertError('app-ambiguous', { detail: `${text}: ${idsOf(apps)}` });
}

function idsOf(apps: readonly App[]): string {
  const shown = apps.slice(0, shownAtMost).map(({ id }) => id);
  return apps.length > shown.length
    ? `${shown.join(', ')} and ${apps.length - shown.length} more`
    : shown.join(', ');
}
