/**
 * A program for terminal.test.ts: passes its terminal on by a pseudo terminal as `culvert run` does, to a command
 * in a session of its own, and ends as that does. The lane is a child process; its stops are seen by looking.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { openPassage } from '../../electron/cli/passthrough.ts';
import { terminal } from '../../electron/engine/terminal.ts';

const lookEveryMs = 20;

const passage = openPassage('own', terminal);
const [command = 'true', ...args] = process.argv.slice(2);
const child = spawn('setsid', ['--ctty', command, ...args], { stdio: [...passage.stdio] });
const pid = child.pid ?? 0;
const exit = new Promise<number>((resolve) => {
  child.on('exit', (code, signal) => {
    resolve(signal === null ? (code ?? 0) : 128 + constants.signals[signal]);
  });
});

let isTold = false;
const listeners: ((signal: number) => void)[] = [];
const looking = setInterval(() => {
  const isStopped = stateOf(pid) === 'T';
  if (isStopped && !isTold) for (const listener of listeners) listener(constants.signals.SIGSTOP);
  isTold = isStopped;
}, lookEveryMs);

passage.attach({
  pid,
  signal: (signal) => {
    process.kill(pid, signal);
    isTold = false;
    return Promise.resolve(1);
  },
  onStopped: (listener) => {
    listeners.push(listener);
  },
});

void exit.then(async (code) => {
  clearInterval(looking);
  await passage.drain();
  passage[Symbol.dispose]();
  process.exit(code);
});

function stateOf(process: number): string {
  try {
    const stat = readFileSync(`/proc/${process}/stat`, 'latin1');
    return stat.charAt(stat.lastIndexOf(')') + 2);
  } catch {
    // It has ended.
    return '';
  }
}
