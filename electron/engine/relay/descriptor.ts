/** The descriptor below a Node socket: the native relay duplicates it and Node lets go of its own. */
import type { Socket } from 'node:net';
import { CulvertError } from '#shared/failure.ts';

/**
 * Node does not publish it for sockets; `_handle.fd` has been there on Unix in every version that this
 * project supports, and the tests would notice its loss at once. Throws when the socket is closed already.
 */
export function descriptorOf(socket: Socket): number {
  const handle = (socket as { _handle?: { fd?: number } | null })._handle;
  const fd = handle?.fd;
  if (fd === undefined || fd < 0) throw new CulvertError('internal', { step: 'descriptor' });
  return fd;
}
