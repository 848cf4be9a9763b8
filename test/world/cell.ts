/**
 * A control group that owns every process of one world, so that what a test leaves behind is known exactly:
 * orphans, daemons and processes in other namespaces included, and never those of a test that runs beside it.
 * Any hierarchy will do, nothing is limited by it (cgroups(7)).
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './until.ts';

export class Cell {
  readonly #dir: string;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** Makes a group of this name in the first hierarchy that allows it; throws when none does. */
  static create(name: string): Cell {
    const refusals: string[] = [];
    for (const mount of hierarchies()) {
      try {
        const dir = join(mount, name);
        mkdirSync(dir);
        return new Cell(dir);
      } catch (error) {
        refusals.push(String(error));
      }
    }
    throw new Error(`a world needs a control group hierarchy that it may write to: ${refusals.join('; ')}`);
  }

  /** The groups of the hierarchies whose names match, left behind by a test run that was killed. */
  static found(name: RegExp): { readonly name: string; readonly cell: Cell }[] {
    return hierarchies().flatMap((mount) =>
      readdirSync(mount)
        .filter((entry) => name.test(entry))
        .map((entry) => ({ name: entry, cell: new Cell(join(mount, entry)) })),
    );
  }

  /** A process joins by writing its number here; its children are members from the start. */
  get procs(): string {
    return join(this.#dir, 'cgroup.procs');
  }

  /** The living processes, zombies left out: they only wait for their parent. */
  pids(): number[] {
    const text = existsSync(this.procs) ? readFileSync(this.procs, 'utf8') : '';
    const listed = text.split('\n').filter(Boolean).map(Number);
    return listed.filter((pid) => pid > 0 && isAlive(pid));
  }

  /** Kills every member and removes the group. Resolves when the kernel has let go of them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await until('the end of every process of the world', () => {
      const pids = this.pids();
      for (const pid of pids) killQuietly(pid);
      return pids.length === 0;
    });
    await until('the removal of the control group', () => removed(this.#dir));
  }
}

/** Mount points of control group hierarchies, those of version 2 first. */
function hierarchies(): string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '));
  const points = (wanted: string): string[] =>
    mounts.flatMap(([, point, type]) => (type === wanted && point !== undefined ? [point] : []));
  return [...points('cgroup2'), ...points('cgroup')];
}

/** Whether the process runs or could; a zombie has ended, whoever has yet to collect its status. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

function removed(dir: string): boolean {
  try {
    rmdirSync(dir);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EBUSY') return false;
    if (code === 'ENOENT') return true; // a test run beside this one swept it
    throw error;
  }
}
