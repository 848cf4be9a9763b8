/**
 * The keyring of the session, by way of dist/keyring.cjs, which is started when a password is wanted and ends
 * soon after.
 *
 * Does: keep every answer within its time, and kill what does not come. Must not: put a password into an argument
 * or an environment, or load native code into the engine.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import * as v from 'valibot';
import { inEnglish, phrase, type Said } from '#shared/phrase.ts';
import { keyringAnswer, type KeyringAnswer, type KeyringRequest } from './keyring-messages.ts';

/** How long the keyring may take. */
export interface KeyringPatience {
  /** For the program to start. */
  readonly startMs: number;
  /** To show that it is there at all, which needs nobody's answer. */
  readonly probeMs: number;
  /** Where it may be asking the user for its own password. */
  readonly answerMs: number;
}

export const usualPatience: KeyringPatience = { startMs: 5000, probeMs: 2000, answerMs: 30_000 };
/** After the last question, in case that there is another. */
const idleMs = 1000;
/** A keyring that was not there is looked for again after this. */
const retryMs = 30_000;
/** What the program gets of the environment: the way to the session's bus. */
const variables = ['DBUS_SESSION_BUS_ADDRESS', 'XDG_RUNTIME_DIR', 'HOME', 'PATH', 'LD_LIBRARY_PATH'];

/** The keyring cannot be used now. What it says has no secret. */
export class KeyringError extends Error {
  readonly why: Said;

  constructor(why: Said) {
    super(inEnglish(why));
    this.why = why;
  }
}

interface Running {
  readonly process: ChildProcessWithoutNullStreams;
  /** The next line, or undefined at its end. */
  readonly next: () => Promise<string | undefined>;
}

export class Keyring {
  readonly #program: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #patience: KeyringPatience;
  #queue: Promise<unknown> = Promise.resolve();
  #running: Running | undefined;
  #idle: NodeJS.Timeout | undefined;
  #isThere = false;
  #absence: { readonly why: Said; readonly until: number } | undefined;

  constructor(program: string, env: NodeJS.ProcessEnv, patience: KeyringPatience) {
    this.#program = program;
    this.#env = env;
    this.#patience = patience;
  }

  /** The password of an account, undefined where it has none. Throws KeyringError. */
  async get(account: string): Promise<string | undefined> {
    return this.#ask({ call: 'get', account });
  }

  async set(account: string, password: string): Promise<void> {
    await this.#ask({ call: 'set', account, password });
  }

  async remove(account: string): Promise<void> {
    await this.#ask({ call: 'remove', account });
  }

  /** Whether it answers. */
  async probe(): Promise<boolean> {
    try {
      await this.#inTurn(() => this.#makeSure());
      return true;
    } catch (error) {
      if (error instanceof KeyringError) return false;
      throw error;
    }
  }

  /** Ends the program, with whatever it is waiting for. */
  close(): void {
    clearTimeout(this.#idle);
    this.#running?.process.kill('SIGKILL');
    this.#running = undefined;
  }

  #ask(request: KeyringRequest): Promise<string | undefined> {
    return this.#inTurn(async () => {
      await this.#makeSure();
      return this.#exchange(request, this.#patience.answerMs);
    });
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    // The next one does not fail because this one did.
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  /** A question that needs no answer of the user's: there is no such entry, so that nothing has to be unlocked. */
  async #makeSure(): Promise<void> {
    if (this.#isThere) return;
    if (this.#absence !== undefined && performance.now() < this.#absence.until)
      throw new KeyringError(this.#absence.why);
    try {
      await this.#exchange({ call: 'get', account: '/' }, this.#patience.probeMs);
      this.#isThere = true;
      this.#absence = undefined;
    } catch (error) {
      if (error instanceof KeyringError)
        this.#absence = { why: error.why, until: performance.now() + retryMs };
      throw error;
    }
  }

  async #exchange(request: KeyringRequest, withinMs: number): Promise<string | undefined> {
    clearTimeout(this.#idle);
    const running = (this.#running ??= await this.#start());
    running.process.stdin.write(`${JSON.stringify(request)}\n`);
    const answer = await this.#await(running, withinMs);
    this.#idle = setTimeout(() => {
      this.close();
    }, idleMs);
    this.#idle.unref();
    if (!answer.ok) throw new KeyringError(answer.why);
    return answer.password;
  }

  async #start(): Promise<Running> {
    if (!existsSync(this.#program)) throw new KeyringError(phrase('password.program-missing'));
    const env = Object.fromEntries(variables.map((name) => [name, this.#env[name]]));
    // The desktop app's own Node is Electron's.
    if (process.versions['electron'] !== undefined) env['ELECTRON_RUN_AS_NODE'] = '1';
    const child = spawn(process.execPath, [this.#program], { env, stdio: ['pipe', 'pipe', 'pipe'] });
    // Only a question that is under way keeps this process, by its timer.
    child.unref();
    for (const pipe of [child.stdin, child.stdout, child.stderr]) (pipe as Socket).unref();
    // Its end is seen by its output, and what it complains of besides by the answer that does not come.
    child.on('error', () => undefined);
    child.stdin.on('error', () => undefined);
    child.stderr.resume();
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const running: Running = {
      process: child,
      next: async () => (await lines.next()).value as string | undefined,
    };
    await this.#line(running, this.#patience.startMs);
    return running;
  }

  async #await(running: Running, withinMs: number): Promise<KeyringAnswer> {
    const answer = await this.#line(running, withinMs);
    if ('ready' in answer) throw new KeyringError(phrase('password.unread-answer'));
    return answer;
  }

  async #line(running: Running, withinMs: number): Promise<v.InferOutput<typeof keyringAnswer>> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, withinMs, 'late');
    });
    try {
      const line = await Promise.race([running.next(), late]);
      if (line === 'late') throw new KeyringError(phrase('password.too-slow', { seconds: withinMs / 1000 }));
      if (line === undefined) throw new KeyringError(phrase('password.program-ended'));
      return parseAnswer(line);
    } catch (error) {
      running.process.kill('SIGKILL');
      this.#running = undefined;
      this.#isThere = false;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

function parseAnswer(line: string): v.InferOutput<typeof keyringAnswer> {
  try {
    return v.parse(keyringAnswer, JSON.parse(line));
  } catch {
    // The reason would repeat the line, which may have a password in it.
    throw new KeyringError(phrase('password.unread-answer'));
  }
}
