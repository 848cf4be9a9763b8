/** The answers to the calls of shared/history-protocol.ts. */
import { historyCalls } from '#shared/history-protocol.ts';
import { notYet, type CallParts, type RoomHandlers } from './call-parts.ts';

export class HistoryCalls {
  readonly handlers: RoomHandlers<typeof historyCalls>;

  constructor(parts: CallParts) {
    void parts;
    this.handlers = notYet(historyCalls);
  }
}
