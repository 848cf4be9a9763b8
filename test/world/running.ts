/** A process of a world: what it says, how it ends, and that it ends. */
import type { ChildProcess } from 'node:child_process';
import { until } from './until.ts';

/** How a process ended. `code` is null when a signal ended it. */
export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Running {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Resolves when the process has ended and its output is complete; rejects only if it could not be started. */
  readonly ended: Promise<Outcome>;
  readonly #stdout: Buffer[] = [];
  readonly #stderr: Buffer[] = [];

  constructor(child: ChildProcess) {
    this.child = child;
    this.pid = child.pid ?? 0;
    child.stdout?.on('data', (bytes: Buffer) => this.#stdout.push(bytes));
    child.stderr?.on('data', (bytes: Buffer) => this.#stderr.push(bytes));
    // A process that ends before it has read its input is not an error of the test.
    child.stdin?.on('error', () => undefined);
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        resolve({ stdout: this.stdout, stderr: this.stderr, code, signal });
      });
    });
    this.ended.catch(() => undefined);
  }

  get stdout(): string {
    return this.stdoutBytes.toString('utf8');
  }

  get stdoutBytes(): Buffer {
    return Buffer.concat(this.#stdout);
  }

  get stderr(): string {
    return Buffer.concat(this.#stderr).toString('utf8');
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Waits until stdout or stderr matches; throws with both when the process ends or the time is over. */
  async says(pattern: RegExp, timeoutMs = 10_000): Promise<RegExpMatchArray> {
    try {
      return await until(
        `${this.child.spawnargs.at(-1) ?? ''} to say ${String(pattern)}`,
        () => {
          const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
          if (match !== null) return match;
          if (this.hasEnded) throw new Error(`it ended without saying ${String(pattern)}`);
          return undefined;
        },
        timeoutMs,
      );
    } catch (error) {
      throw new Error(`${String(error)}\nstdout: ${this.stdout}\nstderr: ${this.stderr}`, { cause: error });
    }
  }

  write(text: string | Uint8Array): void {
    this.child.stdin?.write(text);
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    if (!this.hasEnded) this.child.kill(signal);
  }

  /** Kills the process and stops reading its output, which orphans of it may hold open for ever. */
  abandon(): void {
    this.kill('SIGKILL');
    this.child.stdout?.destroy();
    this.child.stderr?.destroy();
  }

  /** Ends the process: `signal` first, SIGKILL when it has not gone within `graceMs`. */
  async end(signal: NodeJS.Signals = 'SIGTERM', graceMs = 3_000): Promise<void> {
    this.kill(signal);
    const timer = setTimeout(() => this.kill('SIGKILL'), graceMs);
    // `exit` and not `close`: a grandchild may hold the output open, and is ended by the cell.
    if (!this.hasEnded) await new Promise((resolve) => this.child.once('exit', resolve));
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}
