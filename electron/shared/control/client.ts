/** Talks to the engines of this user over their control sockets. */
import { readdirSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import * as v from 'valibot';
import {
  engineCalls,
  engineEvents,
  maxLineBytes,
  type EngineCall,
  type EngineEvent,
  type EngineEventValue,
  type EngineParams,
  type EngineValue,
} from '../engine-protocol.ts';
import { CulvertError } from '../failure.ts';
import { enginePidOf, runtimeDir } from '../paths.ts';
import { phrase } from '../phrase.ts';
import { failureView } from '../phrase-view.ts';
import { version } from '../version.ts';
import { Emitter } from './emitter.ts';
import { LineReader } from './line-reader.ts';

const connectMs = 2000;
const answerMs = 20_000;
/**
 * A start may wait for somebody who types a password (elevate.ts gives them two minutes), a keyring for somebody who
 * unlocks it, and a test takes ten seconds for each server.
 */
const longAnswersMs: Partial<Record<EngineCall, number>> = {
  'app.open': 150_000,
  'profile.test': 600_000,
  'profile.add': 150_000,
  'profile.save': 150_000,
  'profile.duplicate': 150_000,
  'profile.remove': 150_000,
  'profile.import': 150_000,
  'profile.export': 150_000,
  'isolation.allow': 150_000,
};
/** An engine sends long lines: a snapshot of many lanes, a list of flows. */
const maxAnswerBytes = 64 * 1024 * 1024;

const rpcMessage = v.union([
  v.object({ id: v.number(), result: v.unknown() }),
  v.object({
    id: v.nullable(v.number()),
    error: v.object({ data: failureView }),
  }),
  v.object({ method: v.picklist(Object.keys(engineEvents) as EngineEvent[]), params: v.unknown() }),
]);

interface Waiting {
  readonly method: EngineCall;
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

type Events = { [E in EngineEvent]: EngineEventValue<E> } & { gone: undefined };

export class EngineClient {
  readonly pid: number;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #emitter = new Emitter<Events>();
  #last = 0;

  private constructor(pid: number, socket: Socket) {
    this.pid = pid;
    this.#socket = socket;
    const lines = new LineReader(maxAnswerBytes, (line) => {
      this.#heard(line);
    });
    socket.on('data', (bytes) => {
      if (!lines.push(bytes)) socket.destroy();
    });
    socket.on('error', () => {
      // The engine is gone; `close` follows and tells everybody who waits.
    });
    socket.once('close', () => {
      this.#rejectAll(new CulvertError('engine-unreachable', { detail: `engine ${this.pid}` }));
      this.#emitter.emit('gone', undefined);
    });
  }

  /**
   * All engines of this user that answer, oldest first. A socket whose engine is no more is removed: it was
   * killed.
   */
  static async all(env: NodeJS.ProcessEnv = process.env): Promise<EngineClient[]> {
    const dir = runtimeDir(env);
    const pids = readdirSync(dir)
      .map(enginePidOf)
      .filter((pid) => pid !== undefined)
      .toSorted((a, b) => a - b);
    const clients = await Promise.all(pids.map((pid) => EngineClient.#connect(dir, pid)));
    return clients.filter((client) => client !== undefined);
  }

  /** The engine with this process id, or undefined where none answers. */
  static at(pid: number, env: NodeJS.ProcessEnv = process.env): Promise<EngineClient | undefined> {
    return EngineClient.#connect(runtimeDir(env), pid);
  }

  static async #connect(dir: string, pid: number): Promise<EngineClient | undefined> {
    const path = join(dir, `engine-${pid}.sock`);
    try {
      const client = new EngineClient(pid, await openSocket(path));
      await client.call('hello', { version });
      return client;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') removeUnlessAlive(path, pid);
      else if (error instanceof CulvertError && error.failure.code !== 'engine-unreachable') throw error;
      return undefined;
    }
  }

  /** Asks and waits. Throws the engine's failure, or `engine-unreachable`. */
  call<C extends EngineCall>(method: C, params: EngineParams<C>): Promise<EngineValue<C>> {
    return new Promise((resolve, reject) => {
      this.#last += 1;
      const id = this.#last;
      const line = JSON.stringify({ jsonrpc: '2.0', id, method, params });
      // The engine would end the connection, and with it what others asked over it.
      if (Buffer.byteLength(line) > maxLineBytes)
        throw new CulvertError('option-invalid', {
          detail: `${method}: more than ${maxLineBytes >> 20} MiB`,
        });
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new CulvertError('engine-unreachable', { step: method, detail: phrase('engine.no-answer') }));
      }, longAnswersMs[method] ?? answerMs);
      this.#waiting.set(id, { method, resolve: resolve, reject, timer });
      this.#socket.write(`${line}\n`);
    });
  }

  /** Listens to an event; `snapshot` and `traffic` come after the call `watch`, `gone` when the engine ends. */
  on<E extends keyof Events>(event: E, listener: (value: Events[E]) => void): () => void {
    return this.#emitter.on(event, listener);
  }

  close(): void {
    this.#socket.destroy();
  }

  #heard(line: string): void {
    const message = v.safeParse(rpcMessage, parseJson(line));
    if (!message.success) {
      this.#socket.destroy();
      return;
    }
    const { output } = message;
    if ('method' in output) {
      this.#event(output.method, output.params);
      return;
    }
    if ('error' in output) {
      const { code, ...rest } = output.error.data;
      const error = new CulvertError(code, rest);
      // A refusal comes before any question is read, and so has no id.
      if (output.id === null) this.#rejectAll(error);
      else
        this.#settle(output.id, ({ reject }) => {
          reject(error);
        });
      return;
    }
    this.#settle(output.id, ({ method, resolve, reject }) => {
      const value = v.safeParse(engineCalls[method].value, output.result);
      if (value.success) resolve(value.output as never);
      else reject(new CulvertError('bad-message', { step: method }));
    });
  }

  #event(event: EngineEvent, params: unknown): void {
    const value = v.safeParse(engineEvents[event], params);
    if (value.success) this.#emitter.emit(event, value.output);
  }

  #settle(id: number, work: (waiting: Waiting) => void): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    work(waiting);
  }

  #rejectAll(error: CulvertError): void {
    for (const id of [...this.#waiting.keys()]) {
      this.#settle(id, ({ reject }) => {
        reject(error);
      });
    }
  }
}

/** The socket of an engine that lives is there a moment before the engine listens on it. */
function removeUnlessAlive(path: string, pid: number): void {
  try {
    process.kill(pid, 0);
  } catch {
    // No such process (or another user's, under a number of ours that is free again): nobody will listen there.
    rmSync(path, { force: true });
  }
}

function openSocket(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.setTimeout(connectMs, () => {
      socket.destroy(new CulvertError('engine-unreachable', { detail: phrase('engine.no-answer') }));
    });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.removeListener('error', reject);
      resolve(socket);
    });
  });
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    // Not JSON: the schema refuses it.
    return undefined;
  }
}
