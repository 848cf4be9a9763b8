/**
 * Who has a profile of a browser open, by the lock in it: a link that leads nowhere and whose text names the process.
 *
 * Does: tell a lock of a living process from one that a crash has left. Must not: touch the lock.
 */
import { lstat, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { Family } from './browser-family.ts';
import { readEntry } from './catalogue.ts';
import { parseDesktopEntry } from './desktop-entry.ts';
import { processAt, type RunningProcess } from './processes.ts';

/** What the clock of the file system and that of the processes may be apart. */
const toleranceMs = 2500;
const maxProfiles = 20;

/** The process that has one of these open. See `FamilyMember` for the directories. */
export async function lockHolder(
  family: Family,
  directories: readonly string[],
): Promise<RunningProcess | undefined> {
  for (const directory of directories) {
    const profiles = family === 'firefox' ? await defaultProfiles(directory) : [directory];
    for (const profile of profiles) {
      const holder = await holderOf(family, profile);
      if (holder !== undefined) return holder;
    }
  }
  return undefined;
}

/** The process that has the profile in this directory open. */
export async function holderOf(family: Family, profile: string): Promise<RunningProcess | undefined> {
  const path = join(profile, family === 'firefox' ? 'lock' : 'SingletonLock');
  try {
    const pid = family === 'firefox' ? firefoxPid(await readlink(path)) : chromiumPid(await readlink(path));
    const holder = pid === undefined ? undefined : processAt(pid);
    const { mtimeMs } = await lstat(path);
    // A process that is younger than the lock has only got the number of the one that made it.
    return holder !== undefined && holder.startedAt <= mtimeMs + toleranceMs ? holder : undefined;
  } catch {
    // No lock: nobody has it open.
    return undefined;
  }
}

/** `address:+pid`; the plus says that a lock of fcntl(2) stands beside it (nsProfileLock). */
function firefoxPid(text: string): number | undefined {
  const digits = /:\+?([0-9]+)$/.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** `host-pid` (ProcessSingleton). On a home directory of a network the process may be another computer's. */
function chromiumPid(text: string): number | undefined {
  const [, host, digits] = /^(.*)-([0-9]+)$/s.exec(text) ?? [];
  return digits === undefined || host !== hostname() ? undefined : Number(digits);
}

/**
 * The profiles that are opened without being named: of each installation, and the one that is marked (profiles.ini
 * has the form of a desktop entry).
 */
async function defaultProfiles(directory: string): Promise<string[]> {
  const text = await readEntry(join(directory, 'profiles.ini')).catch(() => '');
  const groups = [...parseDesktopEntry(text).groups];
  const profiles = groups.filter(([name]) => /^Profile[0-9]+$/.test(name));
  const named = groups
    .filter(([name]) => name.startsWith('Install'))
    .map(([, group]) => group.get('Default'));
  const marked = profiles.filter(([, group]) => group.get('Default') === '1' || profiles.length === 1);
  const paths = [...named, ...marked.map(([, group]) => group.get('Path'))];
  const given = new Set(paths.flatMap((path) => (path === undefined || path === '' ? [] : [path])));
  return [...given].slice(0, maxProfiles).map((path) => (isAbsolute(path) ? path : join(directory, path)));
}
