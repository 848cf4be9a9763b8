/**
 * A helper that starts while the rest of the engine is still being loaded, so that a command starts a fifth sooner on
 * two processors.
 *
 * Does: begin what the engine would begin anyway, where nobody is asked for anything. Must not: ask for a password, or
 * load more of the engine than that takes.
 */
import type { Mode } from '#shared/helper-protocol.ts';
import { isolations } from '#shared/model.ts';
import { type HelperOptions, type StartedHelper, startHelper, unaskedMode } from './elevate.ts';
import { Native } from './native.ts';

export class HelperAhead {
  /** The engine's, too: there is one of a process. */
  readonly native: Native;
  readonly #mode: Mode;
  readonly #patience = new AbortController();
  #started: Promise<StartedHelper> | undefined;

  private constructor(native: Native, mode: Mode, options: HelperOptions) {
    this.native = native;
    this.#mode = mode;
    this.#started = startHelper(native, mode, options, this.#patience.signal);
    // Whoever takes it is told; of one that nobody wants nobody need hear.
    this.#started.catch(() => undefined);
  }

  /**
   * For an engine of this isolation. Undefined where every way to a helper may ask somebody, or where nothing can
   * be begun: then the engine says what is wrong.
   */
  static start(isolation: string, options: HelperOptions): HelperAhead | undefined {
    const known = isolations.find((word) => word === isolation);
    if (known === undefined) return undefined;
    const mode = unaskedMode(known);
    if (mode === undefined) return undefined;
    try {
      return new HelperAhead(new Native(options.productDir), mode, options);
    } catch {
      return undefined;
    }
  }

  /** The helper, once, if it is one of this mode. */
  take(mode: Mode): Promise<StartedHelper> | undefined {
    if (mode !== this.#mode) return undefined;
    const started = this.#started;
    this.#started = undefined;
    return started;
  }

  /** Ends it unless somebody took it, and leaves nothing of it. */
  async close(): Promise<void> {
    const started = this.take(this.#mode);
    if (started === undefined) return;
    this.#patience.abort();
    try {
      this.native.close((await started).link);
    } catch {
      // It did not come as far.
    }
  }
}
