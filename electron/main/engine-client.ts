/**
 * Keeps a connection to every engine of this user, those of `culvert run` included, and shows them as one.
 *
 * Does: finds new engines as their sockets appear, asks each several times a second whether it is alive, and
 * merges what they show. While the window is not seen it asks seldom and hears of changes only, not of bytes; once
 * it is seen it asks at once.
 * Must not: load native code, or call a lane protected that its engine has stopped speaking for.
 */
import { watch, readdirSync, type FSWatcher } from 'node:fs';
import type { Overview } from '#shared/contract.ts';
import { EngineClient } from '#shared/control/client.ts';
import { Emitter } from '#shared/control/emitter.ts';
import type { ConfigView, NoticeEvent } from '#shared/app-protocol.ts';
import {
  roomEvents,
  type EngineCall,
  type EngineEventValue,
  type EngineParams,
  type EngineValue,
  type FlowsEvent,
  type RoomEvent,
  type TrafficEvent,
} from '#shared/engine-protocol.ts';
import { CulvertError } from '#shared/failure.ts';
import type { Snapshot } from '#shared/model.ts';
import { enginePidOf, runtimeDir } from '#shared/paths.ts';
import { version } from '#shared/version.ts';

/**
 * How often an engine is asked, and how often is looked for new ones, since a notification may get lost. The window
 * shows within a second that an engine is silent (S62); while nobody sees it, it is the status icon that shows it.
 */
const paces = {
  seen: { askMs: 300, lookMs: 1000 },
  unseen: { askMs: 2000, lookMs: 10_000 },
} as const;
/** A question that is not answered for so long makes an engine a silent one. */
const silentMs = 600;

interface Known {
  readonly client: EngineClient;
  snapshot: Snapshot;
  isAsked: boolean;
  isAnswering: boolean;
  /** The next flows that it tells of are all that it has. */
  areNextFlowsAll: boolean;
}

type Events = {
  changed: undefined;
  traffic: TrafficEvent;
  /** What one engine would have told in the last minute. */
  pastTraffic: TrafficEvent[];
  flows: FlowsEvent & { of: number; isWhole: boolean };
  notice: NoticeEvent;
  /** Of the engine whose configuration is followed. */
  config: ConfigView;
  /** An engine is there from now on, by its process id. */
  joined: number;
  gone: number;
  /** What a call had asked to be told. */
  told: { [E in RoomEvent]: { event: E; value: EngineEventValue<E> } }[RoomEvent];
};

export class Engines {
  readonly #known = new Map<number, Known>();
  readonly #connecting = new Set<number>();
  readonly #emitter = new Emitter<Events>();
  readonly #dir: string;
  readonly #watcher: FSWatcher;
  #timers: NodeJS.Timeout[] = [];
  #isSeen = true;
  #areFlowsWatched = false;
  #isClosed = false;

  /** Throws `runtime-dir-unsafe`. */
  constructor() {
    this.#dir = runtimeDir();
    this.#watcher = watch(this.#dir, () => void this.look());
    this.#keepAsking();
    void this.look();
  }

  on<E extends keyof Events>(event: E, listener: (value: Events[E]) => void): () => void {
    return this.#emitter.on(event, listener);
  }

  /** Whether anybody sees what is shown: from then on everything is as it is now, and until then only what changes. */
  setSeen(isSeen: boolean): void {
    this.#isSeen = isSeen;
    this.#keepAsking();
    for (const known of this.#known.values()) void this.#watchTrafficOf(known);
    if (!isSeen) return;
    void this.look();
    this.#ask();
  }

  /** Tells the traffic of the last minute, to a page that knows none. */
  tellPast(): void {
    if (this.#isSeen) for (const known of this.#known.values()) void this.#watchTrafficOf(known);
  }

  /** Connects to engines that are new. */
  async look(): Promise<void> {
    const pids = readdirSync(this.#dir)
      .map(enginePidOf)
      .filter((pid) => pid !== undefined)
      .filter((pid) => !this.#known.has(pid) && !this.#connecting.has(pid));
    await Promise.all(pids.map((pid) => this.#connect(pid)));
  }

  /** The engines and lanes of all, oldest first. */
  view(ownPid: number | undefined): Pick<Overview, 'engines' | 'lanes'> {
    const known = [...this.#known.values()].toSorted(
      (a, b) => a.snapshot.engine.startedAt - b.snapshot.engine.startedAt,
    );
    return {
      engines: known.map(({ snapshot: { engine, helpers }, isAnswering }) => ({
        ...engine,
        helpers,
        isOwn: engine.pid === ownPid,
        isAnswering,
      })),
      lanes: known.flatMap(({ snapshot: { engine, lanes } }) =>
        lanes.map((lane) => ({ ...lane, engine: engine.pid })),
      ),
    };
  }

  /** Those that are not silent. */
  get answering(): EngineClient[] {
    return [...this.#known.values()].flatMap(({ client, isAnswering }) => (isAnswering ? [client] : []));
  }

  /** The engine of a lane (`<engine pid>-<number>`). Throws `lane-unknown`. */
  ofLane(lane: string): EngineClient {
    const known = this.#known.get(Number.parseInt(lane, 10));
    if (known === undefined) throw new CulvertError('lane-unknown', { detail: lane });
    return known.client;
  }

  /** The engine with this process id. Throws `engine-unreachable`. */
  async of(pid: number | undefined): Promise<EngineClient> {
    if (pid !== undefined && !this.#known.has(pid)) await this.look();
    const known = pid === undefined ? undefined : this.#known.get(pid);
    if (known === undefined) throw new CulvertError('engine-unreachable');
    return known.client;
  }

  /** What each engine that answers just now says to a call; one that is lost meanwhile is left out. */
  async askAll<C extends EngineCall>(call: C, params: EngineParams<C>): Promise<EngineValue<C>[]> {
    const asked = [...this.#known.values()]
      .filter(({ isAnswering }) => isAnswering)
      .map(({ client }) => client.call(call, params));
    const answers = await Promise.allSettled(asked);
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  }

  /** From now on tells what this engine's configuration is, now and whenever it changes. */
  async followConfig(pid: number): Promise<void> {
    const client = await this.of(pid);
    this.#emitter.emit('config', await client.call('config.watch', {}));
  }

  /** Turns the flows of all engines on or off, of later ones too. Throws the first engine's failure. */
  async watchFlows(isWanted: boolean): Promise<void> {
    this.#areFlowsWatched = isWanted;
    await Promise.all([...this.#known.values()].map((known) => this.#watchFlowsOf(known)));
  }

  close(): void {
    this.#isClosed = true;
    this.#watcher.close();
    for (const timer of this.#timers) clearInterval(timer);
    for (const { client } of this.#known.values()) client.close();
  }

  async #connect(pid: number): Promise<void> {
    this.#connecting.add(pid);
    try {
      const client = await EngineClient.at(pid);
      if (client !== undefined) await this.#welcome(client);
    } catch {
      // Of another version, or ended between two words: it is not shown, and is tried again with the next look.
    } finally {
      this.#connecting.delete(pid);
    }
  }

  async #welcome(client: EngineClient): Promise<void> {
    const snapshot = await client.call('watch', {});
    if (this.#isClosed || snapshot.engine.version !== version) {
      client.close();
      return;
    }
    const { pid } = client;
    const known: Known = {
      client,
      snapshot,
      isAsked: false,
      isAnswering: true,
      areNextFlowsAll: false,
    };
    this.#known.set(pid, known);
    client.on('snapshot', (value) => {
      known.snapshot = value;
      this.#emitter.emit('changed', undefined);
    });
    client.on('traffic', (value) => {
      this.#emitter.emit('traffic', value);
    });
    client.on('gone', () => {
      this.#known.delete(pid);
      this.#emitter.emit('gone', pid);
      this.#emitter.emit('changed', undefined);
    });
    client.on('flows', (value) => {
      this.#emitter.emit('flows', { ...value, of: pid, isWhole: known.areNextFlowsAll });
      if (value.hasMore !== true) known.areNextFlowsAll = false;
    });
    client.on('notice', (value) => {
      this.#emitter.emit('notice', value);
    });
    client.on('config', (value) => {
      this.#emitter.emit('config', value);
    });
    for (const event of Object.keys(roomEvents) as RoomEvent[]) {
      client.on(event, (value) => {
        this.#emitter.emit('told', { event, value });
      });
    }
    this.#emitter.emit('changed', undefined);
    this.#emitter.emit('joined', pid);
    if (this.#isSeen) await this.#watchTrafficOf(known);
    if (this.#areFlowsWatched) await this.#watchFlowsOf(known);
  }

  /** A page that starts anew wants to hear of all flows anew. */
  async #watchFlowsOf(known: Known): Promise<void> {
    await known.client.call('flows.unwatch', {});
    if (!this.#areFlowsWatched) return;
    known.areNextFlowsAll = true;
    await known.client.call('flows.watch', {});
  }

  /** What was moved while nobody saw it comes first. */
  async #watchTrafficOf({ client }: Known): Promise<void> {
    try {
      if (!this.#isSeen) await client.call('traffic.unwatch', {});
      else this.#emitter.emit('pastTraffic', (await client.call('traffic.watch', {})).past);
    } catch {
      // Gone or silent: `gone` follows, or the question whether it is alive.
    }
  }

  #keepAsking(): void {
    for (const timer of this.#timers) clearInterval(timer);
    if (this.#isClosed) return;
    const { askMs, lookMs } = paces[this.#isSeen ? 'seen' : 'unseen'];
    this.#timers = [
      setInterval(() => void this.look(), lookMs),
      setInterval(() => {
        this.#ask();
      }, askMs),
    ];
  }

  /** An engine without lanes has nothing that could be shown wrongly, and is left in peace. */
  #ask(): void {
    for (const known of this.#known.values()) {
      if (known.snapshot.lanes.length > 0 && !known.isAsked) void this.#askOne(known);
    }
  }

  async #askOne(known: Known): Promise<void> {
    known.isAsked = true;
    const silent = setTimeout(() => {
      known.isAsked = false;
      this.#answers(known, false);
    }, silentMs);
    try {
      await known.client.call('hello', { version });
      this.#answers(known, true);
    } catch {
      // Gone, or silent for very long: `gone` follows, or it is asked again.
    } finally {
      clearTimeout(silent);
      known.isAsked = false;
    }
  }

  #answers(known: Known, isAnswering: boolean): void {
    if (known.isAnswering === isAnswering) return;
    known.isAnswering = isAnswering;
    this.#emitter.emit('changed', undefined);
  }
}
