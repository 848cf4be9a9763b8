/**
 * A pseudo terminal between the caller's terminal and the app, for a helper in another session.
 *
 * Does: raw mode on our terminal, bytes both ways, window size, Ctrl+Z (the app stops, so do we, and come
 * back), the settings of our terminal as they were at every end. Must not: read a key before the app runs.
 */
import { ReadStream, WriteStream } from 'node:tty';
import type { Lane, terminal } from '#engine';
import type { Passage, Stdio } from './passthrough.ts';
import { stopUntilContinued } from './signals.ts';

export type PtyTools = Pick<typeof terminal, 'openPty' | 'resizePty' | 'closeDescriptor'>;
export type RelayedLane = Pick<Lane, 'pid' | 'signal' | 'onStopped'>;

/** How long the last bytes may take once no process of the app is left. */
const drainMs = 1000;

export class PtyRelay implements Passage {
  readonly terminal = 'own';
  readonly stdio: Stdio;
  readonly #tools: PtyTools;
  readonly #outer: number;
  readonly #slave: number;
  readonly #masterFd: number;
  readonly #ended: Promise<void>;
  #master: ReadStream | undefined;
  #keyboard: ReadStream | undefined;
  #screen: WriteStream | undefined;
  #lane: RelayedLane | undefined;
  #isStopping = false;
  #tellEnd: () => void = () => undefined;

  /** `outer` is a descriptor of ours that is the terminal; `place` puts the slave among stdin, stdout, stderr. */
  constructor(tools: PtyTools, outer: number, place: (slave: number) => Stdio) {
    this.#tools = tools;
    this.#outer = outer;
    const { master, slave } = tools.openPty(outer);
    this.#masterFd = master;
    this.#slave = slave;
    this.stdio = place(slave);
    this.#ended = new Promise((resolve) => {
      this.#tellEnd = resolve;
    });
  }

  attach(lane: RelayedLane): void {
    this.#lane = lane;
    // Only the app may hold the slave: its last close is the end of the output (EIO at the master).
    this.#tools.closeDescriptor(this.#slave);
    const screen = new WriteStream(this.#outer);
    const master = new ReadStream(this.#masterFd);
    this.#screen = screen;
    this.#master = master;
    master.on('data', (bytes: Buffer) => {
      screen.write(bytes);
    });
    master.on('error', this.#tellEnd);
    master.on('close', this.#tellEnd);
    master.on('drain', () => {
      this.#keyboard?.resume();
    });
    process.on('SIGWINCH', this.#resize);
    lane.onStopped(() => {
      void this.#stop();
    });
    this.#takeKeyboard();
  }

  #takeKeyboard(): void {
    const keyboard = new ReadStream(this.#outer);
    this.#keyboard = keyboard;
    keyboard.setRawMode(true);
    keyboard.on('data', (bytes: Buffer) => {
      if (this.#master?.write(bytes) === false) keyboard.pause();
    });
    keyboard.on('error', () => {
      // Our terminal is gone: the app learns it by SIGHUP, as the kernel sends us one to forward.
      keyboard.destroy();
    });
  }

  #giveKeyboardBack(): void {
    this.#keyboard?.setRawMode(false);
    this.#keyboard?.destroy();
    this.#keyboard = undefined;
  }

  readonly #resize = (): void => {
    if (this.#master !== undefined) this.#tools.resizePty(this.#outer, this.#masterFd);
  };

  async suspend(): Promise<void> {
    // Its stop is told by the lane; a lane that is gone has nobody to stop.
    await this.#lane?.signal('SIGTSTP').catch(() => 0);
  }

  /** The app has stopped: so do we, with everything in our process group, as if Ctrl+Z had been for us. */
  async #stop(): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#giveKeyboardBack();
    await stopUntilContinued('group');
    this.#isStopping = false;
    this.#takeKeyboard();
    this.#resize();
    await this.#lane?.signal('SIGCONT').catch(() => 0);
  }

  async drain(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, drainMs);
    });
    await Promise.race([this.#ended, late]);
    clearTimeout(timer);
  }

  [Symbol.dispose](): void {
    process.off('SIGWINCH', this.#resize);
    this.#giveKeyboardBack();
    this.#master?.destroy();
    this.#screen?.destroy();
    if (this.#master === undefined) {
      this.#tools.closeDescriptor(this.#slave);
      this.#tools.closeDescriptor(this.#masterFd);
    }
  }
}
