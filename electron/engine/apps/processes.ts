/**
 * Processes of this user that could take over what an app is asked to open: who they are and where (proc(5)).
 *
 * Does: compare /proc/PID/ns/net with this process's own, which is the host's. Must not: take a process id for the
 * same process later without its start time.
 */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

/** `outside`: in the network that Culvert itself is in. `lane`: in another one, as those on lanes are. */
export type Place = 'outside' | 'lane';

export interface RunningProcess {
  readonly pid: number;
  /** Ticks since boot; with the id it names one process for ever. */
  readonly startTicks: string;
  /** Milliseconds since the epoch, to a second or so. */
  readonly startedAt: number;
  readonly place: Place;
}

/** Linux tells times to programs in hundredths of a second, whatever its own clock is (time(7)). */
const tickMs = 10;

function bootedAt(): number {
  return Date.now() - Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;
}

/** The process with this id, if it lives, is this user's, and its network can be seen. */
export function processAt(pid: number): RunningProcess | undefined {
  return readOr(() => {
    if (!Number.isSafeInteger(pid) || pid < 1 || statSync(`/proc/${pid}`).uid !== process.getuid?.())
      return undefined;
    // The name in brackets may hold anything, brackets too.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    const [state, startTicks] = [fields[0], fields[19]];
    if (startTicks === undefined || state === 'Z' || state === 'X') return undefined;
    const isOutside = readlinkSync(`/proc/${pid}/ns/net`) === readlinkSync('/proc/self/ns/net');
    return {
      pid,
      startTicks,
      startedAt: bootedAt() + Number(startTicks) * tickMs,
      place: isOutside ? 'outside' : 'lane',
    };
  });
}

/** Whether it is still the same process. */
export function isStill({ pid, startTicks }: Pick<RunningProcess, 'pid' | 'startTicks'>): boolean {
  return processAt(pid)?.startTicks === startTicks;
}

/** Processes of this user that run this very file, the oldest id first. */
export function processesOf(executable: string): RunningProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^[1-9][0-9]*$/.test(name))
    .filter((pid) => readOr(() => readlinkSync(`/proc/${pid}/exe`)) === executable)
    .map((pid) => processAt(Number(pid)))
    .filter((found) => found !== undefined)
    .sort((a, b) => a.pid - b.pid);
}

/** Processes end while they are looked at, and those of others cannot be seen: they are left out. */
function readOr<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
