/**
 * `culvert open --detach`: the same again in a session of its own, whose output goes to the lane's log.
 *
 * Does: wait until it says that the app runs, or why not. Must not: pass on more than the arguments that were typed.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CulvertError, type Answer } from '#shared/failure.ts';
import { stateDir } from '#shared/paths.ts';
import type { VerbExit } from './exit-codes.ts';
import { complain, print } from './output.ts';

/** What a start in the background answers. */
export interface OpenReport {
  readonly lanes: readonly string[];
  readonly notices: readonly string[];
  /** Other than `ok` where the app has ended already, and not well. */
  readonly exit: VerbExit;
}

/** Logs that are kept; the oldest go. */
const mostLogs = 50;
const reportFd = 3;
const mostReport = 65_536;

/** The log of the first lane of the engine with this process id, which has the others' as well. */
export function logOf(pid: number, env: NodeJS.ProcessEnv = process.env): string {
  return join(logFolder(env), `${pid}-1.log`);
}

function logFolder(env: NodeJS.ProcessEnv): string {
  return join(stateDir(env), 'lanes');
}

/** Prints the ids of the lanes. Throws the failure that the background met. */
export async function openInBackground(): Promise<VerbExit> {
  const [program = process.execPath, script = '', ...words] = process.argv;
  const log = newLog();
  const child = spawn(program, [script, ...withReport(words)], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd, 'pipe'],
  });
  closeSync(log.fd);
  if (child.pid !== undefined) renameSync(log.path, logOf(child.pid));
  const answer = await reportOf(child.stdio[reportFd] as NodeJS.ReadableStream, (fail) => {
    child.once('error', fail);
  });
  child.unref();
  if (!answer.ok) throw new CulvertError(answer.failure.code, answer.failure);
  answer.value.notices.forEach(complain);
  answer.value.lanes.forEach(print);
  return answer.value.exit;
}

/** The same words, without what asks for the background, up to the `--` behind which they are the app's. */
export function withReport(words: readonly string[]): string[] {
  const end = words.indexOf('--');
  const own = end === -1 ? words : words.slice(0, end);
  const [verb = 'open', ...others] = own.filter((word) => word !== '--detach');
  return [verb, `--report-fd=${reportFd}`, ...others, ...(end === -1 ? [] : words.slice(end))];
}

function newLog(): { fd: number; path: string } {
  const dir = logFolder(process.env);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const logs = readdirSync(dir)
    .filter((name) => /^\d+-\d+\.log$/.test(name))
    .map((name) => ({ path: join(dir, name), at: statSync(join(dir, name)).mtimeMs }))
    .sort((a, b) => b.at - a.at);
  for (const { path } of logs.slice(mostLogs - 1)) rmSync(path, { force: true });
  const path = join(dir, `.new-${process.pid}.log`);
  return { fd: openSync(path, 'a', 0o600), path };
}

/** The first line that comes; its end before that is a failure too. */
function reportOf(
  stream: NodeJS.ReadableStream,
  onError: (fail: (error: Error) => void) => void,
): Promise<Answer<OpenReport>> {
  return new Promise((resolve, reject) => {
    let text = '';
    onError(reject);
    stream.on('data', (bytes: Buffer) => {
      text += bytes.toString('utf8');
      const end = text.indexOf('\n');
      if (end === -1 && text.length < mostReport) return;
      resolve(JSON.parse(text.slice(0, end)) as Answer<OpenReport>);
    });
    stream.on('error', reject);
    stream.on('close', () => {
      reject(
        new CulvertError('launch-failed', { step: 'background', detail: 'it ended before it could answer' }),
      );
    });
  });
}
