/**
 * The signals that reach `culvert run`, and what becomes of each: ignored because the app got it as well,
 * forwarded to the app, or taken as the wish to end. The decision is a plain function; `SignalDesk`
 * listens.
 */
import { constants } from 'node:os';
import type { LaneSignal, Terminal } from '#shared/helper-protocol.ts';
import { signalBit } from './caller.ts';

/** Signals that are listened to while `culvert run` is there. Stop signals keep their default unless asked for. */
const heard = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGALRM'] as const;
const stopSignal = 'SIGTSTP';
export type HeardSignal = (typeof heard)[number] | typeof stopSignal;

/** `preparing` until the app is there, `running` while its first process lives, `leftovers` after that. */
export type Phase = 'preparing' | 'running' | 'leftovers';

export interface Situation {
  readonly phase: Phase;
  readonly terminal: Terminal;
  /** The keyboard's signals go to our process group, which the app is in when the terminal is shared. */
  readonly isForeground: boolean;
  /** The caller had this signal ignored (nohup, a shell's background job): then so do we. */
  readonly isIgnoredByCaller: boolean;
}

/** `end` means: stop what there is and finish. `suspend`: stop the app and ourselves. */
export type Decision = 'ignore' | 'forward' | 'end' | 'suspend';

export function decide(signal: HeardSignal, situation: Situation): Decision {
  const { phase, terminal, isForeground, isIgnoredByCaller } = situation;
  if (isIgnoredByCaller) return 'ignore';
  if (signal === stopSignal) return 'suspend';
  if (phase === 'preparing') return 'end';
  if (phase === 'leftovers') {
    return signal === 'SIGUSR1' || signal === 'SIGUSR2' || signal === 'SIGALRM' ? 'ignore' : 'end';
  }
  // From the keyboard: the app is in the same process group and has had it already.
  const isKeyboard = signal === 'SIGINT' || signal === 'SIGQUIT';
  return isKeyboard && terminal === 'share' && isForeground ? 'ignore' : 'forward';
}

/** Listens from its making until it is disposed; what it does about a signal is set from outside as things go on. */
export class SignalDesk implements Disposable {
  phase: Phase = 'preparing';
  terminal: Terminal = 'share';
  /** Before the app runs, or once its first process is gone. */
  onEnd: (signal: HeardSignal) => void = () => undefined;
  onForward: (signal: LaneSignal) => void = () => undefined;
  onSuspend: () => void = () => undefined;
  readonly #ignored: bigint;
  readonly #isForeground: () => boolean;
  readonly #installed = new Map<HeardSignal, () => void>();

  /** `ignored`: the signals that the caller ignores, as in SigIgn of /proc/PID/status. */
  constructor(ignored: bigint, isForeground: () => boolean) {
    this.#ignored = ignored;
    this.#isForeground = isForeground;
    for (const signal of heard) this.#listen(signal);
  }

  /** Takes Ctrl+Z over as well: for terminals that are not shared, where the app would not see it. */
  hearStop(): void {
    this.#listen(stopSignal);
  }

  #listen(signal: HeardSignal): void {
    const listener = () => {
      this.#take(signal);
    };
    this.#installed.set(signal, listener);
    process.on(signal, listener);
  }

  #take(signal: HeardSignal): void {
    const decision = decide(signal, {
      phase: this.phase,
      terminal: this.terminal,
      isForeground: this.#isForeground(),
      isIgnoredByCaller: (this.#ignored & signalBit(constants.signals[signal])) !== 0n,
    });
    if (decision === 'forward') this.onForward(signal);
    else if (decision === 'end') this.onEnd(signal);
    else if (decision === 'suspend') this.onSuspend();
  }

  [Symbol.dispose](): void {
    for (const [signal, listener] of this.#installed) process.off(signal, listener);
    this.#installed.clear();
  }
}

/** By then the kernel has stopped us, or it never will: the process group of a session without a shell is orphaned. */
const stopTakesMs = 150;

/**
 * Stops this process, or its whole group, by SIGTSTP as if nobody listened. Resolves to true when it was
 * continued, to false soon where the kernel ignores the signal (setpgid(2): orphaned process group).
 */
export async function stopUntilContinued(whom: 'self' | 'group'): Promise<boolean> {
  const listeners = process.listeners(stopSignal);
  process.removeAllListeners(stopSignal);
  const isContinued = await new Promise<boolean>((resolve) => {
    const go = () => {
      clearTimeout(timer);
      process.off('SIGCONT', go);
      resolve(true);
    };
    process.on('SIGCONT', go);
    const timer = setTimeout(() => {
      process.off('SIGCONT', go);
      resolve(false);
    }, stopTakesMs);
    process.kill(whom === 'self' ? process.pid : 0, stopSignal);
  });
  for (const listener of listeners) process.on(stopSignal, listener);
  return isContinued;
}
