/**
 * `culvert open --detach`: the same again in a session of its own; what its apps write goes to their lanes' logs.
 *
 * Does: wait until it says that the app runs, or why not. Must not: pass on more than the arguments that were typed.
 */
import { spawn } from 'node:child_process';
import { CulvertError, type Answer } from '#shared/failure.ts';
import { ownRuntime } from './caller.ts';
import type { VerbExit } from './exit-codes.ts';
import { complain, print } from './output.ts';

/** What a start in the background answers. */
export interface OpenReport {
  readonly lanes: readonly string[];
  readonly notices: readonly string[];
  /** Other than `ok` where the app has ended already, and not well. */
  readonly exit: VerbExit;
}

const reportFd = 3;
const mostReport = 65_536;

/** Prints the ids of the lanes. Throws the failure that the background met. */
export async function openInBackground(): Promise<VerbExit> {
  const [program = process.execPath, script = '', ...words] = process.argv;
  const child = spawn(program, [script, ...withReport(words)], {
    detached: true,
    env: { ...process.env, ...ownRuntime() },
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
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
