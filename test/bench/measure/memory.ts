/** How much memory a process has, as the kernel counts it. */
import { readFileSync } from 'node:fs';

export interface Memory {
  /** Its own pages, and of each page that it shares with others its share. */
  readonly proportionalMib: number;
  /** All pages that it has in sight, whoever else has them, too. */
  readonly residentMib: number;
}

/** Of one process (proc_pid_smaps(5)); only root may ask for one that is sandboxed. */
export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const mib = (name: string): number =>
    Number(new RegExp(`^${name}: +([0-9]+) kB$`, 'm').exec(text)?.[1]) / 1024;
  return { proportionalMib: mib('Pss') + mib('SwapPss'), residentMib: mib('Rss') };
}
