/** The answers to the calls of shared/profile-protocol.ts. */
import { profileCalls } from '#shared/profile-protocol.ts';
import { notYet, type CallParts, type RoomHandlers } from './call-parts.ts';

export class ProfileCalls {
  readonly handlers: RoomHandlers<typeof profileCalls>;

  constructor(parts: CallParts) {
    void parts;
    this.handlers = notYet(profileCalls);
  }
}
