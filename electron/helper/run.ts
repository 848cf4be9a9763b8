/**
 * The helper's only door to other programs.
 *
 * Does: run `ip`, `nft` and `culvert-launch`, by absolute path, with an argument array and a fixed or empty
 * environment. Must not: search PATH, use a shell, or run anything else (S34 of the notes, DESIGN.md §7).
 */
import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { CulvertError } from '#shared/failure.ts';
import type { Native } from './native.ts';

const directories = ['/usr/sbin', '/sbin', '/usr/bin', '/bin', '/run/current-system/sw/bin'];
const timeoutMs = 10_000;

export type Tool = 'ip' | 'nft';

/** A tool at work. Several may be at once; none outlives the block that declares it with `using`. */
export interface ToolAtWork extends Disposable {
  /** Waits for its end. Throws the tool's failure with the first line that it complained with. */
  readonly end: () => void;
}

/**
 * Starts a tool in this thread's present network namespace, `input` on its stdin, `descriptor` as its descriptor 3.
 * Throws `tool-missing`, or the tool's failure if it cannot be started.
 */
export function startTool(
  native: Native,
  tool: Tool,
  args: readonly string[],
  input: string,
  descriptor?: number,
): ToolAtWork {
  const running = native.startTool(`${tool}-failed`, [findTool(tool), ...args], input, descriptor);
  let isOver = false;
  const wait = () => {
    if (isOver) return undefined;
    isOver = true;
    return native.awaitTool(running, timeoutMs);
  };
  return {
    end: () => {
      const ended = wait();
      if (ended !== undefined && ended.status !== 0)
        throw new CulvertError(`${tool}-failed`, { detail: firstLine(ended.words) || wordOf(ended.status) });
    },
    [Symbol.dispose]: wait,
  };
}

/** Runs a tool to its end. Throws as `startTool` and its `end` do. */
export function runTool(...start: Parameters<typeof startTool>): void {
  startTool(...start).end();
}

function wordOf(status: number | string): string {
  return typeof status === 'number' ? `exit ${status}` : status;
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
