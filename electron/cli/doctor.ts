/** `culvert doctor`: what this computer can do for Culvert, line by line, and what to do about the rest. */
import { Engine, givenProfile, loadDoctor, type Judged, type State } from '#engine';
import { CulvertError } from '#shared/failure.ts';
import type { Mode } from '#shared/helper-protocol.ts';
import { findElectron } from './electron-place.ts';
import { type VerbExit, verbExit } from './exit-codes.ts';
import { type Style, print, printable, styleFor } from './output.ts';

export interface DoctorOptions {
  readonly json?: boolean | undefined;
}

const schema = 1;
const signs: Readonly<Record<State, string>> = { ok: '✓', warning: '!', failed: '✗' };

/** Exit status 0 when lanes can be made here, in one way or another. */
export async function doctor(options: DoctorOptions, productDir: string): Promise<VerbExit> {
  const { gatherFacts, judgeAll, waysOf } = await loadDoctor();
  const facts = await gatherFacts({
    productDir,
    electron: findElectron(productDir),
    makeLane: (mode) => makeLane(productDir, mode),
  });
  const judged = judgeAll(facts);
  const ways = waysOf(facts);
  const isPossible = ways.rootless || ways.privileged;
  if (options.json === true) {
    print(JSON.stringify({ schema, possible: isPossible, ways, checks: judged }, null, 2));
  } else {
    for (const line of linesOf(judged, styleFor(1))) print(line);
    print('');
    print(summaryOf(facts.uid, ways));
  }
  return isPossible ? verbExit.ok : verbExit.isolationUnavailable;
}

/** Runs `true` on a lane of an engine that is there for nothing else. Throws why it cannot. */
async function makeLane(productDir: string, mode: Mode): Promise<Mode> {
  const isolation = mode === 'privileged' ? 'helper' : 'rootless';
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
  if (exit.kind === 'failed') throw new CulvertError(exit.failure.code, exit.failure);
  if (exit.kind === 'code' && exit.code === 0) return mode;
  throw new CulvertError('launch-failed', { step: 'true', detail: `ended by ${exit.kind}` });
}

/** A line for each check, and one for what to do. The sign tells the state without colour. */
export function linesOf(judged: readonly Judged[], style: Style): string[] {
  const paint = { ok: style.green, warning: style.yellow, failed: style.red };
  const width = Math.max(...judged.map(({ title }) => title.length));
  return judged.flatMap(({ state, title, found, todo }) => [
    `${paint[state](signs[state])} ${title.padEnd(width)}  ${printable(found)}`,
    ...(todo === undefined ? [] : [`  ${' '.repeat(width)}  → ${printable(todo)}`]),
  ]);
}

export function summaryOf(uid: number, ways: { rootless: boolean; privileged: boolean }): string {
  if (ways.rootless) return 'Culvert can work here, without a password.';
  if (!ways.privileged) return 'Culvert cannot make isolated networks here yet; see what is marked ✗.';
  return uid === 0
    ? 'Culvert can work here, as root.'
    : 'Culvert can work here, with the permission of an administrator.';
}
