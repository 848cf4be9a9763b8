/**
 * A pseudo terminal between the caller's terminal and the app, for a helper in another session.
 *
 * Does: raw mode on our terminal, bytes both ways, window size, Ctrl+Z (the app stops, so do we, and come
 * back), the settings of our terminal as they were at every end. Must not: read a key before the app runs.
 */
import { readSync, writeSync } from 'node:fs';
import { ReadStream, WriteStream } from 'node:tty';
import type { Lane, terminal } from '#engine';
import { ownStanding } from './caller.ts';
import { settledWithin } from './leftovers.ts';
import type { Passage, Stdio } from './passthrough.ts';
import { stopUntilContinued } from './signals.ts';

export type PtyTools = Pick<
  typeof terminal,
  'openPty' | 'resizePty' | 'duplicate' | 'closeDescriptor' | 'settings' | 'makeRaw' | 'restore'
>;
export type RelayedLane = Pick<Lane, 'pid' | 'signal' | 'onStopped'>;

/** No byte for so long, once no process of the app is left, means that there is none. */
const silenceMs = 1000;
const chunkBytes = 65_536;
const lookAgainMs = 5;
/** Ctrl+D. */
const endOfInput = '\u0004';
/** How soon a command in the background notices that its shell has brought it to the front: no signal tells. */
const lookForFrontMs = 200;

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
  /** What the settings of our terminal were, while they are ours. */
  #settings: Buffer | undefined;
  #waitForFront: NodeJS.Timeout | undefined;
  #screen: WriteStream | undefined;
  #lane: RelayedLane | undefined;
  #isOpen = false;
  #isMasterOpen = true;
  /** What the app has not taken yet. */
  #typed = Buffer.alloc(0);
  #isStopping = false;
  #isReleased = false;
  #heard = 0;
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
    // Half open: an end that libuv sees is not yet the last byte, see below.
    const master = new ReadStream(this.#tools.duplicate(this.#masterFd), { allowHalfOpen: true });
    this.#screen = screen;
    screen.on('error', () => {
      // Our terminal is gone, as for the keyboard.
      screen.destroy();
    });
    this.#isOpen = true;
    this.#master = master;
    master.on('data', this.#show);
    master.on('end', this.#readRest);
    // EIO: nobody has the slave any more. Our own descriptor stays: with its close the kernel hangs up on an app that
    // has closed its terminal and is still there, be it for the last moment of its life.
    master.on('error', this.#end);
    master.on('close', this.#end);
    process.on('SIGWINCH', this.#resize);
    process.on('SIGCONT', this.#continued);
    process.on('exit', this.#giveKeyboardBack);
    lane.onStopped(() => {
      void this.#stop();
    });
    this.#takeKeyboard();
  }

  /** From the background it would stop us, and break the line that the shell is editing. */
  #takeKeyboard(): void {
    clearTimeout(this.#waitForFront);
    if (this.#isReleased) return;
    if (!isInFront()) {
      this.#waitForFront = setTimeout(() => {
        this.#takeKeyboard();
      }, lookForFrontMs);
      this.#waitForFront.unref();
      return;
    }
    const settings = this.#tools.makeRaw(this.#outer);
    this.#settings ??= settings;
    const keyboard = new ReadStream(this.#outer);
    this.#keyboard = keyboard;
    keyboard.on('data', (bytes: Buffer) => {
      this.#typed = Buffer.concat([this.#typed, bytes]);
      this.#passKeys();
    });
    keyboard.on('end', () => {
      this.#silenced(endOfInput);
    });
    keyboard.on('error', () => {
      this.#silenced('');
    });
  }

  /**
   * No more can be read. If our terminal is gone, the master is closed, and with it the terminal of everything that
   * the app has there. Else somebody had set it back from raw mode when the key for the end was typed.
   */
  #silenced(typed: string): void {
    this.#dropKeyboard();
    try {
      this.#tools.settings(this.#outer);
    } catch {
      this.#closeMaster();
      return;
    }
    this.#typed = Buffer.concat([this.#typed, Buffer.from(typed)]);
    this.#passKeys();
    this.#takeKeyboard();
  }

  /** Not by the stream of the master, whose writes would wait, and everything with them, for an app that does not read. */
  #passKeys(): void {
    if (!this.#isMasterOpen) return;
    try {
      this.#typed = this.#typed.subarray(writeSync(this.#masterFd, this.#typed));
    } catch (error) {
      // Nobody has the slave any more.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
    }
    if (this.#typed.length === 0) {
      this.#keyboard?.resume();
      return;
    }
    this.#keyboard?.pause();
    setTimeout(() => {
      this.#passKeys();
    }, lookAgainMs).unref();
  }

  #dropKeyboard(): void {
    clearTimeout(this.#waitForFront);
    this.#keyboard?.destroy();
    this.#keyboard = undefined;
  }

  readonly #giveKeyboardBack = (): void => {
    this.#dropKeyboard();
    const settings = this.#settings;
    this.#settings = undefined;
    // In the background the settings are the shell's already.
    if (settings === undefined || !isInFront()) return;
    try {
      this.#tools.restore(this.#outer, settings);
    } catch {
      // Our terminal is gone, and its settings with it.
    }
  };

  /** Somebody else stopped us, and the shell has used the terminal meanwhile. */
  readonly #continued = (): void => {
    if (this.#isStopping || !this.#isOpen) return;
    this.#dropKeyboard();
    this.#takeKeyboard();
    this.#resize();
  };

  readonly #show = (bytes: Buffer): void => {
    this.#heard += bytes.length;
    this.#screen?.write(bytes);
  };

  /**
   * libuv takes a hang-up for the end although the kernel has more to give, up to the error EIO. The descriptor
   * is non-blocking.
   */
  readonly #readRest = (): void => {
    if (this.#readPresent()) setTimeout(this.#readRest, lookAgainMs);
    else this.#end();
  };

  /** Shows what is there; answers whether there may be more to come. */
  #readPresent(): boolean {
    if (!this.#isMasterOpen) return false;
    const chunk = Buffer.alloc(chunkBytes);
    try {
      for (let size = readSync(this.#masterFd, chunk); size > 0; size = readSync(this.#masterFd, chunk)) {
        this.#show(Buffer.from(chunk.subarray(0, size)));
      }
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EAGAIN';
    }
    return false;
  }

  readonly #end = (): void => {
    this.#isOpen = false;
    this.#tellEnd();
  };

  readonly #resize = (): void => {
    if (this.#isOpen) this.#tools.resizePty(this.#outer, this.#masterFd);
  };

  async suspend(): Promise<void> {
    // Its stop is told by the lane; a lane that is gone has nobody to stop.
    await this.#lane?.signal('SIGTSTP').catch(() => 0);
  }

  /** The app has stopped: so do we, with everything in our process group, as if Ctrl+Z had been for us. */
  async #stop(): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    // What it wrote before it stopped is not to wait for fg.
    if (this.#isOpen) this.#readPresent();
    this.#giveKeyboardBack();
    await stopUntilContinued('group');
    this.#isStopping = false;
    this.#takeKeyboard();
    this.#resize();
    await this.#lane?.signal('SIGCONT').catch(() => 0);
  }

  /** What the app wrote is shown first: it may count on a terminal that adds nothing. */
  release(): void {
    if (this.#isOpen) this.#readPresent();
    this.#isReleased = true;
    this.#giveKeyboardBack();
  }

  #closeMaster(): void {
    this.#end();
    this.#master?.destroy();
    if (this.#isMasterOpen) this.#tools.closeDescriptor(this.#masterFd);
    this.#isMasterOpen = false;
  }

  /** A process that took the slave elsewhere keeps it open for ever: silence ends the waiting as well. */
  async drain(): Promise<void> {
    let heard: number;
    do {
      heard = this.#heard;
    } while (!(await settledWithin(this.#ended, silenceMs)) && this.#heard !== heard);
    await this.#flush();
  }

  /** A signal cuts a write to a terminal short although it is blocking; the rest is written later. */
  #flush(): Promise<void> {
    const screen = this.#screen;
    if (screen === undefined || screen.destroyed || screen.writableLength === 0) return Promise.resolve();
    return new Promise((resolve) => {
      screen.once('close', resolve);
      screen.write('', () => {
        resolve();
      });
    });
  }

  [Symbol.dispose](): void {
    process.off('SIGWINCH', this.#resize);
    process.off('SIGCONT', this.#continued);
    process.off('exit', this.#giveKeyboardBack);
    this.#giveKeyboardBack();
    if (this.#master === undefined) this.#tools.closeDescriptor(this.#slave);
    this.#closeMaster();
    this.#screen?.destroy();
  }
}

/** Whether the keyboard is ours: true as well for a terminal that controls nobody. */
function isInFront(): boolean {
  const { hasTerminal, isForeground } = ownStanding();
  return !hasTerminal || isForeground;
}
