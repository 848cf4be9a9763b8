/**
 * A datagram that a web server of today answers without knowing whom to: a QUIC packet of a version that nobody has,
 * to be answered by the list of those that it has (RFC 8999 §6, RFC 9000 §6.1 and §14.1).
 */
import { randomBytes } from 'node:crypto';

/** Reserved to be unknown (RFC 9000 §15). */
const unknownVersion = 0x1a2a3a4a;
const wholeBytes = 1200;
const idBytes = 8;

/** One to send; no two are alike. */
export function versionQuestion(): Buffer {
  const packet = Buffer.alloc(wholeBytes);
  packet.writeUInt8(0xc0, 0);
  packet.writeUInt32BE(unknownVersion, 1);
  packet.writeUInt8(idBytes, 5);
  randomBytes(idBytes).copy(packet, 6);
  packet.writeUInt8(idBytes, 6 + idBytes);
  randomBytes(idBytes).copy(packet, 7 + idBytes);
  return packet;
}
