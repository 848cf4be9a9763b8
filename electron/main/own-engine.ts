/**
 * Starts the window's own engine: a process of its own, so that a native fault does not take the window along,
 * and one that outlives the window while apps run on its lanes (engine/host.ts says how it ends).
 *
 * Must not: hand the engine anything of the window but an environment and the pipe that tells it the window lives.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import * as v from 'valibot';
import type { Overview } from '#shared/contract.ts';
import { failureCodes, failureOf, failureSaying, type Failure } from '#shared/failure.ts';
import { phrase } from '#shared/phrase.ts';

/** An engine that ends sooner is not started again by itself. */
const steadyMs = 10_000;

const firstWord = v.variant('ok', [
  v.object({ ok: v.literal(true) }),
  v.object({
    ok: v.literal(false),
    failure: v.object({
      code: v.picklist(failureCodes),
      step: v.exactOptional(v.string()),
      detail: v.exactOptional(v.string()),
    }),
  }),
]);

export class OwnEngine {
  readonly #productDir: string;
  readonly #onChange: () => void;
  #child: ChildProcess | undefined;
  #state: Overview['own'] = { state: 'starting' };
  #isClosed = false;

  /** `productDir` is where engine.cjs is. */
  constructor(productDir: string, onChange: () => void) {
    this.#productDir = productDir;
    this.#onChange = onChange;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get state(): Overview['own'] {
    return this.#state;
  }

  /** Starts it unless it runs; what became of it is in `state`. */
  start(): void {
    if (this.#child !== undefined) return;
    this.#changed({ state: 'starting' });
    const startedAt = performance.now();
    // Electron's program is a Node.js with this variable, which the engine takes away again at once.
    const child = spawn(process.execPath, [join(this.#productDir, 'engine.cjs')], {
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    });
    this.#child = child;
    child.unref();
    let failure: Failure | undefined;
    child.stdout.once('data', (line: Buffer) => {
      failure = failureIn(line);
      if (failure === undefined) this.#changed({ state: 'ready' });
    });
    child.stdin.on('error', () => {
      // The engine has ended; `exit` says so.
    });
    const ended = (why: Failure): void => {
      if (this.#child !== child) return;
      this.#child = undefined;
      if (this.#isClosed) return;
      this.#changed({ state: 'failed', failure: failure ?? why });
      if (performance.now() - startedAt > steadyMs) this.start();
    };
    child.once('error', (error) => {
      ended(failureOf(error));
    });
    child.once('exit', (code, signal) => {
      ended(failureSaying('engine-unreachable', phrase('engine.ended', { words: signal ?? code ?? '–' })));
    });
  }

  /** Lets go of it: it ends once nothing runs on its lanes. */
  close(): void {
    this.#isClosed = true;
    this.#child?.stdin?.destroy();
    this.#child?.stdout?.destroy();
  }

  #changed(state: Overview['own']): void {
    this.#state = state;
    this.#onChange();
  }
}

/** Why the engine could not start, in its own words; undefined when it did. */
function failureIn(line: Buffer): Failure | undefined {
  try {
    const word = v.parse(firstWord, JSON.parse(line.toString('utf8')));
    return word.ok ? undefined : word.failure;
  } catch {
    return { code: 'bad-message', step: 'engine' };
  }
}
