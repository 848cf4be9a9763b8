/** `culvert stop`: ends the apps of one lane, or of all lanes of this user. */
import { EngineClient } from '#shared/control/client.ts';
import { CulvertError, type Failure, failureOf } from '#shared/failure.ts';
import type { LaneView } from '#shared/model.ts';
import { complainOf, count as counted, print } from './output.ts';

export interface StopOptions {
  readonly all?: boolean | undefined;
  /** Id of an app, also as the name of its desktop entry. */
  readonly app?: string | undefined;
  readonly force?: boolean | undefined;
}

/** The process id of the engine in a lane's id (`<engine pid>-<number>`), or undefined for any other text. */
export function enginePidOfLane(lane: string): number | undefined {
  const pid = /^([1-9][0-9]{0,9})-[1-9][0-9]*$/.exec(lane)?.[1];
  return pid === undefined ? undefined : Number(pid);
}

/**
 * Signals the lane, those of an app, or all, and says what was signalled; the apps may take a while to end. Throws
 * `engine-unreachable` when there is no engine, `lane-unknown` when none has this lane or runs this app.
 */
export async function stop(lane: string | undefined, options: StopOptions): Promise<void> {
  const named = [lane, options.app, options.all].filter((one) => one !== undefined && one !== false);
  if (named.length !== 1) {
    throw new CulvertError('option-invalid', { detail: 'name one lane, or --app, or --all' });
  }
  const app = options.app?.replace(/\.desktop$/, '');
  const clients = await EngineClient.all();
  try {
    if (clients.length === 0) throw new CulvertError('engine-unreachable');
    if (lane !== undefined) await stopOne(clients, lane, options);
    else if (app === undefined) await stopAll(clients, options, () => true);
    else if ((await stopAll(clients, options, (one) => one.app === app)) === 0)
      throw new CulvertError('lane-unknown', { detail: app });
  } finally {
    for (const client of clients) client.close();
  }
}

async function stopOne(clients: readonly EngineClient[], lane: string, options: StopOptions): Promise<void> {
  const pid = enginePidOfLane(lane);
  const client = clients.find((candidate) => candidate.pid === pid);
  if (client === undefined) throw new CulvertError('lane-unknown', { detail: lane });
  await stopLane(client, lane, options);
}

/** Those of all lanes that `isMeant` takes; answers how many there were. */
async function stopAll(
  clients: readonly EngineClient[],
  options: StopOptions,
  isMeant: (lane: LaneView) => boolean,
): Promise<number> {
  let failed: Failure | undefined;
  let count = 0;
  for (const client of clients) {
    try {
      const { lanes } = await client.call('snapshot', {});
      for (const lane of lanes.filter(isMeant)) {
        await stopLane(client, lane.id, options);
        count += 1;
      }
    } catch (error) {
      // The other lanes are to be stopped all the same; the exit status tells of this one.
      failed = failureOf(error);
      complainOf(failed);
    }
  }
  if (failed !== undefined) throw new CulvertError(failed.code, failed);
  return count;
}

async function stopLane(client: EngineClient, lane: string, options: StopOptions): Promise<void> {
  const force = options.force === true;
  const { signalled } = await client.call('lane.stop', { lane, force });
  print(`${lane}: ${force ? 'killed' : 'asked to end'}: ${counted(signalled, 'process', 'processes')}`);
}
