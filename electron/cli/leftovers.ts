/** Processes that a command leaves behind on its lane when it ends: who they are, waiting for them, ending them. */
import type { Lane } from '#engine';

const graceMs = 5000;
const killMs = 2000;

/** Resolves to true when the promise has settled by then. */
export async function settledWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  const settled = promise.then(
    () => true,
    () => true,
  );
  const result = await Promise.race([settled, late]);
  clearTimeout(timer);
  return result;
}

/** SIGTERM, and SIGKILL for what is still there after five seconds. Resolves when the lane is empty, or cannot be emptied. */
export async function endAll(lane: Lane): Promise<void> {
  await lane.stop(false);
  if (await settledWithin(lane.empty, graceMs)) return;
  await lane.stop(true);
  await settledWithin(lane.empty, killMs);
}

const shownAtMost = 4;

/** `sleep (123), sh (124) and 2 more`. */
export function sentenceOf(processes: readonly { pid: number; name: string }[]): string {
  if (processes.length === 0) return 'a process';
  const shown = processes.slice(0, shownAtMost).map(({ pid, name }) => `${name} (${pid})`);
  const more = processes.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}
