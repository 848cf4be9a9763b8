/**
 * Everything that `culvert doctor` finds out about this computer, before it judges. What can be tried is really
 * tried, in namespaces that end with the program that made them; nothing asks for a password or changes a setting.
 */
import { execFile, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Engine, givenProfile, hasNoNewPrivs, isForRoot, policyFor, terminal } from '#engine';
import { describe, failureOf } from '#shared/failure.ts';
import { runtimeDir } from '#shared/paths.ts';
import { findElectron } from './electron-place.ts';
import { laneMark } from './caller.ts';

const run = promisify(execFile);

/** How something that was really tried went. `words`: what the system said when it did not work. */
export interface Trial {
  readonly works: boolean;
  readonly words: string;
}

export interface Tool {
  readonly path: string;
  readonly version: string;
}

export interface Facts {
  readonly uid: number;
  readonly kernel: string;
  readonly node: string;
  readonly osRelease: string;
  readonly isOnLane: boolean;
  /** Values of the switches below; undefined where the kernel does not have one. */
  readonly switches: Readonly<Record<string, string | undefined>>;
  readonly tools: Readonly<Record<ToolName, Tool | undefined>>;
  readonly userNamespace: Trial;
  /** nft in a network namespace of its own: as root directly, else inside a user namespace. */
  readonly nftTproxy: Trial;
  readonly nftRedirect: Trial;
  readonly hasIpv6: boolean;
  readonly pkexec: boolean;
  readonly polkitAction: string | undefined;
  /** False for a packaged copy that others than root can change: an AppImage. */
  readonly isForRoot: boolean;
  readonly sudo: boolean;
  readonly noNewPrivs: boolean;
  readonly electron: string | undefined;
  readonly openFiles: { readonly soft: number; readonly hard: number } | undefined;
  readonly native: Trial;
  readonly runtimeDir: Trial;
  /** One lane without a password, from its making to its end; `mode` is how it was made. */
  readonly lane: Trial & { readonly mode: string; readonly ms: number };
}

export const toolNames = ['ip', 'nft', 'unshare'] as const;
export type ToolName = (typeof toolNames)[number];

/** Kernel switches that can forbid a lane, as names below /proc/sys. */
export const switchNames = [
  'kernel/unprivileged_userns_clone',
  'kernel/apparmor_restrict_unprivileged_userns',
  'user/max_user_namespaces',
  'user/max_net_namespaces',
  'user/max_mnt_namespaces',
] as const;

/** Where the helper looks for its tools; PATH does not count for it. */
const toolDirs = ['/usr/sbin', '/sbin', '/usr/bin', '/bin', '/run/current-system/sw/bin'];
const versionFlags: Readonly<Record<ToolName, string>> = { ip: '-V', nft: '--version', unshare: '--version' };
const trialMs = 10_000;
const toRoot = ['--user', '--map-current-user', '--keep-caps'];

export async function gatherFacts(productDir: string): Promise<Facts> {
  const uid = process.getuid?.() ?? -1;
  const tools = await findTools();
  const native = tryNative(productDir);
  const [userNamespace, nftTproxy, nftRedirect] = await Promise.all([
    tryUserNamespace(tools.unshare),
    tryNft(
      tools,
      uid,
      'type filter hook prerouting priority mangle; policy accept;\n meta l4proto tcp tproxy to :1',
    ),
    tryNft(
      tools,
      uid,
      'type nat hook prerouting priority dstnat; policy accept;\n meta l4proto tcp redirect to :1',
    ),
  ]);
  return {
    uid,
    kernel: release(),
    node: process.versions.node,
    osRelease: read('/etc/os-release') ?? '',
    isOnLane: existsSync(laneMark),
    switches: Object.fromEntries(switchNames.map((name) => [name, read(`/proc/sys/${name}`)?.trim()])),
    tools,
    userNamespace,
    nftTproxy,
    nftRedirect,
    hasIpv6: existsSync('/proc/sys/net/ipv6'),
    pkexec: isSetUid('/usr/bin/pkexec'),
    polkitAction: policyFor(join(productDir, 'bin', 'culvert-helper')),
    isForRoot: isForRoot(productDir),
    sudo: isSetUid('/usr/bin/sudo'),
    noNewPrivs: hasNoNewPrivs(),
    electron: findElectron(productDir),
    openFiles: native.works ? limitOfFiles() : undefined,
    native,
    runtimeDir: tryRuntimeDir(),
    lane: await tryLane(productDir, uid, native),
  };
}

async function findTools(): Promise<Facts['tools']> {
  const found = await Promise.all(toolNames.map(async (name) => [name, await findTool(name)] as const));
  return Object.fromEntries(found) as Record<ToolName, Tool | undefined>;
}

async function findTool(name: ToolName): Promise<Tool | undefined> {
  const path = toolDirs.map((dir) => join(dir, name)).find((candidate) => existsSync(candidate));
  if (path === undefined) return undefined;
  try {
    const { stdout } = await run(path, [versionFlags[name]], { env: { LC_ALL: 'C' }, timeout: trialMs });
    return { path, version: versionIn(stdout) };
  } catch (error) {
    return { path, version: `does not run: ${(error as Error).message.split('\n')[0] ?? ''}` };
  }
}

/** The first thing in a program's words that looks like a version. */
export function versionIn(text: string): string {
  return /\d+(?:\.\d+)+/.exec(text)?.[0] ?? text.trim().split('\n')[0] ?? '';
}

function tryUserNamespace(unshare: Tool | undefined): Promise<Trial> {
  if (unshare === undefined) return Promise.resolve({ works: false, words: 'unshare is missing' });
  return trial(unshare.path, [...toRoot, '--mount', '--net', '--', '/bin/true'], '');
}

/** Loads one chain in a network namespace that nobody else uses. */
function tryNft(tools: Facts['tools'], uid: number, rules: string): Promise<Trial> {
  const { unshare, nft } = tools;
  if (unshare === undefined || nft === undefined) {
    return Promise.resolve({ works: false, words: `${nft === undefined ? 'nft' : 'unshare'} is missing` });
  }
  const namespaces = uid === 0 ? ['--net'] : [...toRoot, '--net'];
  return trial(
    unshare.path,
    [...namespaces, '--', nft.path, '-f', '-'],
    `table inet culvert_doctor {\n  chain c {\n    ${rules}\n  }\n}\n`,
  );
}

function trial(program: string, args: readonly string[], input: string): Promise<Trial> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: '/',
      env: { PATH: toolDirs.join(':'), LC_ALL: 'C' },
      stdio: ['pipe', 'ignore', 'pipe'],
      timeout: trialMs,
    });
    let words = '';
    child.stderr.on('data', (bytes: Buffer) => {
      words += bytes.toString();
    });
    child.stdin.on('error', () => {
      // It ended without reading; its exit status tells.
    });
    child.stdin.end(input);
    child.on('error', (error) => {
      resolve({ works: false, words: error.message });
    });
    child.on('close', (code) => {
      resolve({ works: code === 0, words: words.trim().split('\n')[0] ?? '' });
    });
  });
}

function tryNative(productDir: string): Trial {
  try {
    terminal.session();
    accessSync(join(productDir, 'native', 'culvert-launch'), constants.X_OK);
    return { works: true, words: '' };
  } catch (error) {
    const failure = failureOf(error);
    return { works: false, words: failure.detail ?? describe(failure) };
  }
}

function limitOfFiles(): { soft: number; hard: number } {
  const { soft, hard } = terminal.limit(7); // RLIMIT_NOFILE
  const numberOf = (limit: bigint) => (limit < 0n ? Number.POSITIVE_INFINITY : Number(limit));
  return { soft: numberOf(soft), hard: numberOf(hard) };
}

function tryRuntimeDir(): Trial {
  try {
    return { works: true, words: runtimeDir() };
  } catch (error) {
    return { works: false, words: failureOf(error).detail ?? '' };
  }
}

/** Opens a lane for `true`, if that can be done without asking for a password. */
async function tryLane(productDir: string, uid: number, native: Trial): Promise<Facts['lane']> {
  const startedAt = performance.now();
  const mode = uid === 0 ? 'privileged' : 'rootless';
  const since = () => Math.round(performance.now() - startedAt);
  if (!native.works) return { works: false, words: 'the native part is missing', mode, ms: 0 };
  try {
    const isolation = uid === 0 ? 'helper' : 'rootless';
    await using engine = await Engine.start({ isolation, hasTerminal: false, productDir });
    const lane = await engine.openLane({
      name: 'doctor',
      apps: ['doctor'],
      profile: givenProfile({ upstreams: [], dns: { mode: 'fake' }, udp: 'block' }),
      payload: { umask: 0o077, ignoredSignals: 0n, limits: [], cwd: '/', argv: ['/bin/true'], env: {} },
      terminal: 'none',
      stdio: [0, 1, 2],
    });
    const exit = await lane.exit;
    if (exit.kind === 'code' && exit.code === 0) return { works: true, words: '', mode, ms: since() };
    const words = exit.kind === 'failed' ? describe(exit.failure) : `ended by ${exit.kind}`;
    return { works: false, words, mode, ms: since() };
  } catch (error) {
    return { works: false, words: describe(failureOf(error)), mode, ms: since() };
  }
}

function isSetUid(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.uid === 0 && (stat.mode & 0o4000) !== 0;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // This system does not have it.
    return undefined;
  }
}
