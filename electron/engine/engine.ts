/**
 * The engine: lanes, flows and the relay of one user, hosted by `culvert run` in its own process or by the
 * desktop app in a child of its own. This file wires its parts together and keeps the list of lanes.
 */
import { Emitter } from '#shared/control/emitter.ts';
import type { FlowsEvent, TrafficEvent } from '#shared/engine-protocol.ts';
import { CulvertError, failureOf } from '#shared/failure.ts';
import type { CheckReport, FlowView, Isolation, Snapshot } from '#shared/model.ts';
import { version } from '#shared/version.ts';
import { callerFacts } from './app-environment.ts';
import { Attribution } from './attribution.ts';
import { Calls } from './calls.ts';
import { ControlServer } from './control.ts';
import { FlowFeed } from './flow-feed.ts';
import { FlowTable, type Flow } from './flows.ts';
import { Helpers, type ReadyHelper } from './helper-pool.ts';
import { Past } from './history/past.ts';
import type { EngineOptions, HelperInfo, LaneSpec } from './lane-spec.ts';
import type { LanePolicy } from './lane-policy.ts';
import { Lane, type LaneContext } from './lane.ts';
import { EngineLog } from './log.ts';
import { Policies } from './policies.ts';
import { Native } from './native.ts';
import { Relays } from './relays.ts';
import type { RuleHits } from './rule-hits.ts';
import { Tick } from './tick.ts';
import { TrafficFeed } from './traffic-feed.ts';
import { Ways } from './ways/ways.ts';

type Events = { changed: Snapshot; flow: FlowView };

export class Engine implements AsyncDisposable {
  readonly traffic = new TrafficFeed();
  readonly #native: Native;
  readonly #emitter = new Emitter<Events>();
  readonly #lanes = new Map<string, Lane>();
  readonly #table: FlowTable;
  readonly #relays: Relays;
  readonly #attribution: Attribution;
  readonly #feed: FlowFeed;
  readonly #ways: Ways;
  readonly #policies: Policies;
  readonly #helpers: Helpers;
  readonly #startedAt = Date.now();
  readonly #log = EngineLog.open();
  readonly #past = new Past();
  readonly #tick = new Tick(() => this.#ticked());
  #control: ControlServer | undefined;
  #lastLane = 0;
  #isChangePending = false;

  /** Tells of many changes in one turn once. */
  readonly #changed = (): void => {
    const lanes = [...this.#lanes.values()].map((lane) => lane.view());
    this.#log.look(this.#helpers.views, lanes);
    for (const lane of lanes) this.#past.memory.lane(lane);
    if (this.#isChangePending || !this.#emitter.has('changed')) return;
    this.#isChangePending = true;
    setImmediate(() => {
      this.#isChangePending = false;
      this.#emitter.emit('changed', this.snapshot());
    });
  };

  private constructor(options: EngineOptions, native: Native) {
    this.#native = native;
    this.#table = new FlowTable(
      Date.now,
      (flow) => {
        this.#flowChanged(flow);
      },
      (flow, up, down) => {
        this.#past.memory.moved(flow, up, down);
      },
    );
    this.#relays = new Relays(native, this.#table);
    this.#attribution = new Attribution({
      now: () => performance.now(),
      sockets: async (lane) => (await this.#lanes.get(lane)?.sockets()) ?? [],
      openFlows: () => this.#table.openFlows(),
      onChange: (flow) => {
        this.#emitter.emit('flow', { ...flow });
      },
    });
    this.#feed = new FlowFeed({
      look: async () => {
        this.#count();
        await this.#attribution.attributeIfDue();
        return this.#table.views();
      },
      now: Date.now,
    });
    this.#helpers = new Helpers(native, options, {
      onChange: this.#changed,
      onFailure: (failure) => {
        this.#log.helperFailed(failure);
      },
    });
    this.#ways = new Ways({
      now: () => performance.now(),
      tcpSocketOn: (family, device) => native.tcpSocketOn(family, device),
    });
    this.#policies = new Policies({
      ways: this.#ways,
      productDir: options.productDir,
      onChange: () => void this.renewPolicies(),
      onProblem: (failure) => {
        this.#log.configProblem(failure);
        for (const lane of this.#lanes.values()) lane.note(failure);
      },
    });
  }

  /** Loads the native part and opens the engine's control socket. The helper is started when it is needed. */
  static async start(options: EngineOptions): Promise<Engine> {
    const native = options.ahead?.native ?? new Native(options.productDir);
    const facts = callerFacts((resource) => native.limit(resource), process.env);
    native.harden();
    const engine = new Engine(options, native);
    const calls = new Calls({
      ...{ engine, productDir: options.productDir, facts },
      secrets: () => engine.#policies.secrets(),
    });
    engine.#control = await ControlServer.open(native, engine, calls);
    engine.#log.begin();
    return engine;
  }

  /** How often each rule has decided about the flows of all its lanes. */
  get ruleHits(): RuleHits {
    return this.#table.ruleHits;
  }

  on<E extends keyof Events>(event: E, listener: (value: Events[E]) => void): () => void {
    return this.#emitter.on(event, listener);
  }

  /** Starts the helper for this isolation if it is not there. Throws a CulvertError that says why there is none. */
  async prepare(isolation?: Isolation): Promise<HelperInfo> {
    return (await this.#helpers.ready(isolation)).info;
  }

  /** Makes a network and takes it away; see `Helpers.prove`. */
  proveIsolation(mayAsk: boolean): Promise<HelperInfo> {
    return this.#helpers.prove(mayAsk);
  }

  /** Starts an app on a lane of its own; resolves once it runs. Throws a CulvertError and leaves nothing. */
  async openLane(spec: LaneSpec): Promise<Lane> {
    const [helper, policy] = await Promise.all([
      this.#helpers.ready(spec.isolation),
      this.#policies.make(spec),
    ]);
    this.#lastLane += 1;
    const lane = new Lane(`${process.pid}-${this.#lastLane}`, spec, policy, this.#contextFor(helper));
    this.#lanes.set(lane.id, lane);
    this.#introduce(lane, policy);
    this.#log.follow(lane);
    this.#past.memory.lane(lane.view());
    if (!this.#tick.isRunning) this.#past.memory.settle();
    this.#tick.start();
    try {
      await lane.open();
    } catch (error) {
      this.#lanes.delete(lane.id);
      this.#table.forget(lane.id);
      this.#past.memory.laneGone(lane.id);
      throw error;
    }
    void lane.empty.then(() => {
      this.#laneEnded(lane);
    });
    return lane;
  }

  lane(id: string): Lane {
    const lane = this.#lanes.get(id);
    if (lane === undefined) throw new CulvertError('lane-unknown', { detail: id });
    return lane;
  }

  /**
   * Gives a lane another profile of the configuration; new flows follow at once. Open ones are reset unless they are
   * to be kept; answers how many were. Throws `lane-unknown` and what `Policies.make` throws.
   */
  async switchLane(id: string, profile: string, keep: boolean): Promise<number> {
    const lane = this.lane(id);
    const choice = { kind: 'stored', id: profile } as const;
    const policy = await this.#policies.make({ apps: lane.spec.apps, profile: choice });
    this.#introduce(lane, policy);
    const closed = await lane.follow(choice, policy, keep);
    this.#changed();
    return closed;
  }

  /**
   * Lanes follow what became of their profiles and of their passwords, and keep what is open. Where that cannot be
   * read the lane goes on as it is, and its user hears why.
   */
  async renewPolicies(): Promise<void> {
    for (const lane of this.#lanes.values()) {
      const { choice } = lane;
      if (choice.kind !== 'stored') continue;
      try {
        const policy = await this.#policies.make({ apps: lane.spec.apps, profile: choice });
        if (lane.choice !== choice) continue;
        this.#introduce(lane, policy);
        await lane.follow(choice, policy, true);
      } catch (error) {
        this.#log.configProblem(failureOf(error));
        lane.note(failureOf(error));
      }
    }
  }

  /** Looks at a lane from the inside; see `checkLeaks`. Throws `lane-unknown` and what that throws. */
  async check(id: string, url?: string): Promise<CheckReport> {
    const lane = this.lane(id);
    const { checkLeaks } = await import('./leak-check.ts');
    return checkLeaks(lane, { native: this.#native, flows: () => this.#table.views(id), url });
  }

  /** Tells flows in batches while anybody listens, with their processes; see `FlowFeed`. */
  watchFlows(listener: (event: FlowsEvent) => void): () => void {
    return this.#feed.watch(listener);
  }

  /** Resets flows by their ids; answers how many of them were open. */
  closeFlows(ids: readonly number[]): number {
    const wanted = new Set(ids);
    let closed = this.#relays.close(wanted);
    for (const lane of this.#lanes.values()) closed += lane.endUdp(wanted);
    return closed;
  }

  snapshot(): Snapshot {
    this.#count();
    return {
      engine: { pid: process.pid, version, startedAt: this.#startedAt },
      helpers: this.#helpers.views,
      lanes: [...this.#lanes.values()].map((lane) => lane.view()),
    };
  }

  /** All that was moved until now. */
  history(): Past {
    this.#count();
    this.#past.memory.settle();
    return this.#past;
  }

  /** Open flows and the newest closed ones; with `attribute` the open ones are given their processes first. */
  async flows(
    query: { lane?: string | undefined; attribute?: boolean | undefined } = {},
  ): Promise<FlowView[]> {
    this.#count();
    if (query.attribute === true) await this.#attribution.attribute();
    return this.#table.views(query.lane);
  }

  /** Ends all lanes, the helper and the control socket. Apps that still run are left without network. */
  async close(): Promise<void> {
    this.#count();
    this.#tick.stop();
    this.#attribution.stop();
    this.#feed.close();
    this.#policies.close();
    await this.#control?.close();
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close()));
    await this.#helpers.close();
    this.#native.stopWatching();
    this.#past.finish();
    this.#log.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #contextFor({ link, info: helper }: ReadyHelper): LaneContext {
    return {
      native: this.#native,
      link,
      helper,
      now: Date.now,
      network: (lane, policy, created, sockets) =>
        this.#relays.network(sockets, {
          lane: lane.id,
          policy,
          loopback: this.#ways.loopback,
          processOf: (protocol, port) => this.#attribution.processOf(lane.id, protocol, port),
          onChange: this.#changed,
          interception: created.interception,
          hasIpv6: created.hasIpv6,
          now: () => performance.now(),
          note: (told) => {
            lane.note(told);
          },
        }),
      totals: (id) => this.#table.totals(id),
      onChange: this.#changed,
    };
  }

  /** Its flows say from here on whose they are, and keep that when it is switched or ends. */
  #introduce({ id, spec }: Lane, { head }: LanePolicy): void {
    this.#table.introduce(id, { app: spec.apps[0], name: spec.name, profile: head });
  }

  #laneEnded(lane: Lane): void {
    this.#relays.forget(lane.id);
    this.#lanes.delete(lane.id);
    this.#table.forget(lane.id);
    this.#past.memory.laneGone(lane.id);
    this.#changed();
  }

  #flowChanged(flow: Flow): void {
    this.#log.flow(flow);
    this.#past.memory.flow(flow);
    if (!this.#emitter.has('flow')) return;
    this.#emitter.emit('flow', { ...flow });
    if (flow.pid === undefined && flow.closedAt === undefined) this.#attribution.wanted();
  }

  #count(): void {
    this.#relays.count();
    for (const lane of this.#lanes.values()) lane.count();
  }

  #ticked(): boolean {
    this.#count();
    const isWritten = this.#past.ticked();
    const hasLanes = this.#lanes.size > 0;
    if (hasLanes) this.traffic.add({ at: Date.now(), lanes: this.#figures() });
    else this.traffic.forget();
    // Without lanes nothing moves, but the last minute may still have to be written down.
    return hasLanes || !isWritten;
  }

  #figures(): TrafficEvent['lanes'] {
    return Array.from(this.#lanes.keys(), (id) => {
      const { bytesUp, bytesDown, open: flowsOpen } = this.#table.totals(id);
      return { id, bytesUp, bytesDown, flowsOpen };
    });
  }
}
