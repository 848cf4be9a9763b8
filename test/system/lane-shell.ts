/**
 * A shell on a lane that stays open, so that many short commands share one start; and the same commands
 * outside of a lane, as the positive control.
 */
import type { LaneOptions, Product } from '../world/product.ts';
import type { Running } from '../world/running.ts';
import { until } from '../world/until.ts';

export class LaneShell {
  readonly running: Running;
  #asked = 0;

  private constructor(running: Running) {
    this.running = running;
  }

  /** Resolves when the shell is on its lane. */
  static async open(product: Product, options: LaneOptions): Promise<LaneShell> {
    const shell = new LaneShell(
      product.spawn(['sh'], { ...options, options: ['--quiet', ...(options.options ?? [])] }),
    );
    await shell.must(':');
    return shell;
  }

  /** Runs a script in a subshell, one at a time; both outputs as one text, and the exit status. */
  async run(script: string, timeoutMs = 20_000): Promise<{ readonly output: string; readonly code: number }> {
    const mark = `lane-shell-${(this.#asked += 1)}`;
    const before = this.running.stdout.length;
    this.running.write(`(\n${script}\n) </dev/null 2>&1; echo "${mark} $?"\n`);
    const end = new RegExp(`${mark} ([0-9]+)\n`);
    const found = await until(
      `the end of ${script}`,
      () => {
        const match = end.exec(this.running.stdout.slice(before));
        if (match === null && this.running.hasEnded)
          throw new Error(`the lane ended: ${this.running.stderr}`);
        return match ?? undefined;
      },
      timeoutMs,
    );
    const output = this.running.stdout.slice(before, before + found.index);
    return { output, code: Number(found[1]) };
  }

  /** The same, and throws with the script's words when it fails. */
  async must(script: string, timeoutMs?: number): Promise<string> {
    const { output, code } = await this.run(script, timeoutMs);
    if (code !== 0) throw new Error(`${script} failed (${code}): ${output}`);
    return output;
  }

  /** The shell itself, a process of the app's. */
  async pid(): Promise<number> {
    return Number(await this.must('echo $$'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.running.child.stdin?.end();
    await this.running.ended;
  }
}
