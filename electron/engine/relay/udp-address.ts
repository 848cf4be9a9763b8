/**
 * Addresses as the native UDP relay writes them (`cv_addr` in native/culvert.h): 16 bytes of IPv6, IPv4 as
 * ::ffff:a.b.c.d, 2 bytes of port in network order, 2 zero bytes; and as SOCKS5 writes them (RFC 1928 §5).
 */
import ipaddr from 'ipaddr.js';
import { readIp } from '../native-events.ts';
import type { Destination } from '../upstream/destination.ts';

const addressBytes = 20;

export interface Endpoint {
  /** Textual, IPv4 where it is one. */
  readonly address: string;
  readonly port: number;
}

export function readAddress(bytes: Buffer): Endpoint {
  return { address: readIp(bytes, 0), port: bytes.readUInt16BE(16) };
}

export function writeAddress({ address, port }: Endpoint): Buffer {
  const parsed = ipaddr.parse(address);
  const v6 =
    parsed.kind() === 'ipv4' ? (parsed as ipaddr.IPv4).toIPv4MappedAddress() : (parsed as ipaddr.IPv6);
  const bytes = Buffer.alloc(addressBytes);
  Buffer.from(v6.toByteArray()).copy(bytes);
  bytes.writeUInt16BE(port, 16);
  return bytes;
}

/** ATYP, address and port, as they stand in a SOCKS5 request or UDP header. */
export function socksAddress({ host, port, kind }: Destination): Buffer {
  if (kind === 'name') {
    const length = Buffer.byteLength(host);
    const bytes = Buffer.allocUnsafe(length + 4);
    bytes[0] = 3;
    bytes[1] = length;
    bytes.write(host, 2);
    bytes.writeUInt16BE(port, length + 2);
    return bytes;
  }
  // The library parses IPv4 a dozen times slower, and most destinations are.
  const address = kind === 'ipv4' ? host.split('.').map(Number) : ipaddr.parse(host).toByteArray();
  return Buffer.of(kind === 'ipv4' ? 1 : 4, ...address, port >> 8, port & 0xff);
}
