/**
 * What culvert-launch tells of the app it started, line by line: `started PID`, `failed STEP ERRNO`,
 * `stopped SIG`, `continued`, `exited CODE`, `signalled SIG`, `empty`; then end of file.
 */
import { Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';
import type { Failure } from '#shared/failure.ts';
import type { AppExit } from './lane-spec.ts';

export type AppStatus =
  | { readonly kind: 'started'; readonly pid: number }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'stopped'; readonly signal: number }
  | { readonly kind: 'continued' }
  | { readonly kind: 'ended'; readonly exit: AppExit }
  | { readonly kind: 'empty' }
  /** The launcher is gone without having said `empty`. */
  | { readonly kind: 'lost' };

const maxLine = 200;

/** Reads the pipe until its end; owns the descriptor. */
export function readStatusPipe(fd: number, onStatus: (status: AppStatus) => void): void {
  const socket = new Socket({ fd, readable: true, writable: false });
  let text = '';
  let isOver = false;
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    text += chunk;
    const lines = text.split('\n');
    text = (lines.pop() ?? '').slice(0, maxLine);
    for (const line of lines) {
      const status = parseStatus(line);
      if (status?.kind === 'empty' || status?.kind === 'failed') isOver = true;
      if (status !== undefined) onStatus(status);
    }
  });
  socket.on('error', () => {
    // A pipe that cannot be read has ended; `close` follows and tells it.
  });
  socket.on('close', () => {
    if (!isOver) onStatus({ kind: 'lost' });
  });
}

/** One line; undefined for what is not in the format. */
export function parseStatus(line: string): AppStatus | undefined {
  const [word, first, second] = line.split(' ');
  const number = Number(word === 'failed' ? second : first);
  if (word !== 'continued' && word !== 'empty' && !Number.isSafeInteger(number)) return undefined;
  switch (word) {
    case 'started':
      return { kind: 'started', pid: number };
    case 'failed':
      return { kind: 'failed', failure: launchFailure(first ?? '', number) };
    case 'stopped':
      return { kind: 'stopped', signal: number };
    case 'continued':
      return { kind: 'continued' };
    case 'exited':
      return { kind: 'ended', exit: { kind: 'code', code: number } };
    case 'signalled':
      return { kind: 'ended', exit: { kind: 'signal', signal: number } };
    case 'empty':
      return { kind: 'empty' };
    default:
      return undefined;
  }
}

/** The failure for a step of the launcher; a failed exec is told apart as env(1) and the shells do. */
function launchFailure(step: string, errno: number): Failure {
  const name = errno > 0 ? getSystemErrorName(-errno) : 'unknown error';
  if (step === 'exec' && name === 'ENOENT') return { code: 'command-not-found' };
  if (step === 'exec') return { code: 'command-not-executable', detail: name };
  return { code: 'launch-failed', step, detail: name };
}
