/**
 * What an app that is opened from the desktop starts with: the environment of its session, and limits as the session
 * has them. Plain functions of what they are given, but for a look at files of this process.
 *
 * Must not: hand on what Electron, Node or whoever started Culvert put there for Culvert alone.
 */
import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { LaunchPayload } from '#shared/launch-payload.ts';

/** For Culvert, its runtime or its own start: an app would take them for its own. */
const ownNames = new Set([
  // Electron and Node.
  ...['CHROME_DESKTOP', 'ORIGINAL_XDG_CURRENT_DESKTOP'],
  ...['NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE', 'NODE_UNIQUE_ID'],
  // Of the one start that was Culvert's (startup notification, xdg-activation, GIO).
  ...['DESKTOP_STARTUP_ID', 'XDG_ACTIVATION_TOKEN', 'GIO_LAUNCHED_DESKTOP_FILE', 'BAMF_DESKTOP_FILE_HINT'],
  ...['GIO_LAUNCHED_DESKTOP_FILE_PID'],
  // Of the unit that Culvert runs in (systemd.exec(5)).
  ...['INVOCATION_ID', 'JOURNAL_STREAM', 'MANAGERPID', 'SYSTEMD_EXEC_PID', 'NOTIFY_SOCKET'],
  ...['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES'],
  // Of a shell, about itself.
  ...['_', 'PWD', 'OLDPWD', 'SHLVL'],
  // Of an AppImage.
  ...['APPDIR', 'APPIMAGE', 'ARGV0', 'OWD'],
]);
const ownPrefix = /^(?:ELECTRON_|CULVERT_|npm_)/;
/** Lists to which an AppImage adds directories of its own. */
const lists = ['PATH', 'LD_LIBRARY_PATH', 'XDG_DATA_DIRS', 'GSETTINGS_SCHEMA_DIR'];

/**
 * The environment of an app. A session bus at an abstract address is out of reach on a lane (unix(7): abstract names
 * belong to the network namespace), so its path is given.
 */
export function appEnvironment(
  env: NodeJS.ProcessEnv,
  exists: (path: string) => boolean = existsSync,
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !ownNames.has(name) && !ownPrefix.test(name)) kept[name] = value;
  }
  const desktop = env['ORIGINAL_XDG_CURRENT_DESKTOP'];
  if (desktop !== undefined) kept['XDG_CURRENT_DESKTOP'] = desktop;
  for (const name of lists) {
    const value = withoutAppDir(kept[name], env['APPDIR']);
    if (value !== undefined) kept[name] = value;
    else Reflect.deleteProperty(kept, name);
  }
  const runtime = kept['XDG_RUNTIME_DIR'];
  const isAbstract = kept['DBUS_SESSION_BUS_ADDRESS']?.includes('unix:abstract=') === true;
  if (isAbstract && runtime !== undefined && exists(join(runtime, 'bus')))
    kept['DBUS_SESSION_BUS_ADDRESS'] = `unix:path=${join(runtime, 'bus')}`;
  return kept;
}

/** The list without what lies in the AppImage; undefined for one that is empty then. */
function withoutAppDir(list: string | undefined, appDir: string | undefined): string | undefined {
  if (list === undefined || appDir === undefined || !isAbsolute(appDir)) return list;
  const others = list.split(':').filter((path) => path !== appDir && !path.startsWith(`${appDir}/`));
  return others.join(':') === '' ? undefined : others.join(':');
}

const proxyName = /^(?:all|https?|ftp|socks)_proxy$/i;

/**
 * The environment without variables that send programs to a proxy on this computer's loopback: on a lane that address
 * is the lane's own, and nobody listens there. `open` has the ports of the loopback that the app's profile opens.
 */
export function withoutLocalProxies(
  env: Readonly<Record<string, string>>,
  open: readonly number[],
): Record<string, string> {
  const isKept = ([name, value]: [string, string]) => {
    const port = proxyName.test(name) ? localPort(value) : undefined;
    return port === undefined || open.includes(port);
  };
  return Object.fromEntries(Object.entries(env).filter(isKept));
}

/** The port of a proxy at this computer's loopback; undefined for any other text. */
function localPort(proxy: string): number | undefined {
  const rest = proxy.includes('://') ? proxy.slice(proxy.indexOf('://') + 3) : proxy;
  // As http, whose hosts are read by the standard's rules: of schemes that it does not know they are only text.
  const link = `http://${rest}`;
  if (!URL.canParse(link)) return undefined;
  const { hostname, port } = new URL(link);
  const isLocal = /^127\.|^\[::1\]$|(?:^|\.)localhost\.?$/.test(hostname);
  return isLocal ? Number(port === '' ? '80' : port) : undefined;
}

/** What an app takes over beside its environment. */
export type CallerFacts = Pick<LaunchPayload, 'umask' | 'ignoredSignals' | 'limits'>;
type Limit = (resource: number) => { readonly soft: bigint; readonly hard: bigint };

/** getrlimit(2) numbers on Linux. */
const rlimitCore = 4;
const rlimitNofile = 7;
/** What sessions have where nobody changes it: select(2) can do no more (systemd's DefaultLimitNOFILE). */
const usualNofile = 1024n;

/**
 * Asked before the engine changes its own limits. Node and Chromium raise the soft limit of open files for
 * themselves: the one before is in CULVERT_NOFILE (bin/culvert), or the usual one is taken.
 */
export function callerFacts(limit: Limit, env: NodeJS.ProcessEnv): CallerFacts {
  const umask = /^Umask:\s*([0-7]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0022';
  const { hard } = limit(rlimitNofile);
  const recorded = env['CULVERT_NOFILE'];
  const wanted =
    recorded !== undefined && /^[1-9][0-9]{0,17}$/.test(recorded) ? BigInt(recorded) : usualNofile;
  const soft = hard === -1n || wanted <= hard ? wanted : hard;
  return {
    umask: Number.parseInt(umask, 8),
    ignoredSignals: 0n,
    limits: [
      { resource: rlimitCore, ...limit(rlimitCore) },
      { resource: rlimitNofile, soft, hard },
    ],
  };
}
