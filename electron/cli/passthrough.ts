/**
 * How the app's stdin, stdout, stderr and terminal become the caller's.
 *
 * `share` where the helper is in our session: the app joins our process group, descriptors go over as they
 * are, the terminal drives it and no byte passes through here. `own` where it is not (sudo with use_pty) and
 * the command is used on a terminal: a pseudo terminal is made and relayed. `none` where it is not and there
 * is no terminal to pass on: the descriptors go over, the keyboard's signals are forwarded.
 */
import { constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { Terminal } from '#shared/helper-protocol.ts';
import { ownStanding } from './caller.ts';
import { type PtyTools, type RelayedLane, PtyRelay } from './pty.ts';
import { stopUntilContinued } from './signals.ts';

export type Stdio = readonly [number, number, number];

export interface StdioFacts {
  /** Which of stdin, stdout and stderr are terminals. */
  readonly terminals: readonly [boolean, boolean, boolean];
  /** Something else reads what the command prints, and perhaps the keyboard too (a pager). */
  readonly isPiped: boolean;
}

/**
 * Which way is taken. Between `own` and `none` a pipe behind the command decides: a relay would take the
 * keys that the pager at its end is waiting for.
 */
export function chooseTerminal(helperSession: number, ownSession: number, stdio: StdioFacts): Terminal {
  if (helperSession === ownSession) return 'share';
  if (!stdio.terminals.includes(true) || stdio.isPiped) return 'none';
  return 'own';
}

export function stdioFacts(): StdioFacts {
  const output = fstatSync(1);
  return {
    terminals: [isatty(0), isatty(1), isatty(2)],
    isPiped: output.isFIFO() || output.isSocket(),
  };
}

/** What `own` puts in the place of each descriptor: the pseudo terminal where it was a terminal. */
export function withPty(facts: StdioFacts, slave: number): Stdio {
  const [input, output, errors] = facts.terminals;
  return [input ? slave : 0, output ? slave : 1, errors ? slave : 2];
}

/** Whether a process is in the state T, stopped by a signal (proc_pid_stat(5)). */
function isStopped(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.charAt(stat.lastIndexOf(')') + 2) === 'T';
  } catch {
    // It has ended.
    return false;
  }
}

/** The app's side of the terminal, from before its start until after its end. */
export interface Passage extends Disposable {
  readonly terminal: Terminal;
  readonly stdio: Stdio;
  /** Once the app runs. */
  attach(lane: RelayedLane): void;
  /** Stops the app and then ourselves; comes back when the shell continues us. */
  suspend(): Promise<void>;
  /** Once the app has ended: the keyboard is the caller's again, though what it left behind may still write. */
  release(): void;
  /** After that: everything that it wrote has been passed on. */
  drain(): Promise<void>;
}

export function openPassage(choice: Terminal, tools: PtyTools): Passage {
  if (choice !== 'own') return new DirectPassage(choice);
  const facts = stdioFacts();
  return new PtyRelay(tools, openOwnTerminal(facts), (slave) => withPty(facts, slave));
}

/** Remembers the settings of our terminal, if we have one; the function gives them back while it is ours. */
export function keepSettings(tools: Pick<PtyTools, 'settings' | 'restore'>): () => void {
  let fd: number;
  try {
    fd = openSync('/dev/tty', constants.O_RDWR | constants.O_NOCTTY);
  } catch {
    return () => undefined; // no terminal, nothing to keep
  }
  const settings = tools.settings(fd);
  return () => {
    if (ownStanding().isForeground) tools.restore(fd, settings);
  };
}

/** Our terminal for reading and writing, whatever way stdin and stdout were opened. */
function openOwnTerminal(facts: StdioFacts): number {
  try {
    return openSync('/dev/tty', constants.O_RDWR | constants.O_NOCTTY);
  } catch {
    // No controlling terminal, though a descriptor is a terminal.
    return facts.terminals.indexOf(true);
  }
}

/** `share` and `none`: the descriptors themselves go over. */
class DirectPassage implements Passage {
  readonly terminal: Terminal;
  readonly stdio: Stdio = [0, 1, 2];
  #lane: RelayedLane | undefined;

  constructor(terminal: Terminal) {
    this.terminal = terminal;
  }

  attach(lane: RelayedLane): void {
    this.#lane = lane;
    if (this.terminal === 'share') lane.onStopped(() => void this.#followStop(lane));
  }

  /**
   * An app that stopped itself alone has to look stopped to the shell, which sees us only. After Ctrl+Z, which
   * stopped us as well, the news comes when the shell has continued both: then there is nothing to follow.
   */
  async #followStop(lane: RelayedLane): Promise<void> {
    if (!isStopped(lane.pid)) return;
    if (await stopUntilContinued('self')) await lane.signal('SIGCONT', lane.pid).catch(() => 0); // Ended meanwhile.
  }

  async suspend(): Promise<void> {
    const lane = this.#lane;
    // A lane that is gone meanwhile has nobody to stop or to wake.
    await lane?.signal('SIGSTOP').catch(() => 0);
    await stopUntilContinued('self');
    await lane?.signal('SIGCONT').catch(() => 0);
  }

  release(): void {
    // The keyboard was never taken.
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.dispose](): void {
    this.#lane = undefined;
  }
}
