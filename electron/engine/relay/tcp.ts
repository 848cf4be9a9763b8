/**
 * The TCP side of a lane's relay: from accept to the native pump (DESIGN.md §4).
 *
 * Does: find out what the app wants to reach, have it dialled, hand both descriptors to the pump and forget
 * the JavaScript objects. Must not: read a byte of the app's, or answer a failure with anything but a reset.
 */
import { setMaxListeners } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { CulvertError, failureOf, type Failure } from '#shared/failure.ts';
import type { Flow, FlowTable } from '../flows.ts';
import type { EndedFlow, FlowEnd } from '../native-events.ts';
import type { Native } from '../native.ts';
import { deferred } from '../deferred.ts';
import { descriptorOf } from './descriptor.ts';
import { dialMs, plainAddress, type Way } from './way.ts';

const nothing = Buffer.alloc(0);

export interface TcpRelayOptions {
  readonly lane: string;
  readonly interception: 'tproxy' | 'redirect';
  readonly way: Way;
  /** Takes over a stream to port 53. */
  readonly onDns: (stream: Socket) => void;
  /** A flow could not be opened. */
  readonly onRefused: (failure: Failure) => void;
}

/** What all lanes of an engine share: the pump, its flows by number, and the limit. */
export class TcpFlows {
  readonly #native: Native;
  readonly #table: FlowTable;
  readonly #pumped = new Map<number, { flow: Flow; onEnd: () => void }>();
  readonly #limit: number;
  readonly #drains = new Map<string, () => void>();

  constructor(native: Native, table: FlowTable, threads: number, limit: number) {
    this.#native = native;
    this.#table = table;
    this.#limit = limit;
    native.startPump(threads, limit, (ended) => {
      this.#ended(ended);
    });
  }

  get table(): FlowTable {
    return this.#table;
  }

  /** Throws `engine-limit` when no further flow can be relayed. */
  expectRoom(): void {
    if (this.#table.openCount >= this.#limit)
      throw new CulvertError('engine-limit', { detail: `${this.#limit}` });
  }

  /** From here on the pump relays; `onEnd` is called once, after the end. */
  relay(flow: Flow, app: Socket, proxy: Socket, early: Buffer, onEnd: () => void): void {
    const number = this.#native.pump(descriptorOf(app), descriptorOf(proxy), early, nothing);
    this.#pumped.set(number, { flow, onEnd });
    this.#table.opened(flow);
    if (this.#drains.has(flow.lane)) this.#native.releaseFlow(number);
  }

  /** Brings the byte counters of the open flows up to date. */
  count(): void {
    if (this.#pumped.size === 0) return;
    const highest = Math.max(...this.#pumped.keys());
    const counters = this.#native.pumpCounters(highest + 1);
    for (const [number, { flow }] of this.#pumped) {
      this.#table.count(flow, Number(counters[number * 2] ?? 0n), Number(counters[number * 2 + 1] ?? 0n));
    }
  }

  /**
   * Waits until what the ended apps of a lane have sent is on its way, `ms` milliseconds at most: a program
   * may write, close and end, and its last bytes must arrive as they would without Culvert.
   */
  async drain(lane: string, ms: number): Promise<void> {
    if (!this.#hasFlows(lane)) return;
    for (const [number, { flow }] of this.#pumped) if (flow.lane === lane) this.#native.releaseFlow(number);
    const over = deferred();
    const timer = setTimeout(() => {
      over.resolve(undefined);
    }, ms);
    this.#drains.set(lane, () => {
      over.resolve(undefined);
    });
    await over.promise;
    this.#drains.delete(lane);
    clearTimeout(timer);
  }

  /** Resets all open flows of a lane. */
  abort(lane: string): void {
    for (const [number, { flow }] of this.#pumped) {
      if (flow.lane === lane) this.#native.abortFlow(number);
    }
  }

  #ended(ended: EndedFlow): void {
    const pumped = this.#pumped.get(ended.flow);
    if (pumped === undefined) return;
    this.#pumped.delete(ended.flow);
    this.#table.count(pumped.flow, ended.bytesUp, ended.bytesDown);
    this.#table.end(pumped.flow, endFailure(ended.end));
    pumped.onEnd();
    this.settled(pumped.flow.lane);
  }

  /** A flow of the lane has ended, opened or not: a drain that waits for the last one is over with it. */
  settled(lane: string): void {
    const over = this.#drains.get(lane);
    if (over !== undefined && !this.#hasFlows(lane)) over();
  }

  #hasFlows(lane: string): boolean {
    return this.#table.openFlows(lane).some(({ proto }) => proto === 'tcp');
  }
}

/** Only an end that the proxy's side caused is worth a word; the app may reset as it likes. */
function endFailure(end: FlowEnd): Failure | undefined {
  return end === 'proxy-reset' ? { code: 'proxy-closed', detail: 'connection reset' } : undefined;
}

export class TcpRelay {
  readonly #native: Native;
  readonly #flows: TcpFlows;
  readonly #options: TcpRelayOptions;
  readonly #server: Server;
  readonly #dialling = new AbortController();

  /** Accepts on the lane's listening socket, which it owns from now on. */
  constructor(native: Native, flows: TcpFlows, listener: number, options: TcpRelayOptions) {
    this.#native = native;
    this.#flows = flows;
    this.#options = options;
    // Each dial listens to it, and there may be thousands.
    setMaxListeners(0, this.#dialling.signal);
    this.#server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true });
    this.#server.on('connection', (app) => {
      void this.#accept(app);
    });
    this.#server.on('error', () => {
      // accept(2) failed once; libuv goes on with the next, and what was not accepted is refused by the kernel.
    });
    this.#server.listen({ fd: listener });
  }

  /** Takes no further connection, gives up the dials under way and resets what is open. */
  close(): void {
    this.#server.close();
    this.#dialling.abort(new CulvertError('lane-unknown', { detail: 'the lane is closing' }));
    this.#flows.abort(this.#options.lane);
  }

  async #accept(app: Socket): Promise<void> {
    app.on('error', () => {
      // The app reset a connection that is still being dialled: the pump or the reset below meets it.
    });
    let flow: Flow | undefined;
    try {
      const { address, port } = this.#destinationOf(app);
      if (port === 53) {
        this.#options.onDns(app);
        return;
      }
      flow = this.#begin(app, address, port);
      await this.#connect(app, flow, address, port);
    } catch (error) {
      const failure = failureOf(error);
      app.resetAndDestroy();
      if (flow !== undefined) this.#flows.table.end(flow, failure);
      this.#flows.settled(this.#options.lane);
      this.#options.onRefused(failure);
    }
  }

  #destinationOf(app: Socket): { address: string; port: number } {
    if (this.#options.interception === 'redirect') {
      const original = this.#native.originalDestination(descriptorOf(app));
      return { address: plainAddress(original.address), port: original.port };
    }
    if (app.localAddress === undefined || app.localPort === undefined) throw new CulvertError('proxy-closed');
    return { address: plainAddress(app.localAddress), port: app.localPort };
  }

  #begin(app: Socket, address: string, port: number): Flow {
    const { lane, way } = this.#options;
    const found = way.fakes.lookup(address);
    return this.#flows.table.begin({
      lane,
      proto: 'tcp',
      sourcePort: app.remotePort ?? 0,
      address,
      port,
      via: way.via,
      ...(found.kind === 'name' ? { host: found.name } : {}),
    });
  }

  async #connect(app: Socket, flow: Flow, address: string, port: number): Promise<void> {
    const { way } = this.#options;
    this.#flows.expectRoom();
    const destination = way.acquire(address, port);
    let isRelayed = false;
    try {
      const { socket, early } = await way.dial(destination, {
        deadlineMs: dialMs,
        signal: this.#dialling.signal,
      });
      try {
        this.#flows.relay(flow, app, socket, early, () => {
          way.release(address);
        });
        isRelayed = true;
      } finally {
        // The pump has duplicates; without it there is nothing to keep either.
        socket.destroy();
      }
      app.destroy();
    } finally {
      if (!isRelayed) way.release(address);
    }
  }
}
