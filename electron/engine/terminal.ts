/** What a host of the engine needs of its terminal and of its own process: sessions, pseudo terminals, death. */
import { Native } from './native.ts';

class TerminalControl {
  #loaded: Native | undefined;

  /** Loaded with the first use. Throws `native-missing`. */
  get #native(): Native {
    this.#loaded ??= new Native(__dirname);
    return this.#loaded;
  }

  readonly session = (): { session: number; group: number } => this.#native.session(0);

  /** A pseudo terminal with the settings and size of the terminal `like`. The caller closes both ends. */
  openPty(like: number): { master: number; slave: number } {
    return this.#native.openPty(like);
  }

  /** Copies the window size of one terminal to another. */
  resizePty(from: number, to: number): void {
    this.#native.resizePty(from, to);
  }

  /** The settings of a terminal, for `restore`. */
  settings(fd: number): Buffer {
    return this.#native.saveTerminal(fd);
  }

  /** Has a terminal pass every byte on unchanged, both ways; answers the settings that it had. */
  makeRaw(fd: number): Buffer {
    return this.#native.rawTerminal(fd);
  }

  /** Gives a terminal the settings that `settings` or `makeRaw` answered. */
  restore(fd: number, settings: Buffer): void {
    this.#native.restoreTerminal(fd, settings);
  }

  /** Ends this process and leaves the terminal as it is, which Node would set back to what it was at its start. */
  exit(status: number): never {
    return this.#native.exit(status);
  }

  /** Ends this process by a signal's default action, as the app was ended. */
  dieBy(signal: number): never {
    return this.#native.dieBy(signal);
  }

  /** A limit of this process (getrlimit(2)); -1 is infinity. */
  readonly limit = (resource: number): { soft: bigint; hard: bigint } => this.#native.limit(resource);

  /** Moves a byte by splice(2), as the relay does. Throws `internal` where the kernel cannot. */
  readonly trySplice = (): void => {
    this.#native.trySplice();
  };

  /** Another descriptor of the same file, close-on-exec. */
  duplicate(fd: number): number {
    return this.#native.duplicate(fd);
  }

  closeDescriptor(fd: number): void {
    this.#native.close(fd);
  }
}

/** The terminal of this process. */
export const terminal = new TerminalControl();
