/** Somebody at a real terminal of a world: script(1) makes it, the test types and reads what is on the screen. */
import { execFileSync } from 'node:child_process';
import type { Outcome, Running } from '../world/running.ts';
import { until } from '../world/until.ts';
import type { RunOptions, World } from '../world/world.ts';

export class Typist {
  readonly running: Running;
  #read = 0;

  /** Starts a command as a session of its own on the terminal. */
  constructor(world: World, command: readonly string[], options: RunOptions) {
    this.running = world.spawn(command, { ...options, tty: true });
  }

  type(text: string): void {
    this.running.write(text);
  }

  /** Waits for something new on the screen and answers the match; fails with what was there instead. */
  async see(pattern: RegExp, timeoutMs = 10_000): Promise<RegExpExecArray> {
    const unread = () => this.running.stdout.slice(this.#read);
    try {
      const match = await until(
        String(pattern),
        () => {
          const found = pattern.exec(unread());
          if (found === null && this.running.hasEnded) throw new Error(`it ended without ${String(pattern)}`);
          return found ?? undefined;
        },
        timeoutMs,
      );
      this.#read += match.index + match[0].length;
      return match;
    } catch (error) {
      throw new Error(`${String(error)}; on the screen since then:\n${unread()}\n${standing()}`, {
        cause: error,
      });
    }
  }

  /** Types a line to a shell and waits for what it prints. The pattern must not match the line itself. */
  async enter(line: string, pattern: RegExp): Promise<RegExpExecArray> {
    this.type(`${line}\r`);
    return this.see(pattern);
  }

  /** What is on the screen that has not been seen yet. */
  get unread(): string {
    return this.running.stdout.slice(this.#read);
  }

  get screen(): string {
    return this.running.stdout;
  }

  /** How the command ended; a signal shows as 128 and its number, as script(1) gives it. */
  get ended(): Promise<Outcome> {
    return this.running.ended;
  }

  /** Hangs the terminal up if it is still there. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.running.end('SIGKILL');
  }
}

/** Who has which terminal, who is stopped, and what each waits for: what a terminal's silence is understood by. */
function standing(): string {
  const columns = 'pid,ppid,pgid,tpgid,tty,stat,wchan:16,args';
  const processes = execFileSync('ps', ['-eo', columns], { encoding: 'utf8' }).split('\n');
  const ttys = new Set(processes.flatMap((line) => /\bpts\/\d+/.exec(line)?.[0] ?? []));
  const settings = [...ttys].map((tty) => {
    try {
      return `${tty}: ${execFileSync('stty', ['-F', `/dev/${tty}`, '-a'], { encoding: 'utf8' })}`;
    } catch {
      return `${tty}: of another mount of devpts`;
    }
  });
  return [...processes.filter((line) => /pts\/\d/.test(line)), ...settings].join('\n');
}
