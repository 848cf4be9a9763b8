/** The answers to the calls of shared/rule-protocol.ts. */
import { ruleCalls } from '#shared/rule-protocol.ts';
import { notYet, type CallParts, type RoomHandlers } from './call-parts.ts';

export class RuleCalls {
  readonly handlers: RoomHandlers<typeof ruleCalls>;

  constructor(parts: CallParts) {
    void parts;
    this.handlers = notYet(ruleCalls);
  }
}
