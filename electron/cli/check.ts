/** `culvert check`: whether a running app, or one that only waits, gets by its lane alone to the outside. */
import { closeSync, existsSync, openSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { Engine, ConfigStore, loadHealth, terminal } from '#engine';
import { EngineClient } from '#shared/control/client.ts';
import { CulvertError, failureOf } from '#shared/failure.ts';
import type { CheckReport } from '#shared/model.ts';
import { laneMark } from '#shared/paths.ts';
import { ownStanding, payloadOf } from './caller.ts';
import { exitOfReport, lineText } from './check-words.ts';
import { complainOf, print, styleFor } from './output.ts';
import { isolationOf } from './run-request.ts';
import { enginePidOfLane } from './stop.ts';
import { profileFor } from './stored-profile.ts';

export interface CheckOptions {
  readonly profile?: string | undefined;
  readonly isolation?: string | undefined;
  readonly url?: string | undefined;
  readonly compare?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** Version of the JSON that `--json` prints; rises when a field changes its meaning or goes. */
const schema = 1;

/** What waits on a lane of its own while that is checked. */
const waiter = ['/bin/sleep', '20'] as const;

/**
 * Checks a lane, or one that is made for it with a profile; answers the exit status. Throws `engine-unreachable`,
 * `lane-unknown`, `profile-unknown`, `option-invalid` and whatever starting a lane may.
 */
export async function check(
  lane: string | undefined,
  options: CheckOptions,
  productDir: string,
): Promise<number> {
  if (lane !== undefined && options.profile !== undefined)
    throw new CulvertError('option-invalid', { detail: 'name a lane or a profile, not both' });
  const found =
    lane === undefined ? await checkProfile(options, productDir) : await checkRunning(lane, options);
  const report = options.compare === true ? await compared(found, options) : found;
  if (options.json === true) print(JSON.stringify({ schema, ...report }));
  else for (const line of report.lines) print(lineText(line, { style: styleFor(1) }));
  tellWorst(report);
  return exitOfReport(report);
}

async function checkRunning(lane: string, { url }: CheckOptions): Promise<CheckReport> {
  const clients = await EngineClient.all();
  try {
    if (clients.length === 0) throw new CulvertError('engine-unreachable');
    const client = clients.find(({ pid }) => pid === enginePidOfLane(lane));
    if (client === undefined) throw new CulvertError('lane-unknown', { detail: lane });
    return await client.call('lane.check', { lane, ...(url === undefined ? {} : { url }) });
  } finally {
    for (const client of clients) client.close();
  }
}

async function checkProfile(options: CheckOptions, productDir: string): Promise<CheckReport> {
  if (existsSync(laneMark)) throw new CulvertError('nested-lane');
  const profile = profileFor(ConfigStore.open().read(), options.profile, []);
  const isolation = isolationOf(options.isolation ?? profile.isolation);
  const payload = payloadOf(waiter, process.env, (resource) => terminal.limit(resource));
  const nothing = openSync('/dev/null', 'r+');
  try {
    await using engine = await Engine.start({
      isolation,
      hasTerminal: ownStanding().isForeground,
      productDir,
    });
    const lane = await engine.openLane({
      name: 'check',
      apps: ['culvert-check'],
      profile: { kind: 'stored', id: profile.id },
      payload,
      terminal: 'none',
      stdio: [nothing, nothing, nothing],
    });
    try {
      return await engine.check(lane.id, options.url);
    } finally {
      await lane.stop(true);
      await lane.empty;
    }
  } finally {
    closeSync(nothing);
  }
}

/** Beside the address that the page saw of the lane, the one that it sees of this computer. */
async function compared(report: CheckReport, options: CheckOptions): Promise<CheckReport> {
  const { exitAddress } = report;
  if (exitAddress === undefined) return report;
  const { ownAddress, probeOf } = await loadHealth();
  const { probe: chosen } = ConfigStore.open().read();
  const probe = probeOf({ url: options.url ?? chosen.url, resolver: chosen.resolver });
  const lines = [...report.lines];
  try {
    const signal = new AbortController().signal;
    const own = await ownAddress(probe, { family: isIPv6(exitAddress) ? 6 : 4, signal });
    const isSame = own === exitAddress;
    const text = isSame
      ? `${own} is this computer’s own address as well`
      : `this computer’s own address is ${own}`;
    lines.push({ stage: 'exit-address', outcome: isSame ? 'failed' : 'ok', text });
  } catch (error) {
    const failure = failureOf(error);
    const text = `this computer’s own address was not found out: ${failure.detail ?? failure.code}`;
    lines.push({ stage: 'exit-address', outcome: 'unknown', text, failure });
  }
  const { worstOf } = await loadHealth();
  return { ...report, outcome: worstOf(lines), lines };
}

/** What went wrong, as every verb says it: the first line of the worst kind. */
function tellWorst({ outcome, lines }: CheckReport): void {
  if (outcome === 'ok') return;
  const worst = lines.find((line) => line.outcome === outcome);
  if (worst === undefined) return;
  const { code, detail } = worst.failure ?? {
    code: outcome === 'leak' ? 'leak-found' : 'probe-unreachable',
    detail: worst.text,
  };
  complainOf(detail === undefined ? { code } : { code, detail });
}
