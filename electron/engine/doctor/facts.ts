/**
 * Everything that the doctor finds out about this computer, before it judges. What can be tried is really tried, in
 * namespaces that end with the program that made them; nothing asks for a password or changes a setting.
 */
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { failureOf } from '#shared/failure.ts';
import type { Mode } from '#shared/helper-protocol.ts';
import { laneMark, runtimeDir } from '#shared/paths.ts';
import { phrase } from '#shared/phrase.ts';
import { isForRoot, policyFor } from '../helper-place.ts';
import { hasNoNewPrivs } from '../refusals.ts';
import { terminal } from '../terminal.ts';
import { findTools, tryNft, tryUserNamespace, type Tool, type ToolName, type Trial } from './trials.ts';

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
  /** How the relay moves bytes; tried only where the native part is there. */
  readonly splice: { readonly works: boolean; readonly words: string };
  readonly runtimeDir: Trial;
  readonly lane: LaneTrial;
}

/** A lane without a password, from its making to its end; `mode` is how it was made. */
export interface LaneTrial extends Trial {
  readonly mode: Mode;
  readonly ms: number;
}

/** What the caller knows, or can try better. */
export interface Consulting {
  /** Directory of the built product. */
  readonly productDir: string;
  readonly electron: string | undefined;
  /** Makes a lane that asks for no password and ends it, by a helper of this mode. Throws why it cannot. */
  readonly makeLane: (mode: Mode) => Promise<Mode>;
}

/** Kernel switches that can forbid a lane, as names below /proc/sys. */
export const switchNames = [
  'kernel/unprivileged_userns_clone',
  'kernel/apparmor_restrict_unprivileged_userns',
  'user/max_user_namespaces',
  'user/max_net_namespaces',
  'user/max_mnt_namespaces',
] as const;

export async function gatherFacts({ productDir, electron, makeLane }: Consulting): Promise<Facts> {
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
    electron,
    openFiles: native.works ? limitOfFiles() : undefined,
    native,
    splice: native.works ? trySplice() : { works: false, words: '' },
    runtimeDir: tryRuntimeDir(),
    lane: await tryLane(makeLane, uid, native),
  };
}

function tryNative(productDir: string): Trial {
  try {
    terminal.session();
    accessSync(join(productDir, 'native', 'culvert-launch'), constants.X_OK);
    return { works: true, words: '' };
  } catch (error) {
    const failure = failureOf(error);
    return { works: false, words: failure.phrase ?? failure.detail ?? { whole: failure } };
  }
}

function trySplice(): Facts['splice'] {
  try {
    terminal.trySplice();
    return { works: true, words: '' };
  } catch (error) {
    return { works: false, words: failureOf(error).detail ?? '' };
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

/** Only where the native part is there: a lane cannot be without. */
async function tryLane(makeLane: Consulting['makeLane'], uid: number, native: Trial): Promise<LaneTrial> {
  const startedAt = performance.now();
  const mode = uid === 0 ? 'privileged' : 'rootless';
  const since = () => Math.round(performance.now() - startedAt);
  if (!native.works) return { works: false, words: phrase('doctor.no-native'), mode, ms: 0 };
  try {
    return { works: true, words: '', mode: await makeLane(mode), ms: since() };
  } catch (error) {
    return { works: false, words: { whole: failureOf(error) }, mode, ms: since() };
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
