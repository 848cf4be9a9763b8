/**
 * The lanes that this helper keeps, and what may be done with one: every command of the protocol but `hello`.
 *
 * Does: hold the two namespace descriptors of each lane. Must not: keep a copy of a socket that it minted,
 * or a dead engine would leave listeners that never answer.
 */
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { CulvertError } from '#shared/failure.ts';
import {
  maxLanes,
  maxLoopbackPorts,
  type HelperCall,
  type HelperParams,
  type HelperValue,
  type Mode,
} from '#shared/helper-protocol.ts';
import { NamespaceMaker, type LaneNamespaces, type Sockets } from './namespace.ts';
import type { Native } from './native.ts';
import { describeProcesses, describeSockets, processesInside } from './processes.ts';
import { startLauncher } from './run.ts';
import { unsentPorts } from './unsent.ts';

export interface Caller {
  readonly mode: Mode;
  /** The user whose apps are started. */
  readonly uid: number;
  /** The engine's process, for its session. */
  readonly enginePid: number;
}

/** The value of an answer and the descriptors that go with it; those are closed once they are sent. */
export interface Outcome<C extends HelperCall> {
  readonly value: HelperValue<C>;
  readonly descriptors?: readonly number[];
}

type Handlers = {
  [C in Exclude<HelperCall, 'hello'>]: (
    params: HelperParams<C>,
    descriptors: readonly number[],
  ) => Outcome<C>;
};

export class Lanes {
  readonly #native: Native;
  readonly #caller: Caller;
  readonly #launcher: string;
  readonly #maker: NamespaceMaker;
  readonly #lanes = new Map<number, LaneNamespaces>();
  /** The ports of a lane's loopback that were listened on: the kernel lets each be open once at a time. */
  readonly #ports = new Map<number, Set<number>>();
  /** The launchers that supervise apps: in the lane, but no process of an app's. */
  readonly #supervisors = new Set<number>();
  #last = 0;

  constructor(native: Native, productDir: string, caller: Caller) {
    this.#native = native;
    this.#caller = caller;
    this.#launcher = join(productDir, 'native', 'culvert-launch');
    this.#maker = new NamespaceMaker(native);
  }

  readonly handlers: Handlers = {
    'lane.create': () => {
      if (this.#lanes.size >= maxLanes) throw new CulvertError('lane-quota', { detail: `${maxLanes}` });
      const { namespaces, minted } = this.#maker.create();
      this.#last += 1;
      this.#lanes.set(this.#last, namespaces);
      const { value, descriptors } = named(minted);
      return {
        value: {
          lane: this.#last,
          interception: namespaces.interception,
          hasIpv6: namespaces.hasIpv6,
          appNamespace: String(namespaces.appInode),
          gatewayNamespace: String(namespaces.gatewayInode),
          ...value,
        },
        descriptors,
      };
    },

    'lane.launch': ({ lane, terminal }, descriptors) => {
      const { app, gateway } = this.#lane(lane);
      const [payload, status, stdin, stdout, stderr] = descriptors as [
        number,
        number,
        number,
        number,
        number,
      ];
      const { mode, uid, enginePid } = this.#caller;
      const engine = this.#native.session(enginePid);
      if (terminal === 'share' && engine.session !== this.#native.session(0).session) {
        throw new CulvertError('launch-failed', {
          step: 'terminal',
          detail: 'the helper is in another session',
        });
      }
      const group = terminal === 'share' ? engine.group : 0;
      const args = [mode, String(uid), terminal, String(group)];
      const own = [stdin, stdout, stderr, app, payload, status, gateway] as const;
      const supervisor = startLauncher(this.#launcher, args, own, () => {
        this.#supervisors.delete(supervisor);
      });
      this.#supervisors.add(supervisor);
      return { value: { pid: supervisor } };
    },

    'lane.processes': ({ lane }) => ({ value: describeProcesses(this.#processesOf(this.#lane(lane))) }),

    'lane.sockets': ({ lane }) => {
      const { app, appInode } = this.#lane(lane);
      return { value: this.#maker.inside(app, () => describeSockets(appInode)) };
    },

    'lane.unsent': ({ lane }) => {
      const { app, hasIpv6 } = this.#lane(lane);
      // The stubs; ports of the loopback may have been closed since, so that their number is not known.
      const listeners = this.#ports.has(lane) ? 0 : hasIpv6 ? 2 : 1;
      return { value: this.#maker.inside(app, () => unsentPorts(listeners)) };
    },

    'lane.listen': ({ lane, port }) => {
      const namespaces = this.#lane(lane);
      const ports = this.#ports.get(lane) ?? new Set<number>();
      if (!ports.has(port) && ports.size >= maxLoopbackPorts)
        throw new CulvertError('lane-quota', { step: 'listen', detail: `${maxLoopbackPorts}` });
      const sockets = this.#maker.listen(namespaces, port);
      this.#ports.set(lane, ports.add(port));
      return named(sockets);
    },

    'lane.probe': ({ lane }) => named(this.#maker.probes(this.#lane(lane))),

    'lane.signal': ({ lane, signal, pid }) => {
      const { appInode } = this.#lane(lane);
      const targets = pid === undefined ? this.#processesOf(this.#lane(lane)) : [pid];
      const number = constants.signals[signal];
      const reached = targets.filter((target) => this.#native.signalInNamespace(target, appInode, number));
      return { value: { count: reached.length } };
    },

    'lane.destroy': ({ lane }) => {
      const { app, gateway } = this.#lane(lane);
      this.#lanes.delete(lane);
      this.#ports.delete(lane);
      closeSync(app);
      closeSync(gateway);
      return { value: {} };
    },
  };

  /** The processes inside but for the supervisors, which end with the last of them. */
  #processesOf({ appInode }: LaneNamespaces): number[] {
    return processesInside(appInode).filter((pid) => !this.#supervisors.has(pid));
  }

  #lane(id: number): LaneNamespaces {
    const lane = this.#lanes.get(id);
    if (lane === undefined) throw new CulvertError('lane-unknown', { detail: String(id) });
    return lane;
  }
}

/** An answer that names its sockets, and the descriptors beside it. */
function named<Name>(sockets: Sockets<Name>): { value: { sockets: Name[] }; descriptors: number[] } {
  return { value: { sockets: sockets.map(([name]) => name) }, descriptors: sockets.map(([, fd]) => fd) };
}
