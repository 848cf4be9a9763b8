/** `culvert stop`: ends the apps of one lane, or of all lanes of this user. */
import { EngineClient } from '#shared/control/client.ts';
import { CulvertError, type Failure, failureOf } from '#shared/failure.ts';
import { complainOf, count, print } from './output.ts';

export interface StopOptions {
  readonly all?: boolean | undefined;
  readonly force?: boolean | undefined;
}

/** The process id of the engine in a lane's id (`<engine pid>-<number>`), or undefined for any other text. */
export function enginePidOfLane(lane: string): number | undefined {
  const pid = /^([1-9][0-9]{0,9})-[1-9][0-9]*$/.exec(lane)?.[1];
  return pid === undefined ? undefined : Number(pid);
}

/**
 * Signals the lane, or all lanes, and says what was signalled; the apps may take a while to end.
 * Throws `engine-unreachable` when there is no engine, `lane-unknown` when none has this lane.
 */
export async function stop(lane: string | undefined, options: StopOptions): Promise<void> {
  if ((lane === undefined) === (options.all !== true)) {
    throw new CulvertError('option-invalid', { detail: 'name one lane, or --all' });
  }
  const clients = await EngineClient.all();
  try {
    if (clients.length === 0) throw new CulvertError('engine-unreachable');
    if (lane === undefined) await stopAll(clients, options);
    else await stopOne(clients, lane, options);
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

async function stopAll(clients: readonly EngineClient[], options: StopOptions): Promise<void> {
  let failed: Failure | undefined;
  for (const client of clients) {
    try {
      const { lanes } = await client.call('snapshot', {});
      for (const { id } of lanes) await stopLane(client, id, options);
    } catch (error) {
      // The other lanes are to be stopped all the same; the exit status tells of this one.
      failed = failureOf(error);
      complainOf(failed);
    }
  }
  if (failed !== undefined) throw new CulvertError(failed.code, failed);
}

async function stopLane(client: EngineClient, lane: string, options: StopOptions): Promise<void> {
  const force = options.force === true;
  const { signalled } = await client.call('lane.stop', { lane, force });
  print(`${lane}: ${force ? 'killed' : 'asked to end'}: ${count(signalled, 'process', 'processes')}`);
}
