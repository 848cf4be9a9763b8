/** Where Culvert's own files and sockets are. Every path is made here. */
import { chmodSync, lstatSync, mkdirSync, statSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { CulvertError } from './failure.ts';

/**
 * The 0700 directory for engine and helper sockets, created if need be: `$XDG_RUNTIME_DIR/culvert`,
 * else `/run/user/UID/culvert`, else `culvert-UID` below the system's temporary directory (XDG Base
 * Directory Specification: relative values are ignored). Throws `runtime-dir-unsafe` unless it is a real
 * directory of this user's that nobody else can enter.
 */
export function runtimeDir(env: NodeJS.ProcessEnv = process.env): string {
  const uid = process.getuid?.() ?? 0;
  const dir = chooseRuntimeDir(env, uid);
  try {
    mkdirSync(dir, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new CulvertError('runtime-dir-unsafe', { detail: `${dir}: ${String(error)}`, cause: error });
    }
  }
  const found = lstatSync(dir);
  if (!found.isDirectory() || found.uid !== uid) {
    throw new CulvertError('runtime-dir-unsafe', { detail: dir });
  }
  if ((found.mode & 0o077) !== 0) chmodSync(dir, 0o700);
  return dir;
}

function chooseRuntimeDir(env: NodeJS.ProcessEnv, uid: number): string {
  const fromEnv = env['XDG_RUNTIME_DIR'];
  for (const parent of [fromEnv, `/run/user/${uid}`]) {
    if (parent !== undefined && isAbsolute(parent) && isOwnDirectory(parent, uid))
      return join(parent, 'culvert');
  }
  return join(tmpdir(), `culvert-${uid}`);
}

function isOwnDirectory(path: string, uid: number): boolean {
  try {
    const found = statSync(path);
    return found.isDirectory() && found.uid === uid;
  } catch {
    // Not there, or not to be entered: then it is no place for sockets.
    return false;
  }
}

/** `$XDG_CONFIG_HOME/culvert`, else `~/.config/culvert`: what the user wrote down. Made if it can be, for its owner only. */
export function configDir(env: NodeJS.ProcessEnv = process.env): string {
  return ownDirectory(env['XDG_CONFIG_HOME'], env, '.config');
}

/** `$XDG_STATE_HOME/culvert`, else `~/.local/state/culvert`: what outlives a run. Made if it can be, as above. */
export function stateDir(env: NodeJS.ProcessEnv = process.env): string {
  return ownDirectory(env['XDG_STATE_HOME'], env, '.local/state');
}

/** XDG Base Directory Specification: relative values are ignored, and what is missing is made with 0700. */
function ownDirectory(fromEnv: string | undefined, env: NodeJS.ProcessEnv, below: string): string {
  const home = env['HOME'];
  const base = home !== undefined && isAbsolute(home) ? home : homedir();
  const parent = fromEnv !== undefined && isAbsolute(fromEnv) ? fromEnv : join(base, below);
  const dir = join(parent, 'culvert');
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  } catch {
    // Reading works without it, and whoever writes there says what is in the way.
  }
  return dir;
}

/** There only inside a lane: the launcher's mark. */
export const laneMark = '/run/.culvert/lane';

/** The control socket of the engine with this process id. */
export function engineSocket(dir: string, pid: number): string {
  return join(dir, `engine-${pid}.sock`);
}

/** The socket on which the engine awaits its helper; `nonce` keeps two starts apart. */
export function helperSocket(dir: string, pid: number, nonce: string): string {
  return join(dir, `helper-${pid}-${nonce}.sock`);
}

/** The process that awaits a helper at such a socket, by the socket's name; undefined for any other file. */
export function helperSocketPid(fileName: string): number | undefined {
  const match = /^helper-([1-9][0-9]*)-[0-9a-f]+\.sock$/.exec(fileName);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** The process id in the name of an engine's control socket, or undefined for any other file. */
export function enginePidOf(fileName: string): number | undefined {
  const match = /^engine-([1-9][0-9]*)\.sock$/.exec(fileName);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** What the engines of this user write down of themselves; older lines are in `engine.log.1` and `engine.log.2`. */
export function engineLogPath(env: NodeJS.ProcessEnv = process.env): string {
  return join(stateDir(env), 'engine.log');
}

/** The traffic of the past, as far as its user wants it kept: a file for each day. */
export function historyDir(env: NodeJS.ProcessEnv = process.env): string {
  return join(stateDir(env), 'history');
}

/** What the app of a lane has written that was opened without a terminal. */
export function laneLogPath(lane: string, env: NodeJS.ProcessEnv = process.env): string {
  return join(stateDir(env), 'lanes', `${lane}.log`);
}
