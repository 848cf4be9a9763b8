/**
 * The launchers that Culvert has put into the user's menu, and its own entry for the start of the session.
 *
 * Does: write, list and remove files whose names begin with Culvert's id. Must not: touch any other file, or leave
 * half of one.
 */
import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CulvertError } from '#shared/failure.ts';
import { appId, productName } from '#shared/identity.ts';
import { readEntry } from './catalogue.ts';
import { parseDesktopEntry } from './desktop-entry.ts';
import { quoteExec } from './exec.ts';
import { configHome, dataHome } from './folders.ts';
import { entryVersion, launcherText, readLauncher, type LauncherSpec } from './launcher-entry.ts';
import { writeWhole } from './whole-file.ts';

export interface Launcher {
  /** Of its desktop file, without `.desktop`. */
  readonly id: string;
  readonly file: string;
  readonly name: string;
  /** Id of the app, or the path of a program. */
  readonly app: string;
  readonly profile: string;
}

/** What a launcher is made of; `source` is the desktop file of the app, missing for a program. */
export type NewLauncher = Omit<LauncherSpec, 'entry'> & { readonly source?: string | undefined };

const prefix = `${appId}.launcher.`;
const suffix = '.desktop';
const maxAlike = 100;

/**
 * Writes a launcher into `$XDG_DATA_HOME/applications`. One for the same app and profile is replaced. Throws
 * `entry-invalid`, and the system's error where it cannot be written.
 */
export async function createLauncher(
  { source, ...spec }: NewLauncher,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Launcher> {
  const entry = source === undefined ? undefined : parseDesktopEntry(await readEntry(source));
  const text = launcherText({ ...spec, entry });
  const file = await fileFor(spec.app, spec.profile.id, env);
  await writeWhole(file, text, 0o644);
  const written = readLauncher(text);
  if (written === undefined) throw new CulvertError('internal', { detail: 'a launcher cannot be read back' });
  return { id: idOf(file), file, ...written };
}

/** The user's launchers, by name. Files that others have put there under such a name are left out. */
export async function listLaunchers(env: NodeJS.ProcessEnv = process.env): Promise<Launcher[]> {
  const folder = folderOf(env);
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => name.startsWith(prefix) && name.endsWith(suffix));
  const launchers = await Promise.all(
    files.map(async (name) => {
      const file = join(folder, name);
      const written = readLauncher(await readEntry(file).catch(() => ''));
      return written === undefined ? undefined : { id: idOf(file), file, ...written };
    }),
  );
  return launchers
    .filter((launcher) => launcher !== undefined)
    .sort((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id));
}

/** Removes a launcher by its id or the part of it behind `.launcher.`. Throws `launcher-unknown`. */
export async function removeLauncher(id: string, env: NodeJS.ProcessEnv = process.env): Promise<Launcher> {
  const wanted = id.replace(/\.desktop$/, '');
  const launcher = (await listLaunchers(env)).find(
    (found) => found.id === wanted || found.id === prefix + wanted,
  );
  if (launcher === undefined) throw new CulvertError('launcher-unknown', { detail: id });
  await rm(launcher.file);
  return launcher;
}

/**
 * Starts Culvert in the background with the session, or no longer (Desktop Application Autostart Specification).
 * `command` is an absolute path with its arguments.
 */
export async function setAutostart(
  command: readonly [string, ...string[]] | undefined,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const file = autostartFile(env);
  if (command === undefined) {
    await rm(file, { force: true });
    return;
  }
  const lines = [
    ...[
      '[Desktop Entry]',
      `Version=${entryVersion}`,
      'Type=Application',
      `Name=${productName}`,
      `Icon=${appId}`,
    ],
    ...[`Exec=${quoteExec(command)}`, 'Terminal=false', 'X-GNOME-Autostart-enabled=true'],
  ];
  await writeWhole(file, `${lines.join('\n')}\n`, 0o644);
}

/** Whether Culvert starts with the session: its entry is there, and neither hidden nor switched off by GNOME. */
export async function hasAutostart(env: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  const text = await readEntry(autostartFile(env)).catch(() => '');
  const group = parseDesktopEntry(text).groups.get('Desktop Entry');
  return group?.has('Exec') === true && group.get('Hidden') !== 'true' && !isSwitchedOff(group);
}

function isSwitchedOff(group: ReadonlyMap<string, string>): boolean {
  return group.get('X-GNOME-Autostart-enabled') === 'false';
}

function autostartFile(env: NodeJS.ProcessEnv): string {
  return join(configHome(env), 'autostart', appId + suffix);
}

function folderOf(env: NodeJS.ProcessEnv): string {
  return join(dataHome(env), 'applications');
}

function idOf(file: string): string {
  return file.slice(dirname(file).length + 1, -suffix.length);
}

/** The file of the launcher for this app and profile, else the first name that is free. */
async function fileFor(app: string, profile: string, env: NodeJS.ProcessEnv): Promise<string> {
  const same = (await listLaunchers(env)).find((found) => found.app === app && found.profile === profile);
  if (same !== undefined) return same.file;
  const folder = folderOf(env);
  const taken = await readdir(folder).catch((): string[] => []);
  const slug = `${slugOf(app)}-${slugOf(profile)}`;
  for (let number = 1; number <= maxAlike; number += 1) {
    const name = `${prefix}${slug}${number === 1 ? '' : `-${number}`}${suffix}`;
    if (!taken.includes(name)) return join(folder, name);
  }
  throw new CulvertError('entry-invalid', {
    detail: `there are ${maxAlike} launchers with the name ${slug}`,
  });
}

function slugOf(text: string): string {
  const slug = text
    .split('/')
    .at(-1)
    ?.toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 60);
  return slug === undefined || slug === '' ? 'app' : slug;
}
