/**
 * The leak check of a running lane: brings what the check needs together, from the helper (sockets of the app
 * namespace, who is inside), the lane's relays and the kernel. What is found out of that is health/lane-check.ts's.
 */
import type { CheckReport, FlowView } from '#shared/model.ts';
import { ConfigStore } from './config/store.ts';
import { InsideSockets } from './health/inside.ts';
import { lookAtIsolation } from './health/isolation.ts';
import { checkLane } from './health/lane-check.ts';
import { probeOf } from './health/probe.ts';
import type { Lane } from './lane.ts';
import type { Native } from './native.ts';

export interface LeakCheckOptions {
  readonly native: Native;
  /** Flows of the lane. */
  readonly flows: () => readonly FlowView[];
  /** The page to ask for, if not the one of the configuration. */
  readonly url: string | undefined;
}

/**
 * Looks at a lane from the inside, 5 s at most. Throws `lane-unknown`, `option-invalid`, and what the helper and
 * reading the configuration may; everything else is in the report.
 */
export async function checkLeaks(lane: Lane, { native, flows, url }: LeakCheckOptions): Promise<CheckReport> {
  const { probe: chosen } = ConfigStore.open().read();
  const probe = probeOf({ url: url ?? chosen.url, resolver: chosen.resolver });
  const { network, sockets, namespace, supervisor } = await lane.inside();
  using inside = new InsideSockets(sockets, (fd) => {
    native.close(fd);
  });
  const { policy } = network;
  return await checkLane(
    {
      inside,
      flows,
      own: policy.own,
      isDirect: policy.profile.action === 'direct',
      witness: (onQuery, onRefused) => network.witness(onQuery, onRefused),
      isolation: async () => {
        const seenInside = new Set((await lane.processes()).map(({ pid }) => pid));
        return lookAtIsolation({
          supervisor,
          namespace,
          seenInside,
          namespaceOf: (pid) => native.namespaceOf(pid),
        });
      },
    },
    probe,
  );
}
