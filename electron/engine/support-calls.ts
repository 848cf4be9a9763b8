/** The answers to the calls of shared/support-protocol.ts. */
import { supportCalls } from '#shared/support-protocol.ts';
import { notYet, type CallParts, type RoomHandlers } from './call-parts.ts';
import { allowIsolation, lookAtIsolation } from './isolation.ts';

export class SupportCalls {
  readonly handlers: RoomHandlers<typeof supportCalls>;

  constructor({ engine, secrets }: CallParts) {
    const prove = (mayAsk: boolean) => engine.proveIsolation(mayAsk);
    this.handlers = {
      ...notYet(supportCalls),
      'isolation.look': () => lookAtIsolation(prove),
      'isolation.allow': () => allowIsolation(prove),
      'secrets.place': async () => {
        const kept = await secrets();
        const place = await kept.probe();
        return { place, ...(kept.notice === undefined ? {} : { notice: kept.notice }) };
      },
    };
  }
}
