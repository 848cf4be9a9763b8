/**
 * Which desktop entries from outside of the application folders the user has trusted: by their place and the text
 * that was shown. One that has changed since is asked for again.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import * as v from 'valibot';
import { stateDir } from '#shared/paths.ts';
import { readEntry } from './catalogue.ts';
import { writeWhole } from './whole-file.ts';

const mark = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const document = v.array(v.tuple([v.string(), mark]));
/** The oldest goes when there are more. */
const maxTrusted = 500;

/** Stands for the text of an entry. */
export function markOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export async function isTrusted(path: string, text: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  return (await readTrusted(env)).some(([trusted, of]) => trusted === path && of === markOf(text));
}

/** Remembers that the user trusts the entry at this path as it was when `targetOf` gave it this mark. */
export async function trustEntry(
  path: string,
  of: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const others = (await readTrusted(env)).filter(([trusted]) => trusted !== path);
  const entries = v.parse(document, [...others, [path, of]].slice(-maxTrusted));
  await writeWhole(fileOf(env), `${JSON.stringify(entries, undefined, 2)}\n`, 0o600);
}

async function readTrusted(env: NodeJS.ProcessEnv): Promise<[string, string][]> {
  try {
    return v.parse(document, JSON.parse(await readEntry(fileOf(env))));
  } catch {
    // Not there, or not understood: then nothing is trusted, and the user is asked again.
    return [];
  }
}

function fileOf(env: NodeJS.ProcessEnv): string {
  return join(stateDir(env), 'trusted-entries.json');
}
