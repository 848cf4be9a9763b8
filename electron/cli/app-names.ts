/** What an app that was named on the command line is called in rules and bindings. */
import { basename } from 'node:path';
import { CulvertError } from '#shared/failure.ts';
import { programWords, resolveApp, type Catalogue, type Resolved } from '#engine';

export type AppNames = readonly [string, ...string[]];

/** What can be started: an installed app, an entry from elsewhere, or a program. */
export type Startable = Exclude<Resolved, { kind: 'import' | 'refused' }>;

/** The app's id, or for a program its name; then what else rules may call it. */
export function namesOf(resolved: Startable, typed: string): AppNames {
  if (resolved.kind !== 'program') {
    const { id, exec } = resolved.app;
    return [id, ...new Set(programWords(exec).filter((word) => word !== id))];
  }
  const name = basename(resolved.path);
  // By its name where it was found in PATH, as `culvert run` has it; a path is meant where one was typed.
  return typed.includes('/') ? [resolved.path, name] : [name, resolved.path];
}

/** Throws `app-unknown`, `app-ambiguous`, `entry-invalid`, and `app-refused` for what is no app. */
export async function startableOf(text: string, catalogue: Catalogue): Promise<Startable> {
  const resolved = await resolveApp(text, catalogue, { cwd: process.cwd() });
  switch (resolved.kind) {
    case 'refused':
      throw new CulvertError('app-refused', { detail: `${resolved.path}: ${resolved.sentence}` });
    case 'import':
      throw new CulvertError('app-refused', {
        detail: `${resolved.path} is for \`culvert profile import\``,
      });
    case 'app':
    case 'entry':
    case 'program':
      return resolved;
  }
}

/** The names of an app that may also be one that is not installed here: then as it was typed. */
export async function namesOfText(text: string, catalogue: Catalogue): Promise<AppNames> {
  try {
    return namesOf(await startableOf(text, catalogue), text);
  } catch (error) {
    const isUnknown = error instanceof CulvertError && error.failure.code === 'app-unknown';
    if (!isUnknown) throw error;
    return [text];
  }
}
