/**
 * The helper's only door to other programs.
 *
 * Does: run `ip`, `nft` and `culvert-launch`, by absolute path, with an argument array and a fixed or empty
 * environment. Must not: search PATH, use a shell, or run anything else (S34 of the notes, DESIGN.md §7).
 */
import { spawn, spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { CulvertError } from '#shared/failure.ts';

const directories = ['/usr/sbin', '/sbin', '/usr/bin', '/bin', '/run/current-system/sw/bin'];
const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
const timeoutMs = 10_000;

export type Tool = 'ip' | 'nft';

/** Of one that could not be started there are no words, though the types of Node say so. */
interface Ended {
  readonly status: number | null;
  readonly stderr: Buffer | null;
  readonly error?: Error;
}

/**
 * Runs a tool to its end in this thread's present network namespace, `input` on its stdin, `descriptor` as
 * its descriptor 3. Throws `tool-missing`, or the tool's failure with the first line that it complained with.
 */
export function runTool(tool: Tool, args: readonly string[], input: string, descriptor?: number): void {
  const stdio = descriptor === undefined ? [] : [descriptor];
  const ended: Ended = spawnSync(findTool(tool), args, {
    input,
    cwd: '/',
    env: environment,
    stdio: ['pipe', 'ignore', 'pipe', ...stdio],
    timeout: timeoutMs,
    maxBuffer: 1024 * 1024,
  });
  const { status, stderr, error } = ended;
  const words = firstLine(stderr?.toString() ?? '');
  // One that ends before it has read everything leaves an error of the pipe too: its own words say more.
  if (error !== undefined && (status === null || status === 0 || words === ''))
    throw new CulvertError(`${tool}-failed`, { detail: error.message, cause: error });
  if (status !== 0) throw new CulvertError(`${tool}-failed`, { detail: words || `exit ${status}` });
}

/**
 * Starts culvert-launch with the descriptors it expects as 0 to 6 and an empty environment. Answers its
 * process id; what becomes of the app is the business of the status pipe.
 */
export function startLauncher(
  path: string,
  args: readonly string[],
  descriptors: readonly [number, number, number, number, number, number, number],
  onEnd: () => void,
): number {
  const child = spawn(path, args, { cwd: '/', env: {}, stdio: [...descriptors] });
  child.on('error', () => {
    // Told below by the missing process id; without a listener Node would end this process.
  });
  child.on('exit', onEnd);
  if (child.pid === undefined) throw new CulvertError('native-missing', { detail: path });
  child.unref();
  return child.pid;
}

const found = new Map<Tool, string>();

function findTool(tool: Tool): string {
  const known = found.get(tool);
  if (known !== undefined) return known;
  const path = directories.map((directory) => `${directory}/${tool}`).find(isTrusted);
  if (path === undefined) throw new CulvertError('tool-missing', { detail: tool });
  found.set(tool, path);
  return path;
}

/** A file that only root can change; in a user namespace root is shown as the overflow id 65534. */
function isTrusted(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile()) return false;
  return (stat.uid === 0 || stat.uid === 65_534) && (stat.mode & 0o022) === 0;
}

function firstLine(text: string): string {
  return (
    text
      .split('\n')
      .find((line) => line.trim() !== '')
      ?.trim() ?? ''
  );
}
