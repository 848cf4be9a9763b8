/** `culvert switch`: gives a running app another profile. */
import { EngineClient } from '#shared/control/client.ts';
import { CulvertError } from '#shared/failure.ts';
import { ConfigStore } from '#engine';
import { count, print } from './output.ts';
import { enginePidOfLane } from './stop.ts';
import { namedProfile } from './stored-profile.ts';

export interface SwitchOptions {
  readonly keep?: boolean | undefined;
}

/** Throws `engine-unreachable`, `lane-unknown`, `profile-unknown` and what reading the configuration may. */
export async function switchLane(lane: string, profile: string, options: SwitchOptions): Promise<void> {
  const clients = await EngineClient.all();
  try {
    if (clients.length === 0) throw new CulvertError('engine-unreachable');
    const client = clients.find(({ pid }) => pid === enginePidOfLane(lane));
    if (client === undefined) throw new CulvertError('lane-unknown', { detail: lane });
    const keep = options.keep === true;
    const { id } = namedProfile(ConfigStore.open().read(), profile);
    const { closed } = await client.call('lane.switch', { lane, profile: id, keep });
    print(`${lane}: now through ${id}${keep ? '' : `; ${count(closed, 'connection')} closed`}`);
  } finally {
    for (const client of clients) client.close();
  }
}
