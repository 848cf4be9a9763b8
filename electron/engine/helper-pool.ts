/**
 * The helpers of an engine: one that works in a user namespace and one that works as root, each started when the
 * first lane wants it and kept until the engine ends.
 *
 * Does: choose by the isolation that a lane is to have; start each once, however many wait for it; prove one by making
 * a network and taking it away. Must not: start the one that asks for a password where a lane can do without.
 */
import { CulvertError, failureOf, type Failure } from '#shared/failure.ts';
import type { Mode } from '#shared/helper-protocol.ts';
import type { HelperView, Isolation } from '#shared/model.ts';
import { inEnglish } from '#shared/phrase.ts';
import { version } from '#shared/version.ts';
import { leadsOn, modesFor, startHelper } from './elevate.ts';
import { HelperLink } from './helper-link.ts';
import type { EngineOptions, HelperInfo } from './lane-spec.ts';
import type { Native } from './native.ts';

export interface ReadyHelper {
  readonly link: HelperLink;
  readonly info: HelperInfo;
}

export interface HelpersEvents {
  /** One is another than it was. */
  readonly onChange: () => void;
  /** None could be started for somebody who asked. */
  readonly onFailure: (failure: Failure) => void;
}

export class Helpers {
  readonly #native: Native;
  readonly #options: EngineOptions;
  readonly #events: HelpersEvents;
  readonly #helpers = new Map<Mode, Promise<ReadyHelper>>();
  readonly #views = new Map<Mode, HelperView>();
  readonly #patience = new AbortController();

  constructor(native: Native, options: EngineOptions, events: HelpersEvents) {
    this.#native = native;
    this.#options = options;
    this.#events = events;
  }

  /** Those that start, work or were lost. */
  get views(): HelperView[] {
    return [...this.#views.values()].map((view) => ({ ...view }));
  }

  /** The helper for this isolation, by default the engine's. Throws a CulvertError that says why there is none. */
  async ready(isolation: Isolation = this.#options.isolation): Promise<ReadyHelper> {
    let refusal: unknown;
    for (const mode of modesFor(isolation, this.#options)) {
      try {
        return await this.#of(mode);
      } catch (error) {
        refusal = error;
        if (!leadsOn(error)) break;
      }
    }
    this.#events.onFailure(failureOf(refusal));
    throw refusal;
  }

  /**
   * Makes a network and takes it away, by a helper that needs no password; with `mayAsk` by one that does where there
   * is no other way. Throws why it cannot be done: with the first reason unless it asked.
   */
  async prove(mayAsk: boolean): Promise<HelperInfo> {
    const unasked = process.geteuid?.() === 0 ? 'privileged' : 'rootless';
    try {
      return await this.#proof(await this.#of(unasked));
    } catch (error) {
      const granted = this.#helpers.get('privileged');
      if (unasked === 'privileged' || !leadsOn(error)) throw error;
      if (granted === undefined && !mayAsk) throw error;
      return this.#proof(await (granted ?? this.#of('privileged')));
    }
  }

  /** Lets go of all: they tear down what is left and end. */
  async close(): Promise<void> {
    this.#patience.abort();
    await this.#options.ahead?.close();
    for (const helper of this.#helpers.values()) (await helper.catch(() => undefined))?.link.close();
  }

  async #proof({ link, info }: ReadyHelper): Promise<HelperInfo> {
    const { value, descriptors } = await link.call('lane.create', {});
    for (const fd of descriptors) this.#native.close(fd);
    await link.call('lane.destroy', { lane: value.lane });
    return info;
  }

  #of(mode: Mode): Promise<ReadyHelper> {
    const known = this.#helpers.get(mode);
    if (known !== undefined) return known;
    const helper = this.#start(mode).catch((error: unknown) => {
      this.#helpers.delete(mode);
      this.#changed(mode, undefined);
      throw error;
    });
    this.#helpers.set(mode, helper);
    return helper;
  }

  async #start(mode: Mode): Promise<ReadyHelper> {
    this.#changed(mode, { state: 'starting', mode });
    const begun = this.#options.ahead?.take(mode);
    const started = await (begun ?? startHelper(this.#native, mode, this.#options, this.#patience.signal));
    const { why } = started;
    const link = new HelperLink(this.#native, started, () => {
      this.#helpers.delete(mode);
      this.#changed(mode, { state: 'lost', mode });
    });
    try {
      const { value } = await link.call('hello', { version });
      if (value.version !== version) {
        throw new CulvertError('version-mismatch', { detail: `${version} and ${value.version}` });
      }
      this.#changed(mode, { state: 'ready', mode, why: inEnglish(why), whyPhrase: why });
      return { link, info: { mode, why, session: value.session } };
    } catch (error) {
      link.close();
      throw error;
    }
  }

  #changed(mode: Mode, view: HelperView | undefined): void {
    if (view === undefined) this.#views.delete(mode);
    else this.#views.set(mode, view);
    this.#events.onChange();
  }
}
