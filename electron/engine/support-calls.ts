/** The answers to the calls of shared/support-protocol.ts. */
import { supportCalls } from '#shared/support-protocol.ts';
import { notYet, type CallParts, type RoomHandlers } from './call-parts.ts';

export class SupportCalls {
  readonly handlers: RoomHandlers<typeof supportCalls>;

  constructor(parts: CallParts) {
    void parts;
    this.handlers = notYet(supportCalls);
  }
}
