/** All rooms of calls together; each makes what it needs with its first call. */
import type { EngineCall } from '#shared/engine-protocol.ts';
import { CulvertError } from '#shared/failure.ts';
import { AppCalls } from './app-calls.ts';
import type { CallParts, Tell } from './call-parts.ts';
import { HistoryCalls } from './history-calls.ts';
import { ProfileCalls } from './profile-calls.ts';
import { RuleCalls } from './rule-calls.ts';
import { SupportCalls } from './support-calls.ts';

export class CallRooms {
  readonly apps: AppCalls;
  readonly #profiles: ProfileCalls;
  readonly #handlers: Readonly<
    Partial<Record<EngineCall, (params: never, tell: Tell, ended: AbortSignal) => unknown>>
  >;

  constructor(parts: CallParts) {
    this.apps = new AppCalls(parts);
    this.#profiles = new ProfileCalls(parts);
    this.#handlers = {
      ...this.apps.handlers,
      ...this.#profiles.handlers,
      ...new RuleCalls(parts).handlers,
      ...new HistoryCalls(parts).handlers,
      ...new SupportCalls(parts).handlers,
    };
  }

  /** Answers a call whose parameters fit its table; `ended` is of who asks. Throws its failure. */
  answer(name: EngineCall, params: unknown, tell: Tell, ended: AbortSignal): unknown {
    const handler = this.#handlers[name] as
      ((params: unknown, tell: Tell, ended: AbortSignal) => unknown) | undefined;
    if (handler === undefined) throw new CulvertError('bad-message', { step: name });
    return handler(params, tell, ended);
  }

  close(): void {
    this.apps.close();
    this.#profiles.close();
  }
}
