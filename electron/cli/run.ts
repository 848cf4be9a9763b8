/**
 * `culvert run`: one command on a lane of its own, with an engine in this process.
 *
 * Must not touch process.stdin, process.stdout or process.stderr (Node would change the descriptors under the
 * app) and prints nothing on stdout. The command's end is this program's end, also by signal.
 */
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { basename } from 'node:path';
import { isatty } from 'node:tty';
import { type AppExit, Engine, type Lane, terminal } from '#engine';
import type { HelperAhead } from '#engine/helper-ahead';
import { CulvertError, type Failure, failureOf } from '#shared/failure.ts';
import { laneMark } from '#shared/paths.ts';
import { ownStanding, payloadOf } from './caller.ts';
import { exitOfRun } from './exit-codes.ts';
import { endAll, sentenceOf, settledWithin } from './leftovers.ts';
import { complain, complainOf } from './output.ts';
import { type Passage, chooseTerminal, keepSettings, openPassage, stdioFacts } from './passthrough.ts';
import { chooseProfile } from './run-profile.ts';
import type { RunOptions } from './run-request.ts';
import { SignalDesk } from './signals.ts';

const tellLeftoversMs = 1000;

/** How this program has to end. */
type Ending =
  { readonly kind: 'code'; readonly code: number } | { readonly kind: 'signal'; readonly signal: number };

/** Runs the command and never returns. `productDir` is where bin/, native/ and helper.cjs are; `ahead` a helper for it. */
export async function run(
  argv: readonly [string, ...string[]],
  options: RunOptions,
  productDir: string,
  ahead: HelperAhead | undefined,
): Promise<never> {
  let ending: Ending;
  try {
    ending = await attempt(argv, options, productDir, ahead);
  } catch (error) {
    await ahead?.close();
    const failure = withName(failureOf(error), argv[0]);
    complainOf(failure);
    return process.exit(exitOfRun(failure.code));
  }
  return ending.kind === 'signal' ? terminal.dieBy(ending.signal) : terminal.exit(ending.code);
}

/** Names the command in a failure that is about it. */
function withName(failure: Failure, name: string): Failure {
  const isAboutIt = failure.code === 'command-not-found' || failure.code === 'command-not-executable';
  return isAboutIt ? { code: failure.code, detail: name } : failure;
}

async function attempt(
  argv: readonly [string, ...string[]],
  options: RunOptions,
  productDir: string,
  ahead: HelperAhead | undefined,
): Promise<Ending> {
  if (existsSync(laneMark)) throw new CulvertError('nested-lane');
  const chosen = await chooseProfile(argv, options);
  if (chosen === 'interrupted') {
    await ahead?.close();
    return { kind: 'signal', signal: constants.signals.SIGINT };
  }
  const request = {
    name: basename(argv[0]),
    apps: chosen.apps,
    profile: chosen.profile,
    payload: payloadOf(argv, process.env, (resource) => terminal.limit(resource)),
  };
  if (options.quiet !== true) chosen.notices.forEach(complain);
  // It stays to the end of this process: a signal of the last moment must not change how the command ended.
  const desk = new SignalDesk(request.payload.ignoredSignals, () => ownStanding().isForeground);
  const standing = ownStanding();
  const { isolation } = chosen;
  await using engine = await Engine.start({
    isolation,
    hasTerminal: standing.isForeground,
    productDir,
    ahead,
  });
  const interrupted = new Promise<Ending>((resolve) => {
    desk.onEnd = (signal) => {
      resolve({ kind: 'signal', signal: constants.signals[signal] });
    };
  });
  const whole = async (): Promise<Ending> => {
    const helper = await engine.prepare();
    using passage = openPassage(chooseTerminal(helper.session, standing.session, stdioFacts()), terminal);
    const lane = await engine.openLane({ ...request, terminal: passage.terminal, stdio: passage.stdio });
    using _asking = options.quiet === true ? undefined : tellWhenAsked(engine, lane.id);
    return await accompany(lane, passage, desk, options);
  };
  const giveBack = keepSettings(terminal);
  try {
    return await Promise.race([interrupted, whole()]);
  } finally {
    // Whoever asked for a password may have been ended with the echo off.
    if (desk.phase === 'preparing') giveBack();
  }
}

/** Says once per loss that the profile leaves the choice to the user, and how to make it: nothing goes out meanwhile. */
function tellWhenAsked(engine: Engine, id: string): Disposable {
  let wasAsked = false;
  const stop = engine.on('changed', ({ lanes }) => {
    const lane = lanes.find((one) => one.id === id);
    const isAsked = lane?.asks === true;
    if (isAsked && !wasAsked) {
      const why = lane.trouble === undefined ? '' : ` (${lane.trouble.detail ?? lane.trouble.code})`;
      complain(
        `what now? — the proxies of “${lane.profile.name}” cannot be reached${why}, and nothing goes out — ` +
          `wait, or choose another profile: culvert switch ${id} PROFILE`,
      );
    }
    wasAsked = isAsked;
  });
  return { [Symbol.dispose]: stop };
}

/** From the app's start to its end, and to the end of what it leaves behind. */
async function accompany(
  lane: Lane,
  passage: Passage,
  desk: SignalDesk,
  options: RunOptions,
): Promise<Ending> {
  passage.attach(lane);
  desk.terminal = passage.terminal;
  desk.onForward = (signal) => {
    // A process that has just ended cannot be told anything more.
    void lane.signal(signal, lane.pid).catch(() => 0);
  };
  desk.onSuspend = () => void passage.suspend();
  if (passage.terminal === 'none') desk.hearStop();
  desk.phase = 'running';
  if (options.quiet !== true) lane.view().notes.forEach(complain);
  const exit = await lane.exit;
  desk.phase = 'leftovers';
  passage.release();
  await seeOff(lane, desk, options);
  await passage.drain();
  return endingOf(exit);
}

/** Waits until the lane is empty or, with `--no-wait`, empties it. Ctrl+C ends the waiting: first politely, then not. */
async function seeOff(lane: Lane, desk: SignalDesk, options: RunOptions): Promise<void> {
  let isAsked = false;
  desk.onEnd = () => {
    void end(lane, isAsked).catch(() => 0); // It became empty by itself.
    isAsked = true;
  };
  if (!options.wait) {
    await endAll(lane);
    return;
  }
  if (await settledWithin(lane.empty, tellLeftoversMs)) return;
  if (options.quiet !== true && isatty(2)) {
    const inside = await lane.processes().catch(() => undefined); // The helper may be gone; the wait is not.
    const what =
      inside?.length === 0
        ? 'what it wrote is still on its way to the proxy'
        : `on its network there is still ${sentenceOf(inside ?? [])}`;
    complain(`waiting — the command has ended, but ${what} — Ctrl+C stops that`);
  }
  await lane.empty;
}

/** Where nobody is left who could be asked, only data is waited for. */
async function end(lane: Lane, force: boolean): Promise<void> {
  if ((await lane.stop(force)) === 0) await lane.stop(true);
}

function endingOf(exit: AppExit): Ending {
  if (exit.kind !== 'failed') return exit;
  complainOf(exit.failure);
  return { kind: 'code', code: exitOfRun(exit.failure.code) };
}
