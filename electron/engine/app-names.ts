/** What an app is that somebody typed, and what it is called in rules and bindings. */
import { basename } from 'node:path';
import { CulvertError } from '#shared/failure.ts';
import { namesOfApp, startableTarget, type AppNames, type Startable } from './app-choice.ts';
import { resolveApp, type Catalogue } from './apps/index.ts';

/**
 * What a text means; a program that was found in PATH is called by its name, as `culvert run` has it. Throws
 * `app-unknown`, `app-ambiguous`, `entry-invalid`, and `app-refused` for what is no app.
 */
export async function typedApp(text: string, catalogue: Catalogue): Promise<Startable> {
  const resolved = await resolveApp(text, catalogue, { cwd: process.cwd() });
  switch (resolved.kind) {
    case 'app':
      return { app: resolved.app, names: namesOfApp(resolved.app) };
    case 'refused':
      throw new CulvertError('app-refused', { detail: `${resolved.path}: ${resolved.sentence}` });
    case 'import':
      throw new CulvertError('app-refused', {
        detail: `${resolved.path} is for \`culvert profile import\``,
      });
    case 'entry':
    case 'program': {
      const startable = startableTarget(resolved);
      if (startable === undefined) throw new CulvertError('app-refused', { detail: text });
      return resolved.kind === 'program' && !text.includes('/')
        ? { ...startable, names: [basename(resolved.path), resolved.path] }
        : startable;
    }
  }
}

/** The names of an app that may also be one that is not installed here: then as it was typed. */
export async function namesOfText(text: string, catalogue: Catalogue): Promise<AppNames> {
  try {
    return (await typedApp(text, catalogue)).names;
  } catch (error) {
    const isUnknown = error instanceof CulvertError && error.failure.code === 'app-unknown';
    if (!isUnknown) throw error;
    return [text];
  }
}
