/**
 * Where desktop entries, icons and what belongs to them lie (XDG Base Directory Specification 0.8). Relative values
 * of the variables are ignored. Plain functions of the environment; nothing is looked up.
 */
import { homedir } from 'node:os';
import { isAbsolute, join, normalize } from 'node:path';

/** The user's home directory. */
export function homeOf(env: NodeJS.ProcessEnv): string {
  const home = env['HOME'];
  return home !== undefined && isAbsolute(home) ? home : homedir();
}

/** `$XDG_DATA_HOME`: what the user has put there; also where launchers are written. */
export function dataHome(env: NodeJS.ProcessEnv): string {
  return ownDir(env, 'XDG_DATA_HOME', '.local/share');
}

export function configHome(env: NodeJS.ProcessEnv): string {
  return ownDir(env, 'XDG_CONFIG_HOME', '.config');
}

function ownDir(env: NodeJS.ProcessEnv, variable: string, otherwise: string): string {
  const value = env[variable];
  return value !== undefined && isAbsolute(value) ? normalize(value) : join(homeOf(env), otherwise);
}

/**
 * All data directories, the most important first: the user's, those of `$XDG_DATA_DIRS`, and those of Flatpak and
 * Snap where a session has left them out.
 */
export function dataDirs(env: NodeJS.ProcessEnv): string[] {
  const home = dataHome(env);
  const named = (env['XDG_DATA_DIRS'] ?? '').split(':').filter((dir) => isAbsolute(dir));
  const dirs = [
    home,
    ...(named.length > 0 ? named : ['/usr/local/share', '/usr/share']),
    join(home, 'flatpak/exports/share'),
    '/var/lib/flatpak/exports/share',
    '/var/lib/snapd/desktop',
  ];
  return [...new Set(dirs.map((dir) => normalize(dir).replace(/(?<=.)\/+$/, '')))];
}

/** The application folders: entries in them are installed; those anywhere else need the user's trust. */
export function applicationFolders(env: NodeJS.ProcessEnv): string[] {
  return dataDirs(env).map((dir) => join(dir, 'applications'));
}

/** A text as one name of a file: letters, digits, `.`, `_` and `-` stay. Never empty, never `.` or `..`. */
export function fileNameOf(text: string): string {
  const name = text.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, 120);
  return /^\.*$/.test(name) ? `_${name}` : name;
}
