/**
 * The engine's control socket (JSON-RPC 2.0, shared/engine-protocol.ts): for the window and the command line
 * of the same user.
 *
 * Must not: serve another user, or a process that is not in the engine's own network: an app on a lane could
 * otherwise free itself (S38b).
 */
import { chmodSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import * as v from 'valibot';
import { LineReader } from '#shared/control/line-reader.ts';
import {
  engineCalls,
  maxLineBytes,
  rpcRequest,
  type EngineCall,
  type EngineParams,
  type EngineValue,
  type TrafficEvent,
} from '#shared/engine-protocol.ts';
import { CulvertError, failureOf, type Failure } from '#shared/failure.ts';
import type { historyCalls } from '#shared/history-protocol.ts';
import { engineSocket, runtimeDir } from '#shared/paths.ts';
import type { profileCalls } from '#shared/profile-protocol.ts';
import type { ruleCalls } from '#shared/rule-protocol.ts';
import type { supportCalls } from '#shared/support-protocol.ts';
import { version } from '#shared/version.ts';
import type { ConfigView } from '#shared/app-protocol.ts';
import type { AppCall } from './app-calls.ts';
import type { Tell } from './call-parts.ts';
import type { Calls } from './calls.ts';
import type { Engine } from './engine.ts';
import type { Native } from './native.ts';
import { descriptorOf } from './relay/descriptor.ts';

/** What one connection may leave unread before it is cut off, in bytes. */
const maxBacklog = 8 * 1024 * 1024;

/** What a peer gets to take its last answer before it is cut off, in milliseconds. */
const finishMs = 500;

type RoomCall =
  keyof typeof profileCalls | keyof typeof ruleCalls | keyof typeof historyCalls | keyof typeof supportCalls;

type Handlers = {
  [C in Exclude<EngineCall, AppCall | RoomCall>]: (
    params: EngineParams<C>,
    client: Client,
  ) => EngineValue<C> | Promise<EngineValue<C>>;
};

export class ControlServer {
  readonly #path: string;
  readonly #server: Server;
  readonly #calls: Calls;
  readonly #clients = new Set<Client>();

  private constructor(path: string, server: Server, calls: Calls) {
    this.#path = path;
    this.#server = server;
    this.#calls = calls;
  }

  /** Opens `engine-<pid>.sock`. Throws `runtime-dir-unsafe`. */
  static async open(native: Native, engine: Engine, calls: Calls): Promise<ControlServer> {
    const path = engineSocket(runtimeDir(), process.pid);
    // Under another name until it listens: whoever finds it is answered.
    const beside = `${path}.new`;
    rmSync(beside, { force: true });
    const server = createServer();
    const control = new ControlServer(path, server, calls);
    server.on('connection', (socket) => {
      control.#welcome(native, engine, socket);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => {
        reject(new CulvertError('runtime-dir-unsafe', { detail: error.message, cause: error }));
      });
      server.listen(beside, resolve);
    });
    chmodSync(beside, 0o600);
    renameSync(beside, path);
    server.unref();
    return control;
  }

  async close(): Promise<void> {
    await this.#calls.close();
    await Promise.all([...this.#clients].map((client) => client.finish()));
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    rmSync(this.#path, { force: true });
  }

  #welcome(native: Native, engine: Engine, socket: Socket): void {
    const client = new Client(engine, this.#calls, socket, refusal(native, socket));
    this.#clients.add(client);
    socket.once('close', () => {
      this.#clients.delete(client);
    });
  }
}

/** Why this peer is not served, if it is not. */
function refusal(native: Native, socket: Socket): CulvertError | undefined {
  const peer = native.peer(descriptorOf(socket));
  if (peer.uid !== process.geteuid?.()) return new CulvertError('peer-refused', { detail: 'another user' });
  if (native.namespaceOf(peer.pid) !== native.namespaceOf(0)) {
    return new CulvertError('peer-refused', { detail: 'another network' });
  }
  return undefined;
}

/** One connection. */
class Client {
  readonly #engine: Engine;
  readonly #calls: Calls;
  readonly #socket: Socket;
  readonly #serving = new Set<Promise<void>>();
  readonly #ended = new AbortController();
  #unwatch: (() => void)[] = [];
  #unwatchFlows: (() => void) | undefined;
  #unwatchTraffic: (() => void) | undefined;
  #unwatchConfig: (() => void) | undefined;

  constructor(engine: Engine, calls: Calls, socket: Socket, refused: CulvertError | undefined) {
    this.#engine = engine;
    this.#calls = calls;
    this.#socket = socket;
    socket.on('error', () => {
      // The peer is gone; `close` follows.
    });
    socket.once('close', () => {
      this.#ended.abort();
      for (const stop of this.#unwatch) stop();
      this.unwatchFlows();
      this.unwatchTraffic();
      this.#unwatchConfig?.();
    });
    const lines = new LineReader(maxLineBytes, (line) => {
      if (refused === undefined) this.#begin(line);
      else this.#refuse(refused);
    });
    socket.on('data', (bytes) => {
      if (!lines.push(bytes)) this.close();
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Ends the connection after the answers that are under way: stopping the last lane must be answered, too. */
  async finish(): Promise<void> {
    await Promise.race([Promise.all(this.#serving), delay(finishMs, undefined, { ref: false })]);
    const closed = new Promise<void>((resolve) => this.#socket.once('close', resolve));
    if (this.#socket.destroyed) return;
    this.#socket.end();
    this.#socket.resume();
    await Promise.race([closed, delay(finishMs, undefined, { ref: false })]);
    this.#socket.destroy();
  }

  /** Turns on the events of this connection. */
  watch(): void {
    if (this.#unwatch.length > 0) return;
    this.#unwatch = [
      this.#engine.on('changed', (value) => {
        this.#tell('snapshot', value);
      }),
      this.#calls.onNotice((value) => {
        this.#tell('notice', value);
      }),
    ];
  }

  /** Turns on the `flows` events of this connection. */
  watchFlows(): void {
    this.#unwatchFlows ??= this.#engine.watchFlows((value) => {
      this.#tell('flows', value);
    });
  }

  unwatchFlows(): void {
    this.#unwatchFlows?.();
    this.#unwatchFlows = undefined;
  }

  /** Turns on the `traffic` events of this connection; what there was in the last minute. */
  watchTraffic(): TrafficEvent[] {
    this.unwatchTraffic();
    const { past, stop } = this.#engine.traffic.watch((value) => {
      this.#tell('traffic', value);
    });
    this.#unwatchTraffic = stop;
    return past;
  }

  unwatchTraffic(): void {
    this.#unwatchTraffic?.();
    this.#unwatchTraffic = undefined;
  }

  /** Turns on the `config` events of this connection; what there is now. */
  async watchConfig(): Promise<ConfigView> {
    this.#unwatchConfig?.();
    const { now, stop } = await this.#calls.watchConfig((value) => {
      this.#tell('config', value);
    });
    if (this.#ended.signal.aborted) stop();
    else this.#unwatchConfig = stop;
    return now;
  }

  readonly #handlers: Handlers = {
    hello: () => ({ version, pid: process.pid }),
    snapshot: () => this.#engine.snapshot(),
    watch: (_params, client) => {
      client.watch();
      return this.#engine.snapshot();
    },
    flows: (params) => this.#engine.flows(params),
    'flows.watch': (_params, client) => {
      client.watchFlows();
      return {};
    },
    'flows.unwatch': (_params, client) => {
      client.unwatchFlows();
      return {};
    },
    'traffic.watch': (_params, client) => ({ past: client.watchTraffic() }),
    'traffic.unwatch': (_params, client) => {
      client.unwatchTraffic();
      return {};
    },
    'flows.close': ({ ids }) => ({ closed: this.#engine.closeFlows(ids) }),
    'lane.switch': async ({ lane, profile, keep }) => ({
      closed: await this.#engine.switchLane(lane, profile, keep ?? false),
    }),
    'lane.processes': async ({ lane }) => [...(await this.#engine.lane(lane).processes())],
    'lane.check': ({ lane, url }) => this.#engine.check(lane, url),
    'config.watch': (_params, client) => client.watchConfig(),
    'lane.stop': async ({ lane, force }) => ({
      signalled: await this.#engine.lane(lane).stop(force ?? false),
    }),
  };

  #begin(line: string): void {
    const serving = this.#serve(line).finally(() => this.#serving.delete(serving));
    this.#serving.add(serving);
  }

  async #serve(line: string): Promise<void> {
    let id: number | null = null;
    try {
      const request = v.parse(rpcRequest, JSON.parse(line));
      id = request.id;
      const params = v.parse(engineCalls[request.method].params, request.params);
      this.#send({ jsonrpc: '2.0', id, result: await this.#answer(request.method, params) });
    } catch (error) {
      const isMalformed = error instanceof v.ValiError || error instanceof SyntaxError;
      this.#sendError(id, isMalformed ? { code: 'bad-message' } : failureOf(error));
    }
  }

  #answer(method: EngineCall, params: unknown): unknown {
    if (!(method in this.#handlers)) {
      return this.#calls.answer(method, params, this.#tell, this.#ended.signal);
    }
    const handler = this.#handlers[method as keyof Handlers] as (params: unknown, client: Client) => unknown;
    return handler(params, this);
  }

  #refuse(why: CulvertError): void {
    this.#sendError(null, why.failure);
    this.#socket.end();
  }

  #sendError(id: number | null, failure: Failure): void {
    this.#send({ jsonrpc: '2.0', id, error: { code: -32_000, message: failure.code, data: failure } });
  }

  readonly #tell: Tell = (event, value) => {
    this.#send({ jsonrpc: '2.0', method: event, params: value });
  };

  #send(message: unknown): void {
    if (this.#socket.writableLength > maxBacklog) this.close();
    else if (this.#socket.writable) this.#socket.write(`${JSON.stringify(message)}\n`);
  }
}
