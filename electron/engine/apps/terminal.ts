/**
 * A terminal for apps that need one (`Terminal=true`): one whose window and command are processes of the lane.
 *
 * Most terminals of the big desktops hand a new window over to the one that runs, or to a server that the session's
 * bus starts; the command would run there, outside. Does: choose only those that do not, or that can be told not to.
 * Must not: call `xdg-terminal-exec` or `x-terminal-emulator`, which start any of them; what they would choose is
 * honoured where it is one of ours.
 */
import { readFile, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CulvertError } from '#shared/failure.ts';
import { findProgram } from './catalogue.ts';
import { configHome, dataDirs } from './folders.ts';

/**
 * Programs that run a command in a process of their own, with the options that go before it, in order of preference.
 * Not among them, for they are single-instance: gnome-terminal, ptyxis, kgx, footclient, tilix, lxterminal.
 */
const terminals: Readonly<Record<string, readonly string[]>> = {
  konsole: ['--separate', '-e'],
  'xfce4-terminal': ['--disable-server', '--execute'],
  'mate-terminal': ['--disable-factory', '--execute'],
  foot: ['--'],
  kitty: ['--'],
  alacritty: ['-e'],
  wezterm: ['start', '--always-new-process', '--'],
  ghostty: ['--gtk-single-instance=false', '-e'],
  terminator: ['--no-dbus', '--execute'],
  qterminal: ['-e'],
  urxvt: ['-e'],
  st: ['-e'],
  xterm: ['-e'],
};

/** Desktop ids under which they are named in xdg-terminals.list, where these are not the program's name. */
const idsOfTerminals: Readonly<Record<string, string>> = {
  'org.kde.konsole': 'konsole',
  'org.codeberg.dnkl.foot': 'foot',
  Alacritty: 'alacritty',
  'org.wezfurlong.wezterm': 'wezterm',
  'com.mitchellh.ghostty': 'ghostty',
};

/**
 * The command that shows `argv` in a terminal that stays in the lane. The user's choice goes first: `$TERMINAL`,
 * then xdg-terminals.list, then the alternative of Debian. Throws `terminal-missing`.
 */
export async function inTerminal(
  argv: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv = process.env,
): Promise<[string, ...string[]]> {
  const chosen = [basename(env['TERMINAL'] ?? ''), ...(await listed(env)), await alternative(env)];
  for (const name of [...chosen, ...Object.keys(terminals)]) {
    const options = name === undefined || !Object.hasOwn(terminals, name) ? undefined : terminals[name];
    const program = name === undefined || options === undefined ? undefined : await findProgram(name, env);
    if (program !== undefined && options !== undefined) return [program, ...options, ...argv];
  }
  throw new CulvertError('terminal-missing');
}

/** Names of the programs in xdg-terminals.list, for this desktop first (xdg-terminal-exec's proposal). */
async function listed(env: NodeJS.ProcessEnv): Promise<string[]> {
  const desktops = (env['XDG_CURRENT_DESKTOP'] ?? '')
    .toLowerCase()
    .split(':')
    .filter((name) => /^[\w-]+$/.test(name));
  const files = [...desktops.map((name) => `${name}-xdg-terminals.list`), 'xdg-terminals.list'];
  const folders = [
    configHome(env),
    '/etc/xdg',
    ...dataDirs(env).map((dir) => join(dir, 'xdg-terminal-exec')),
  ];
  const texts = await Promise.all(
    folders.flatMap((folder) => files.map((file) => readFile(join(folder, file), 'utf8').catch(() => ''))),
  );
  return texts
    .flatMap((text) => text.split('\n'))
    .map((line) => line.trim().replace(/\.desktop(?::.*)?$/, ''))
    .map((id) => idsOfTerminals[id] ?? id);
}

async function alternative(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const link = await findProgram('x-terminal-emulator', env);
  return link === undefined ? undefined : basename(await realpath(link));
}
