/** The configuration as the window shows it: with those profiles that are built in, and told whenever it changes. */
import { Emitter } from '#shared/control/emitter.ts';
import type { ConfigView } from '#shared/app-protocol.ts';
import { failureOf } from '#shared/failure.ts';
import { builtInProfiles, builtIns, headOf, type Config } from '#shared/profile.ts';
import { checkConfig } from './config/parse.ts';
import type { ConfigStore } from './config/store.ts';

export class ConfigFeed {
  readonly #store: ConfigStore;
  readonly #emitter = new Emitter<{ config: ConfigView }>();
  #unwatch: (() => void) | undefined;

  constructor(store: ConfigStore) {
    this.#store = store;
  }

  /** As it is now. Never throws: a file that cannot be read is a problem beside the last good one. */
  view(): ConfigView {
    try {
      return viewOf(this.#store.read());
    } catch (error) {
      return { ...viewOf(this.#lastGood()), problem: failureOf(error) };
    }
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
    this.#unwatch?.();
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
