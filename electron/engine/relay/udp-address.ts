/**
 * Addresses as the native UDP relay writes them (`cv_addr` in native/culvert.h): 16 bytes of IPv6, IPv4 as
 * ::ffff:a.b.c.d, 2 bytes of port in network order, 2 zero bytes; and as SOCKS5 writes them (RFC 1928 §5).
 */
import ipaddr from 'ipaddr.js';
import { readIp } from '../native-events.ts';
import type { Destination } from '../upstream/destination.ts';

export const addressBytes = 20;

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
  const end = Buffer.alloc(2);
  end.writeUInt16BE(port);
  if (kind === 'name')
    return Buffer.concat([Buffer.from([3, Buffer.byteLength(host)]), Buffer.from(host), end]);
  return Buffer.concat([
    Buffer.from([kind === 'ipv4' ? 1 : 4]),
    Buffer.from(ipaddr.parse(host).toByteArray()),
    end,
  ]);
}
