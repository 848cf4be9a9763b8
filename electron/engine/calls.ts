/**
 * The answers to the calls about apps, profiles, rules, history and support, of which each has its own file and its
 * table of calls in shared/. They are loaded with the first of them: an engine of `culvert run`, which has to start
 * fast, is asked for none.
 */
import type { ConfigView, NoticeEvent } from '#shared/app-protocol.ts';
import { Emitter } from '#shared/control/emitter.ts';
import type { EngineCall } from '#shared/engine-protocol.ts';
import type { CallParts, Tell } from './call-parts.ts';
import type { CallRooms } from './call-rooms.ts';

export class Calls {
  readonly #parts: CallParts;
  readonly #emitter = new Emitter<{ notice: NoticeEvent }>();
  #rooms: Promise<CallRooms> | undefined;

  constructor(parts: CallParts) {
    this.#parts = parts;
  }

  /** Answers a call whose parameters fit its table; `ended` is of who asks. Rejects with its failure. */
  async answer(name: EngineCall, params: unknown, tell: Tell, ended: AbortSignal): Promise<unknown> {
    return (await this.#load()).answer(name, params, tell, ended);
  }

  onNotice(listener: (notice: NoticeEvent) => void): () => void {
    return this.#emitter.on('notice', listener);
  }

  /** Tells the configuration whenever it has changed, and answers what it is now. */
  async watchConfig(
    listener: (view: ConfigView) => void,
  ): Promise<{ readonly now: ConfigView; readonly stop: () => void }> {
    const { apps } = await this.#load();
    return { now: apps.configView(), stop: apps.watchConfig(listener) };
  }

  async close(): Promise<void> {
    (await this.#rooms)?.close();
  }

  #load(): Promise<CallRooms> {
    this.#rooms ??= import('./call-rooms.ts').then((loaded) => {
      const rooms = new loaded.CallRooms(this.#parts);
      rooms.apps.onNotice((notice) => {
        this.#emitter.emit('notice', notice);
      });
      return rooms;
    });
    return this.#rooms;
  }
}
