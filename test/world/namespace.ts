/**
 * One anonymous network namespace with a mount namespace, held by a process that ends when this one does
 * (its standard input is a pipe), and the way for commands into it.
 */
import { spawn, type StdioOptions } from 'node:child_process';
import type { Cell } from './cell.ts';
import { Running } from './running.ts';
import type { User } from './users.ts';

export interface SpawnOptions {
  /** Whose process it is; root when absent. */
  readonly user?: User;
  readonly env: Record<string, string>;
  readonly cwd: string;
  readonly stdio?: StdioOptions;
  /** In a pseudo-terminal of its own, made by script(1); stdin stays a pipe into it. */
  readonly tty?: boolean;
}

// Each link of the chain execs the next, so the number of the child is the number of the command.
const join = 'echo $$ > "$0" && exec "$@"';

export class Namespace {
  readonly #cell: Cell;
  readonly #holder: Running;

  private constructor(cell: Cell, holder: Running) {
    this.#cell = cell;
    this.#holder = holder;
  }

  /** A new namespace; its mounts start as a private copy of those of `like`, or of this process. */
  static async hold(cell: Cell, like?: Namespace): Promise<Namespace> {
    const copy = like === undefined ? [] : ['nsenter', '-t', String(like.pid), '-m'];
    const hold = [
      'unshare',
      '--net',
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-c',
      'echo held; exec cat',
    ];
    const holder = new Running(spawn('/bin/sh', ['-c', join, cell.procs, ...copy, ...hold]));
    await holder.says(/held/);
    return new Namespace(cell, holder);
  }

  get pid(): number {
    return this.#holder.pid;
  }

  /** The path by which this process reaches a file as seen inside. */
  path(inside: string): string {
    return `/proc/${this.pid}/root${inside}`;
  }

  spawn(command: readonly string[], options: SpawnOptions): Running {
    const enter = ['nsenter', '-t', String(this.pid), '-n', '-m', '--'];
    // With PDEATHSIG nothing survives a test process that is killed; setpriv sets it after the change of ids.
    const become = ['setpriv', '--pdeathsig', 'KILL'];
    if (options.user !== undefined) {
      become.push(
        `--reuid=${options.user.uid}`,
        `--regid=${options.user.gid}`,
        '--init-groups',
        '--inh-caps=-all',
      );
    }
    const there = ['env', '-C', options.cwd];
    const run = options.tty === true ? inTerminal(command) : command;
    const child = spawn('/bin/sh', ['-c', join, this.#cell.procs, ...enter, ...become, ...there, ...run], {
      env: options.env,
      stdio: options.stdio ?? 'pipe',
    });
    return new Running(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#holder.child.stdin?.end();
    await this.#holder.end();
  }
}

function inTerminal(command: readonly string[]): string[] {
  const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  return ['script', '--quiet', '--flush', '--return', '--command', `exec ${quoted}`, '/dev/null'];
}
