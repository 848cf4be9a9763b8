/**
 * The native relays that all lanes share: the pump that carries TCP and the thread that carries UDP.
 *
 * Does: starts both with the first lane, within the limit of open files; gives every lane its network over them; leads
 * what the UDP thread reports to the lane that it is about.
 * Must not: decide where a flow goes (that is its lane's policy), or keep a lane's network that has ended.
 */
import type { LaneSocket } from '#shared/helper-protocol.ts';
import type { FlowTable } from './flows.ts';
import { LaneNetwork, type NetworkOptions } from './lane-network.ts';
import type { Native } from './native.ts';
import { TcpFlows } from './relay/tcp-flows.ts';

/** Descriptors that are not for flows: pipes of the pump, sockets of lanes, files. */
const reservedDescriptors = 1500;
const maxFlows = 16_384;
const pumpThreads = 2;
const udpAssociations = 4096;
const udpIdleSeconds = 120;
/** getrlimit(2), RLIMIT_NOFILE. */
const openFiles = 7;

export class Relays {
  readonly #native: Native;
  readonly #table: FlowTable;
  /** By the native number of their UDP part. */
  readonly #networks = new Map<number, LaneNetwork>();
  #flows: TcpFlows | undefined;

  constructor(native: Native, table: FlowTable) {
    this.#native = native;
    this.#table = table;
  }

  /** A lane's network over the relays, on the sockets that listen in its namespace; throws a CulvertError. */
  network(sockets: ReadonlyMap<LaneSocket, number>, options: NetworkOptions): LaneNetwork {
    const network = new LaneNetwork(this.#native, this.#started(), sockets, options);
    if (network.udpNumber !== undefined) this.#networks.set(network.udpNumber, network);
    return network;
  }

  /** Forgets the networks of a lane that has ended. */
  forget(lane: string): void {
    for (const [number, network] of this.#networks) {
      if (network.lane === lane) this.#networks.delete(number);
    }
  }

  /** Resets TCP flows by their ids; answers how many of them were open. */
  close(ids: ReadonlySet<number>): number {
    return this.#flows?.close(ids) ?? 0;
  }

  /** Brings the counters of TCP flows up to date. */
  count(): void {
    this.#flows?.count();
  }

  #started(): TcpFlows {
    if (this.#flows !== undefined) return this.#flows;
    const { soft } = this.#native.limit(openFiles);
    const room = soft < 0n ? maxFlows : Math.floor((Number(soft) - reservedDescriptors) / 2);
    this.#flows = new TcpFlows(
      this.#native.flows,
      this.#table,
      pumpThreads,
      Math.max(64, Math.min(maxFlows, room)),
    );
    this.#native.startUdp(udpAssociations, udpIdleSeconds, (event) => {
      this.#networks.get(event.lane)?.handleUdp(event);
    });
    return this.#flows;
  }
}
