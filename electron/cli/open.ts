/**
 * `culvert open`: a desktop app on a lane of its own, with an engine in this process, until the lane is empty.
 *
 * Must not: touch the terminal (the app has none of ours), or say that an app runs through a profile when it has
 * handed over to one that does not.
 */
import { closeSync, existsSync, openSync, writeSync } from 'node:fs';
import { AppLog, Engine, terminal, wasHandedOver, type AppExit, type Lane } from '#engine';
import { CulvertError, describe, failureOf, type Answer } from '#shared/failure.ts';
import type { LaunchPayload } from '#shared/launch-payload.ts';
import { laneMark } from '#shared/paths.ts';
import { ownStanding, payloadOf, rememberLimits } from './caller.ts';
import { exitOfVerb, verbExit, type VerbExit } from './exit-codes.ts';
import { gui } from './gui.ts';
import { settledWithin } from './leftovers.ts';
import { openInBackground, type OpenReport } from './open-background.ts';
import { planOpening, type Opening, type OpenOptions } from './open-plan.ts';
import { complain, write } from './output.ts';
import { SignalDesk } from './signals.ts';

/** In the background an app counts as running once it has for this long: one that hands over has ended by then. */
const provenMs = 1000;
/** From the end of its first process to the news that nobody is left. */
const emptiesMs = 200;

/** Resolves when the lane is empty, or with `--detach` once the app runs. Throws what `planOpening` and engines do. */
export async function open(
  operands: readonly string[],
  options: OpenOptions,
  productDir: string,
): Promise<VerbExit> {
  if (existsSync(laneMark)) throw new CulvertError('nested-lane');
  if (options.detach === true) return openInBackground();
  const report = reportTo(options.reportFd);
  try {
    const opening = await planOpening(operands, options);
    return await host(opening, productDir, report);
  } catch (error) {
    report?.({ ok: false, failure: failureOf(error) });
    if (report === undefined) await askInWindow(options, productDir);
    throw error;
  }
}

/**
 * A launcher has no terminal in which its user could read why nothing opened: the window asks what is to be asked, and
 * says the rest. Where there is no window, what was written is all.
 */
async function askInWindow({ app, profile }: OpenOptions, productDir: string): Promise<void> {
  if (app === undefined || process.stderr.isTTY) return;
  await gui({ open: app, profile }, productDir).catch(() => undefined);
}

type Report = (answer: Answer<OpenReport>) => void;

/** Tells whoever started this in the background; only the first answer counts. */
function reportTo(fd: string | undefined): Report | undefined {
  if (fd === undefined || !/^[3-9]$/.test(fd)) return undefined;
  let isTold = false;
  return (answer) => {
    if (isTold) return;
    isTold = true;
    try {
      writeSync(Number(fd), `${JSON.stringify(answer)}\n`);
      closeSync(Number(fd));
    } catch {
      // Nobody waits any more; what there is to say stands in the log as well.
    }
  };
}

async function host(opening: Opening, productDir: string, report: Report | undefined): Promise<VerbExit> {
  // Before the engine starts: it changes its own limits.
  const limit = rememberLimits((resource) => terminal.limit(resource));
  const payloads = opening.plan.argvs.map((argv) => ({
    ...payloadOf(argv, process.env, limit),
    cwd: opening.plan.cwd,
  }));
  opening.notices.forEach(complain);
  const [{ ignoredSignals } = { ignoredSignals: 0n }] = payloads;
  using desk = new SignalDesk(ignoredSignals, () => ownStanding().isForeground);
  const running: Started[] = [];
  let isStopped = false;
  const interrupted = new Promise<'interrupted'>((resolve) => {
    desk.onEnd = () => {
      resolve('interrupted');
      // The second time it is not asked any more. A lane that is empty by now has nobody to tell.
      for (const { lane } of running) void lane.stop(isStopped).catch(() => 0);
      isStopped = true;
    };
  });
  const hasTerminal = ownStanding().isForeground;
  await using engine = await Engine.start({ isolation: opening.isolation, hasTerminal, productDir });
  const start = async (): Promise<'started'> => {
    try {
      for (const payload of payloads)
        running.push(await startOne(engine, opening, payload, report !== undefined));
    } catch (error) {
      // All or none: those before it would go on without their network.
      for (const { lane } of running) await lane.stop(true).catch(() => 0); // It ended by itself.
      throw error;
    }
    return 'started';
  };
  if ((await Promise.race([interrupted, start()])) === 'interrupted') return verbExit.failed;
  desk.phase = 'leftovers';
  const outcomes: Outcome[] = [];
  const ends = Promise.all(
    running.map(async (started) => {
      outcomes.push(await accompany(started, opening, () => isStopped));
    }),
  );
  const lanes = running.map(({ lane }) => lane);
  if (report === undefined) notesOf(lanes).forEach(complain);
  else {
    await settledWithin(ends, provenMs);
    const told = outcomes.flatMap((outcome) => outcome.told ?? []);
    const notices = [...opening.notices, ...notesOf(lanes), ...told];
    report({ ok: true, value: { lanes: lanes.map(({ id }) => id), notices, exit: worst(outcomes) } });
  }
  await ends;
  return worst(outcomes);
}

interface Started {
  readonly lane: Lane;
  /** In the background; else the app writes to what this process writes to. */
  readonly log: AppLog | undefined;
}

async function startOne(
  engine: Engine,
  { name, apps, profile, isAppImage }: Opening,
  payload: LaunchPayload,
  isInBackground: boolean,
): Promise<Started> {
  const { mode } = await engine.prepare();
  // A user namespace has no FUSE to mount itself with; the AppImage's own runtime knows another way.
  const more = isAppImage && mode === 'rootless' ? { APPIMAGE_EXTRACT_AND_RUN: '1' } : {};
  const log = isInBackground ? AppLog.open(process.env) : undefined;
  const input = openSync('/dev/null', 'r');
  try {
    const lane = await engine.openLane({
      ...{ name, apps, profile: { kind: 'stored', id: profile.id }, terminal: 'none' },
      payload: { ...payload, env: { ...payload.env, ...more } },
      stdio: [input, log?.fd ?? 1, log?.fd ?? 2],
    });
    log?.nameFor(lane.id);
    return { lane, log };
  } catch (error) {
    log?.[Symbol.dispose]();
    throw error;
  } finally {
    closeSync(input);
  }
}

function notesOf(lanes: readonly Lane[]): string[] {
  return [...new Set(lanes.flatMap((lane) => lane.view().notes))];
}

/** How the verb ends because of one lane, and what is to be said of it. */
interface Outcome {
  readonly exit: VerbExit;
  readonly told?: string;
}

/** One lane until it is empty; what is to be said of it is said. */
async function accompany(
  { lane, log }: Started,
  opening: Opening,
  isStopped: () => boolean,
): Promise<Outcome> {
  const exit = await lane.exit;
  const isAsked = lane.state === 'stopping';
  const ranMs = Date.now() - lane.startedAt;
  const isLaneEmpty = await settledWithin(lane.empty, emptiesMs);
  await lane.empty;
  const exitCode = exit.kind === 'code' ? exit.code : null;
  const isHandOver = wasHandedOver({ ranMs, exitCode, isLaneEmpty, isTerminal: opening.isTerminal });
  const ended = isHandOver ? handOver(opening, ranMs) : outcomeOf(exit, opening.name);
  const outcome: Outcome = isAsked || isStopped() ? { exit: verbExit.ok } : ended;
  if (outcome.told !== undefined) complain(outcome.told);
  if (outcome.told !== undefined && log !== undefined) write(log.fd, `culvert: ${outcome.told}\n`);
  log?.[Symbol.dispose]();
  return outcome;
}

function handOver({ name, host, profile }: Opening, ranMs: number): Outcome {
  if (host !== undefined) {
    const told =
      `${name} opened in the window that runs — process ${host.pid} is on an isolated network with ` +
      `${profile.id} too — nothing is to be done`;
    return { exit: verbExit.ok, told };
  }
  const failure = {
    code: 'app-running-outside',
    detail: `${name} ended after ${ranMs} ms as apps do that hand over; what it opened may be outside`,
  } as const;
  return { exit: exitOfVerb(failure.code), told: describe(failure) };
}

function outcomeOf(exit: AppExit, name: string): Outcome {
  if (exit.kind === 'failed') return { exit: exitOfVerb(exit.failure.code), told: describe(exit.failure) };
  if (exit.kind === 'code' && exit.code === 0) return { exit: verbExit.ok };
  const how = exit.kind === 'code' ? `with status ${exit.code}` : `by signal ${exit.signal}`;
  return {
    exit: verbExit.failed,
    told: `${name} ended ${how} — that is its own word for how it went — see what it wrote before`,
  };
}

function worst(outcomes: readonly Outcome[]): VerbExit {
  return outcomes.find(({ exit }) => exit !== verbExit.ok)?.exit ?? verbExit.ok;
}
