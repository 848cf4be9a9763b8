/** The configuration as the window shows it: with those profiles that are built in, and told whenever it changes. */
import { isDeepStrictEqual } from 'node:util';
import { Emitter } from '#shared/control/emitter.ts';
import type { ConfigView } from '#shared/app-protocol.ts';
import { failureOf } from '#shared/failure.ts';
import { builtInProfiles, builtIns, headOf, type Config } from '#shared/profile.ts';
import { checkConfig } from './config/parse.ts';
import type { ConfigStore } from './config/store.ts';

/** Milliseconds after which the watch has told of a change, if it is going to. */
const settledMs = 1500;

export class ConfigFeed {
  readonly #store: ConfigStore;
  readonly #emitter = new Emitter<{ config: ConfigView }>();
  #unwatch: (() => void) | undefined;
  #lookAgain: NodeJS.Timeout | undefined;

  constructor(store: ConfigStore) {
    this.#store = store;
  }

  /** As it is now. Never throws: a file that cannot be read is a problem beside the last good one. */
  view(): ConfigView {
    const seen = this.#read();
    // The watch tells what differs from what it told before. What is seen here may come and go between its looks,
    // and whoever has seen it would never hear that it is gone.
    if (this.#unwatch !== undefined) {
      clearTimeout(this.#lookAgain);
      this.#lookAgain = setTimeout(() => {
        const now = this.#read();
        if (!isDeepStrictEqual(now, seen)) this.#emitter.emit('config', now);
      }, settledMs).unref();
    }
    return seen;
  }

  /** Tells every change until the answer is called. */
  watch(listener: (view: ConfigView) => void): () => void {
    const tell = (): void => {
      this.#emitter.emit('config', this.view());
    };
    this.#unwatch ??= this.#store.watch(tell, tell);
    return this.#emitter.on('config', listener);
  }

  close(): void {
    clearTimeout(this.#lookAgain);
    this.#unwatch?.();
  }

  #read(): ConfigView {
    try {
      return viewOf(this.#store.read());
    } catch (error) {
      return { ...viewOf(this.#lastGood()), problem: failureOf(error) };
    }
  }

  #lastGood(): Config {
    try {
      return this.#store.readLastGood() ?? checkConfig({ version: 1 });
    } catch {
      // That one is broken, too: there is nothing to go by.
      return checkConfig({ version: 1 });
    }
  }
}

function viewOf(config: Config): ConfigView {
  const builtIn = builtInProfiles.map((id) => builtIns[id]);
  return { config, profiles: [...config.profiles, ...builtIn].map(headOf) };
}
