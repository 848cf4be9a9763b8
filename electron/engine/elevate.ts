/**
 * Starts the helper, by the way that fits, and nothing else: the engine's only door to other programs.
 *
 * Does: choose between a user namespace, being root already, pkexec, sudo and sudo-prompt; wait until the
 * helper dials back; check who it is. Must not: use a shell, or pass the caller's environment on to root.
 * What an early end means is in refusals.ts.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CulvertError, failureSaying, type Failure, type FailureCode } from '#shared/failure.ts';
import type { Mode } from '#shared/helper-protocol.ts';
import type { Isolation } from '#shared/model.ts';
import { helperSocket, helperSocketPid, runtimeDir } from '#shared/paths.ts';
import { phrase, type Phrase } from '#shared/phrase.ts';
import { helperForRoot, isForRoot, policyFor } from './helper-place.ts';
import type { EngineOptions } from './lane-spec.ts';
import type { Native } from './native.ts';
import {
  hasNoNewPrivs,
  oneLine,
  pkexecRefusal,
  reported,
  startFailure,
  userNamespaceSwitch,
} from './refusals.ts';

const pkexecPath = '/usr/bin/pkexec';
const sudoPath = '/usr/bin/sudo';
const unsharePath = '/usr/bin/unshare';
const quickMs = 10_000;
const humanMs = 120_000;
/** Ctrl+C at a question ends the program that asks and us: by then we have heard of it, and know that it was no refusal. */
const keyboardMs = 150;

/** A helper that has dialled back, and why it was started the way it was. */
export interface StartedHelper {
  readonly link: number;
  readonly mode: Mode;
  readonly why: Phrase;
  /** What the helper process wrote before it died, for the failure that reports its loss. */
  readonly lastWords: () => string;
}

interface Way {
  readonly mode: Mode;
  readonly why: Phrase;
  readonly command: string;
  readonly args: (socket: string) => readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
  /** Turns the exit of the started program, before a helper dialled back, into a failure; undefined: wait on. */
  readonly refusal: (code: number | null, words: string) => Failure | undefined;
  /** Tried without a word: its failure is not told. */
  readonly isSilent?: boolean;
}

/** What decides about the ways to a helper. */
export type HelperOptions = Pick<EngineOptions, 'hasTerminal' | 'productDir'>;

/**
 * Starts a helper of this mode; `signal` is the end of the patience with it. Throws a CulvertError with the reason of
 * the last way that was tried.
 */
export async function startHelper(
  native: Native,
  mode: Mode,
  options: HelperOptions,
  signal: AbortSignal,
): Promise<StartedHelper> {
  let refusal: unknown = new CulvertError('no-way-to-root');
  for (const way of waysOf(mode, options)) {
    try {
      return await start(native, way, signal);
    } catch (error) {
      // A silent attempt that fails says nothing about why the way before it did.
      if (way.isSilent !== true) refusal = error;
      if (!leadsOn(error)) break;
    }
  }
  throw refusal;
}

/** Failures that mean "this way does not exist here": only they lead to the next one, never a refusal. */
const goesOn: readonly FailureCode[] = ['userns-forbidden', 'pkexec-no-agent', 'pkexec-missing'];

/** Whether what was thrown means that this way does not exist here, so that the next one may be tried. */
export function leadsOn(error: unknown): boolean {
  return error instanceof CulvertError && goesOn.includes(error.failure.code);
}

/** The mode of a helper for this isolation that is started without asking anybody; undefined where there is none. */
export function unaskedMode(isolation: Isolation): Mode | undefined {
  if (isolation === 'rootless') return 'rootless';
  if (process.geteuid?.() === 0) return 'privileged';
  return isolation === 'helper' ? undefined : 'rootless';
}

/** The modes of helpers to try for this isolation, in order. */
export function modesFor(isolation: Isolation, { hasTerminal, productDir }: HelperOptions): readonly Mode[] {
  const unasked = unaskedMode(isolation);
  if (unasked === undefined) return ['privileged'];
  if (isolation === 'rootless' || unasked === 'privileged') return [unasked];
  const canAsk = hasTerminal || existsSync(pkexecPath);
  const mayBeRoot = canAsk && !hasNoNewPrivs() && isForRoot(productDir);
  return mayBeRoot ? [unasked, 'privileged'] : [unasked];
}

/** Whether a user without a terminal can be asked for permission. */
export function canAskOnDesktop(): boolean {
  return existsSync(pkexecPath) || (existsSync(sudoPath) && hasDisplay());
}

/** The ways to try, in order. */
function waysOf(mode: Mode, options: HelperOptions): readonly Way[] {
  if (mode === 'rootless') return [rootlessWay(options.productDir)];
  return process.geteuid?.() === 0 ? [directWay(options.productDir)] : privilegedWays(options);
}

function rootlessWay(productDir: string): Way {
  return {
    mode: 'rootless',
    why: phrase('helper.rootless'),
    command: unsharePath,
    args: (socket) => [
      ...['--user', '--map-current-user', '--keep-caps', '--mount', '--'],
      ...[process.execPath, join(productDir, 'helper.cjs'), 'rootless', socket],
    ],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ELECTRON_RUN_AS_NODE: '1' },
    timeoutMs: quickMs,
    refusal: (code, words) =>
      reported(words) ??
      new CulvertError('userns-forbidden', { detail: userNamespaceSwitch(words, code) }).failure,
  };
}

function directWay(productDir: string): Way {
  return {
    mode: 'privileged',
    why: phrase('helper.by-root'),
    command: process.execPath,
    args: (socket) => [join(productDir, 'helper.cjs'), 'privileged', socket],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ELECTRON_RUN_AS_NODE: '1' },
    timeoutMs: quickMs,
    refusal: startFailure,
  };
}

function privilegedWays({ hasTerminal, productDir }: HelperOptions): Way[] {
  if (hasNoNewPrivs()) throw new CulvertError('no-new-privs');
  const helper = helperForRoot(productDir);
  const hasOwnAction = policyFor(helper) !== undefined;
  const hasPkexec = existsSync(pkexecPath);
  const hasSudo = existsSync(sudoPath);
  const ways = [
    ...(hasPkexec && (hasOwnAction || !hasTerminal) ? [pkexecWay(helper, hasTerminal && !hasSudo)] : []),
    ...(hasTerminal && hasSudo ? [sudoWay(helper)] : []),
    ...(hasPkexec && !hasOwnAction && hasTerminal && !hasSudo ? [pkexecWay(helper, true)] : []),
    ...(!hasPkexec && !hasTerminal && hasDisplay() ? [sudoPromptWay(helper)] : []),
    ...(!hasTerminal && hasSudo ? [silentSudoWay(helper)] : []),
  ];
  if (ways.length === 0) throw new CulvertError('no-way-to-root');
  return ways;
}

function hasDisplay(): boolean {
  return (process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY']) !== undefined;
}

/**
 * pkexec refuses odd values of SHELL and LANG, so it gets constant ones (pkexec(1)). `asks` lets it ask on the
 * terminal where no agent of the session does, which many versions try and fail: only where sudo is no way.
 */
function pkexecWay(helper: string, asks: boolean): Way {
  return {
    mode: 'privileged',
    why: phrase('helper.polkit'),
    command: pkexecPath,
    args: (socket) => [...(asks ? [] : ['--disable-internal-agent']), helper, 'privileged', socket],
    env: { SHELL: '/bin/sh', LANG: 'C.UTF-8', TERM: process.env['TERM'] === undefined ? 'dumb' : 'xterm' },
    timeoutMs: humanMs,
    refusal: pkexecRefusal,
  };
}

/**
 * sudo in the background (-b): it asks on the terminal first, then lets go of it, so that it does not read
 * what the app should read (sudo(8); with use_pty it would relay the terminal itself).
 */
function sudoWay(helper: string): Way {
  return {
    mode: 'privileged',
    why: phrase('helper.sudo'),
    command: sudoPath,
    args: (socket) => [
      '-b',
      '-p',
      'culvert: password of %p for the isolated network: ',
      '--',
      helper,
      'privileged',
      socket,
    ],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', TERM: process.env['TERM'] ?? 'dumb', LANG: 'C.UTF-8' },
    timeoutMs: humanMs,
    refusal: (code, words) =>
      code === 0 ? undefined : (reported(words) ?? { code: 'sudo-refused', detail: oneLine(words) }),
  };
}

/** Where nobody can be asked, as in scripts: works for those who may use sudo without a password. */
function silentSudoWay(helper: string): Way {
  const way = sudoWay(helper);
  const args = (socket: string) => ['-n', '-b', '--', helper, 'privileged', socket];
  return { ...way, args, why: phrase('helper.sudo-without-password'), timeoutMs: quickMs, isSilent: true };
}

function sudoPromptWay(helper: string): Way {
  return {
    mode: 'privileged',
    why: phrase('helper.desktop'),
    command: 'sudo-prompt',
    args: (socket) => [helper, 'privileged', socket],
    env: {},
    timeoutMs: humanMs,
    refusal: (_code, words) => {
      // sudo-prompt's own words, in every language.
      const code = words.includes('did not grant permission') ? 'sudo-refused' : 'pkexec-missing';
      return reported(words) ?? { code, detail: oneLine(words) };
    },
  };
}

async function start(native: Native, way: Way, signal: AbortSignal): Promise<StartedHelper> {
  const dir = runtimeDir();
  forgetTheDead(dir);
  const path = helperSocket(dir, process.pid, randomBytes(6).toString('hex'));
  const listener = native.listen(path);
  let words = '';
  const child = way.command === 'sudo-prompt' ? await promptSudo(way.args(path)) : spawnWay(way, path);
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-4096);
  });
  try {
    const link = await dialledBack(native, listener, child, way, () => words, signal);
    const peer = native.peer(link);
    const expected = way.mode === 'privileged' ? 0 : (process.geteuid?.() ?? -1);
    if (peer.uid !== expected) {
      native.close(link);
      throw new CulvertError('helper-refused', {
        detail: phrase('helper.other-user', { user: peer.uid, expected }),
      });
    }
    child.unref();
    (child.stderr as { unref?: () => void } | null)?.unref?.();
    return { link, mode: way.mode, why: way.why, lastWords: () => oneLine(words) };
  } catch (error) {
    child.kill();
    throw error;
  } finally {
    native.unwatch(listener);
    native.close(listener);
    rmSync(path, { force: true });
  }
}

/** Removes the sockets of those that were killed while they waited for a helper. */
function forgetTheDead(dir: string): void {
  for (const name of readdirSync(dir)) {
    const pid = helperSocketPid(name);
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(dir, name), { force: true });
  }
}

function spawnWay(way: Way, socket: string): ChildProcess {
  return spawn(way.command, [...way.args(socket)], {
    cwd: '/',
    env: way.env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

/** sudo-prompt takes a shell command and gives no handle; our words have nothing that a shell would change. */
async function promptSudo(args: readonly string[]): Promise<ChildProcess> {
  if (args.some((word) => !/^[A-Za-z0-9_./-]+$/.test(word))) throw new CulvertError('no-way-to-root');
  const { exec } = await import('sudo-prompt');
  const holder = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
    env: { ELECTRON_RUN_AS_NODE: '1' },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  exec(args.join(' '), { name: 'Culvert' }, (error) => {
    if (error !== undefined) holder.stderr.emit('data', error.message);
    holder.kill();
  });
  return holder;
}

function dialledBack(
  native: Native,
  listener: number,
  child: ChildProcess,
  way: Way,
  words: () => string,
  signal: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const settle = (work: () => void) => {
      clearTimeout(timer);
      child.removeAllListeners('close');
      work();
    };
    const fail = (failure: Failure) => {
      settle(() => {
        reject(new CulvertError(failure.code, failure));
      });
    };
    const take = (): boolean => {
      const link = native.accept(listener);
      if (link === undefined) return false;
      settle(() => {
        resolve(link);
      });
      return true;
    };
    const timer = setTimeout(() => {
      // It may have dialled while this process was waiting for something else, as for a password on stdin.
      if (take()) return;
      fail(failureSaying('helper-timeout', phrase('helper.late', { seconds: way.timeoutMs / 1000 })));
    }, way.timeoutMs);
    // A question that nobody waits for any more may stay: what belongs to root cannot be ended from here.
    signal.addEventListener('abort', () => {
      fail(failureSaying('helper-start-failed', phrase('helper.given-up')));
    });
    child.on('error', (error) => {
      fail({ code: 'helper-start-failed', detail: error.message });
    });
    // `close` and not `exit`: by then all that the program said has been read. sudo -b leaves its stderr
    // open in the helper, so for its refusals both mean the same.
    child.on('close', (code) => {
      const failure = way.refusal(code, words());
      if (failure !== undefined) setTimeout(fail, way.timeoutMs === humanMs ? keyboardMs : 0, failure);
    });
    native.watch(listener, take);
  });
}
