/**
 * One lane from its first step to its last: its namespaces by the helper, its relays, the app in it.
 *
 * Does: keep the lane's state, bring the sockets of the lane to the relays, end everything in reverse order.
 * Must not: call a lane running before the app's exec has succeeded, or keep a relay for a lane that is gone.
 */
import { CulvertError, failureOf, failureSaying, type Failure } from '#shared/failure.ts';
import type {
  HelperValue,
  LaneSignal,
  LaneSocket,
  PlainSocket,
  UnsentPorts,
} from '#shared/helper-protocol.ts';
import type { LaneState, LaneView } from '#shared/model.ts';
import { inEnglish, phrase, type Phrase } from '#shared/phrase.ts';
import { deferred } from './deferred.ts';
import { HelperLane } from './helper-lane.ts';
import type { HelperLink } from './helper-link.ts';
import { nextLaneState, type LaneEvent } from './lane-state.ts';
import type { AppExit, HelperInfo, LaneSpec, ProfileChoice } from './lane-spec.ts';
import { launchIn } from './lane-launch.ts';
import type { LaneNetwork } from './lane-network.ts';
import type { LanePolicy } from './lane-policy.ts';
import type { Native } from './native.ts';
import type { AppStatus } from './status-pipe.ts';
import { StopNews } from './stop-news.ts';

/** Between two looks at who is left, when the supervisor was killed and cannot tell. */
const lookMs = 500;
/** Data of an app that has ended may take as long as it moves, and so long without. */
const stillMs = 10_000;
const maxNotes = 20;

export interface LaneContext {
  readonly native: Native;
  readonly link: HelperLink;
  readonly helper: HelperInfo;
  readonly now: () => number;
  /** Makes the relays for the sockets that the helper returned; they own the descriptors from then on. */
  readonly network: (
    lane: Lane,
    policy: LanePolicy,
    created: Created,
    sockets: ReadonlyMap<LaneSocket, number>,
  ) => LaneNetwork;
  readonly totals: (id: string) => { open: number; total: number; bytesUp: number; bytesDown: number };
  readonly onChange: () => void;
}

type Created = HelperValue<'lane.create'>;

export interface LaneInside {
  readonly network: LaneNetwork;
  /** Unconnected sockets of the app namespace. */
  readonly sockets: readonly { readonly kind: PlainSocket; readonly fd: number }[];
  /** The inode of the app namespace, as in /proc/PID/ns/net. */
  readonly namespace: string;
  /** The process that every process of the app descends from. */
  readonly supervisor: number;
}

export class Lane {
  readonly id: string;
  readonly spec: LaneSpec;
  /** The first process of the app ended. */
  readonly exit: Promise<AppExit>;
  /** No process is left inside. */
  readonly empty: Promise<undefined>;
  readonly startedAt: number;
  readonly #context: LaneContext;
  readonly #exit = deferred<AppExit>();
  readonly #empty = deferred();
  readonly #started = deferred();
  readonly #cut = new AbortController();
  readonly #stops = new StopNews();
  readonly #notes: Phrase[] = [];
  #policy: LanePolicy;
  /** What the lane's profile is chosen by, now. */
  #choice: ProfileChoice;
  #state: LaneState = 'starting';
  #cause: Failure | undefined;
  #held: HelperLane | undefined;
  #network: LaneNetwork | undefined;
  #pid = 0;
  #supervisor = 0;
  #closing: Promise<void> | undefined;

  constructor(id: string, spec: LaneSpec, policy: LanePolicy, context: LaneContext) {
    this.id = id;
    this.spec = spec;
    this.#policy = policy;
    this.#choice = spec.profile;
    this.#context = context;
    this.exit = this.#exit.promise;
    this.empty = this.#empty.promise;
    this.startedAt = context.now();
    this.#started.promise.catch(() => {
      // Whoever opens the lane hears of it; without that reader it is in the lane's cause.
    });
  }

  get pid(): number {
    return this.#pid;
  }

  /** What the helper can still be asked about. */
  get #there(): HelperLane | undefined {
    return this.#state === 'gone' ? undefined : this.#held;
  }

  get state(): LaneState {
    return this.#state;
  }

  /** How the lane's profile was chosen last. */
  get choice(): ProfileChoice {
    return this.#choice;
  }

  /**
   * Decides by another policy from now on. Open flows are reset unless they are to be kept; answers how many were.
   * Throws `lane-unknown` for a lane that has ended.
   */
  async follow(choice: ProfileChoice, policy: LanePolicy, keep: boolean): Promise<number> {
    if (this.#network === undefined || this.#state === 'gone' || this.#state === 'failed')
      throw new CulvertError('lane-unknown', { detail: this.id });
    this.#choice = choice;
    this.#policy = policy;
    const closed = this.#network.follow(policy, keep);
    await this.#openPorts();
    return closed;
  }

  /** Resets the UDP flows with these ids; answers how many there were. */
  endUdp(ids: ReadonlySet<number>): number {
    return this.#network?.endUdp(ids) ?? 0;
  }

  /** Makes the network, starts the app, and resolves once it runs. Throws a CulvertError and leaves nothing. */
  async open(): Promise<void> {
    try {
      const { lane, sockets } = await HelperLane.make(this.#context.link);
      this.#held = lane;
      this.#network = this.#context.network(this, this.#policy, lane.made, sockets);
      if (lane.made.interception === 'redirect') {
        this.note(phrase('lane.no-tproxy'));
      }
      await this.#openPorts();
      this.#supervisor = await launchIn(lane.made.lane, this.spec, this.#context, (told) => {
        this.#heard(told);
      });
      await this.#started.promise;
    } catch (error) {
      this.#fail(error instanceof CulvertError ? error.failure : { code: 'internal', detail: String(error) });
      await this.close();
      throw error;
    }
  }

  /** Sends a signal to one process inside, or to all; answers how many were reached. */
  async signal(signal: LaneSignal, pid?: number): Promise<number> {
    return (await this.#there?.signal(signal, pid)) ?? 0;
  }

  /** Asks all processes inside to end, or ends them and what they have left to send. */
  async stop(force: boolean): Promise<number> {
    this.#step('stop-asked');
    if (force) this.#cut.abort();
    const reached = await this.signal(force ? 'SIGKILL' : 'SIGTERM');
    // A stopped process takes SIGTERM only once it goes on.
    if (!force) await this.signal('SIGCONT').catch(() => 0); // The lane may be gone by now, as it was asked to.
    return reached;
  }

  /** Calls back when the first process is stopped by a signal, or is stopped already. */
  readonly onStopped = (listener: (signal: number) => void) => this.#stops.listen(listener);

  async processes(): Promise<HelperValue<'lane.processes'>> {
    return (await this.#there?.processes()) ?? [];
  }

  async sockets(): Promise<HelperValue<'lane.sockets'>> {
    return (await this.#there?.sockets()) ?? [];
  }

  /** What a check of the lane needs of it; the sockets are the caller's. Throws `lane-unknown` for one that does not run. */
  async inside(): Promise<LaneInside> {
    const [held, network] = [this.#held, this.#network];
    const isThere = this.#state === 'running' || this.#state === 'stopping';
    if (held === undefined || network === undefined || !isThere)
      throw new CulvertError('lane-unknown', { detail: this.id });
    const sockets = await held.plainSockets();
    return { network, sockets, namespace: held.made.appNamespace, supervisor: this.#supervisor };
  }

  /** A sentence for the lane's user; the same one is kept once. */
  note(told: Phrase | Failure): void {
    const said = 'code' in told ? phrase('lane.failed', { sentence: { whole: told } }) : told;
    if (this.#notes.length >= maxNotes) return;
    if (this.#notes.some((note) => inEnglish(note) === inEnglish(said))) return;
    this.#notes.push(said);
    this.#context.onChange();
  }

  /** Brings the byte counters of its flows up to date. */
  count(): void {
    this.#network?.count();
  }

  view(): LaneView {
    const totals = this.#context.totals(this.id);
    const { health, trouble } = this.#policy.health;
    return {
      id: this.id,
      name: this.spec.name,
      app: this.spec.apps[0],
      apps: [...this.spec.apps],
      command: [...this.spec.payload.argv],
      profile: { ...this.#policy.head },
      via: this.#policy.via,
      health,
      ...(trouble === undefined ? {} : { trouble: { ...trouble } }),
      ...(this.#policy.asks ? { asks: true } : {}),
      state: this.#state,
      ...(this.#cause === undefined ? {} : { cause: { ...this.#cause } }),
      mode: this.#context.helper.mode,
      interception: this.#held?.made.interception ?? 'tproxy',
      ...(this.#pid === 0 ? {} : { pid: this.#pid }),
      startedAt: this.startedAt,
      flowsOpen: totals.open,
      flowsTotal: totals.total,
      bytesUp: totals.bytesUp,
      bytesDown: totals.bytesDown,
      notes: this.#notes.map(inEnglish),
      notePhrases: [...this.#notes],
    };
  }

  /** Takes the network away; processes that are still inside live on without it. */
  close(): Promise<void> {
    this.#closing ??= this.#tearDown();
    return this.#closing;
  }

  /** Opens those ports of this computer that the profile opens to the app, and shuts the others. */
  async #openPorts(): Promise<void> {
    const [held, network] = [this.#held, this.#network];
    if (held === undefined || network === undefined) return;
    await network.ports.follow(
      new Set(this.#policy.profile.hostAccess.loopbackPorts),
      (port) => held.listen(port),
      // The app goes without this port, and its user is told.
      (error) => {
        this.note(failureOf(error));
      },
    );
  }

  #heard(status: AppStatus): void {
    switch (status.kind) {
      case 'started':
        this.#pid = status.pid;
        this.#step('started');
        this.#started.resolve(undefined);
        break;
      case 'failed':
        this.#started.reject(new CulvertError(status.failure.code, status.failure));
        break;
      case 'stopped':
        this.#stops.stopped(status.signal);
        break;
      case 'continued':
        this.#stops.over();
        break;
      case 'ended':
        this.#exit.resolve(status.exit);
        break;
      case 'empty':
      case 'lost':
        this.#started.reject(
          new CulvertError('launch-failed', { step: 'launcher', detail: phrase('lane.launcher-ended') }),
        );
        void this.#becomeEmpty();
        break;
    }
  }

  /** Believes the kernel and not the supervisor: empty is a namespace without processes. */
  async #becomeEmpty(): Promise<void> {
    while (await this.#hasProcesses()) await new Promise((resolve) => setTimeout(resolve, lookMs));
    this.#exit.resolve({
      kind: 'failed',
      failure: {
        step: 'supervisor',
        ...failureSaying('launch-failed', phrase('lane.supervisor-killed')),
      },
    });
    await this.#network?.drain({ stillMs, unsent: () => this.#unsent(), cut: this.#cut.signal });
    this.#empty.resolve(undefined);
    await this.close();
  }

  async #unsent(): Promise<UnsentPorts> {
    const none = { ipv4: [], ipv6: [] };
    try {
      return (await this.#held?.unsent()) ?? none;
    } catch {
      // Without a helper nobody can look; what has arrived at the gateway has to do.
      return none;
    }
  }

  async #hasProcesses(): Promise<boolean> {
    try {
      return (await this.processes()).length > 0;
    } catch {
      // Without a helper nobody can look; the supervisor's word has to do.
      return false;
    }
  }

  async #tearDown(): Promise<void> {
    this.#network?.close();
    await this.#held?.destroy().catch(() => {
      // A helper that is gone has let go of the namespaces already.
    });
    this.#step('empty');
    this.#empty.resolve(undefined);
    this.#exit.resolve({ kind: 'failed', failure: this.#cause ?? { code: 'helper-lost' } });
  }

  #fail(failure: Failure): void {
    this.#cause = failure;
    this.note(failure);
    this.#step('failed');
  }

  #step(event: LaneEvent): void {
    const next = nextLaneState(this.#state, event);
    if (next === this.#state) return;
    this.#state = next;
    this.#context.onChange();
  }
}
