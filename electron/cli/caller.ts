/**
 * What an app under `culvert run` inherits from whoever called: environment, directory, umask, ignored
 * signals, limits, and where the caller stands towards its terminal.
 *
 * Must run before the engine starts: the engine sets RLIMIT_CORE to 0 for itself (S52).
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LaunchPayload } from '#shared/launch-payload.ts';

/** Variables that are meant for Culvert only; the app does not see them. */
const ownVariables = ['CULVERT_PASSWORD', 'CULVERT_NOFILE', 'CULVERT_SIGIGN'] as const;

/** Taken away by Electron at its start, as packages have it; their bin/culvert keeps them under another name. */
const takenByElectron = ['NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'ELECTRON_RUN_AS_NODE'] as const;
const keptPrefix = 'CULVERT_KEPT_';

/** Makes an environment the caller's own again, where Electron is the Node that this runs on. */
export function restoreCaller(env: NodeJS.ProcessEnv, isElectron: boolean): void {
  if (!isElectron) return;
  for (const name of takenByElectron) {
    const kept = env[`${keptPrefix}${name}`];
    Reflect.deleteProperty(env, `${keptPrefix}${name}`);
    if (kept === undefined) Reflect.deleteProperty(env, name);
    else env[name] = kept;
  }
}

/** What a process needs besides to run on the same Node as this one. */
export function ownRuntime(isElectron = process.versions['electron'] !== undefined): Record<string, string> {
  return isElectron ? { ELECTRON_RUN_AS_NODE: '1' } : {};
}

/** getrlimit(2) numbers on Linux. */
const rlimitCore = 4;
const rlimitNofile = 7;

/** Signals that Node ignores by itself at its start (SIGPIPE, SIGXFSZ; node::PlatformInit). */
const ignoredByNode = signalBit(13) | signalBit(25);

export interface Limit {
  readonly soft: bigint;
  readonly hard: bigint;
}

export function signalBit(signal: number): bigint {
  return 1n << BigInt(signal - 1);
}

/** Umask and ignored signals out of the text of /proc/self/status (proc_pid_status(5)). */
export function parseStatus(status: string): { umask: number; ignored: bigint } {
  const umask = /^Umask:\s*([0-7]+)$/m.exec(status)?.[1] ?? '0022';
  const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  return { umask: Number.parseInt(umask, 8), ignored: BigInt(`0x${ignored}`) };
}

/**
 * The signals that the caller ignores. Node sets every signal to its default when it starts, so that only
 * bin/culvert, which runs before it, can know: it leaves the SigIgn mask in CULVERT_SIGIGN (hexadecimal).
 */
export function ignoredSignals(env: NodeJS.ProcessEnv, status: string): bigint {
  const recorded = env['CULVERT_SIGIGN'];
  if (recorded !== undefined && /^[0-9a-f]{1,16}$/.test(recorded)) return BigInt(`0x${recorded}`);
  return parseStatus(status).ignored & ~ignoredByNode;
}

/** The caller's limit of open files: Node raises the soft one, bin/culvert leaves what it was in CULVERT_NOFILE. */
export function openFilesLimit(env: NodeJS.ProcessEnv, present: Limit): Limit {
  const recorded = env['CULVERT_NOFILE'];
  if (recorded === undefined || !/^[1-9][0-9]{0,17}$/.test(recorded)) return present;
  const soft = BigInt(recorded);
  const isAllowed = present.hard === -1n || soft <= present.hard;
  return isAllowed ? { soft, hard: present.hard } : present;
}

/**
 * The environment of the app: the caller's without what is ours. A session bus at an abstract address is
 * out of reach on a lane (unix(7): abstract names belong to the network namespace), so its path is given.
 */
export function appEnvironment(
  env: NodeJS.ProcessEnv,
  exists: (path: string) => boolean = existsSync,
): Record<string, string> {
  const own = new Set<string>(ownVariables);
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !own.has(name)) result[name] = value;
  }
  const runtimeDir = result['XDG_RUNTIME_DIR'];
  if (result['DBUS_SESSION_BUS_ADDRESS']?.includes('unix:abstract=') === true && runtimeDir !== undefined) {
    const bus = join(runtimeDir, 'bus');
    if (exists(bus)) result['DBUS_SESSION_BUS_ADDRESS'] = `unix:path=${bus}`;
  }
  return result;
}

/** Remembers the limits that matter to apps, for later, when the engine has changed its own. */
export function rememberLimits(limit: (resource: number) => Limit): (resource: number) => Limit {
  const known = new Map([rlimitCore, rlimitNofile].map((resource) => [resource, limit(resource)]));
  return (resource) => known.get(resource) ?? limit(resource);
}

/** The payload for a command as the present process would start it itself. */
export function payloadOf(
  argv: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv,
  limit: (resource: number) => Limit,
): LaunchPayload {
  const status = readFileSync('/proc/self/status', 'latin1');
  return {
    umask: parseStatus(status).umask,
    ignoredSignals: ignoredSignals(env, status),
    limits: [
      { resource: rlimitCore, ...limit(rlimitCore) },
      { resource: rlimitNofile, ...openFilesLimit(env, limit(rlimitNofile)) },
    ],
    cwd: process.cwd(),
    argv,
    env: appEnvironment(env),
  };
}

/** Where a process stands towards its terminal. */
export interface Standing {
  readonly session: number;
  readonly hasTerminal: boolean;
  /** Its process group is the one that the keyboard's signals go to. */
  readonly isForeground: boolean;
}

/** Reads it out of the text of /proc/PID/stat (proc_pid_stat(5)): fields 5 to 8 are pgrp, session, tty_nr, tpgid. */
export function parseStanding(stat: string): Standing {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [group, session, terminal, foreground] = fields.slice(2, 6).map(Number);
  const hasTerminal = terminal !== undefined && terminal !== 0;
  return { session: session ?? 0, hasTerminal, isForeground: hasTerminal && foreground === group };
}

export function ownStanding(): Standing {
  return parseStanding(readFileSync('/proc/self/stat', 'latin1'));
}
