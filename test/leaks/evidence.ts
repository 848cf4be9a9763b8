/**
 * What a captured packet proves: whether a probe made it, and whether it is part of what a lane may send, the
 * connection to its proxy. Pure.
 */
import type { Packet } from '../world/packets.ts';
import { parsePacket } from '../world/packets.ts';
import type { Probe } from './probes.ts';

/** What the IP header of a probe's packet says; absent for what is not IP. */
const protocolOf: Record<string, (isV6: boolean) => number> = {
  talk: () => 6,
  'dns-tcp': () => 6,
  udp: () => 17,
  dns: () => 17,
  icmp: (isV6) => (isV6 ? 58 : 1),
  raw: () => 253,
  packet: () => 253,
  sctp: () => 132,
  udplite: () => 136,
};

/** Whether the packet is the one that the probe sends when nothing holds it back. */
export function isOf(probe: Probe, packet: Packet): boolean {
  const address = probe.address.replace(/%.*/, '');
  const hasPorts = packet.destinationPort !== 0 && probe.port !== 0;
  return (
    packet.destination === address &&
    packet.ipProtocol === protocolOf[probe.kind]?.(address.includes(':')) &&
    (!hasPorts || packet.destinationPort === probe.port)
  );
}

/** The proxy of a lane, and whether it carries UDP for it. */
export interface Carrier {
  readonly address: string;
  readonly port: number;
  readonly carriesUdp: boolean;
}

/**
 * Whether a packet belongs to what a lane may send: TCP with the proxy's port; where the proxy carries UDP,
 * datagrams with the proxy that begin as SOCKS5 wants it (RFC 1928 section 7); and errors that quote these,
 * which a proxy may send from another of its addresses.
 */
export function isCarried(packet: Packet, { address, port, carriesUdp }: Carrier): boolean {
  const isFrom = packet.source === address;
  const isTo = packet.destination === address;
  if (packet.proto === 'tcp')
    return (isFrom && packet.sourcePort === port) || (isTo && packet.destinationPort === port);
  if (!carriesUdp) return false;
  const headerBytes = ((packet.bytes[0] ?? 0) & 15) * 4;
  const payload = packet.bytes.subarray(headerBytes + 8);
  if (packet.proto === 'udp') return (isFrom || isTo) && hasSocksHeader(payload);
  const unreachable = 3;
  if (packet.proto !== 'icmp' || packet.bytes[headerBytes] !== unreachable) return false;
  const quoted = parsePacket(0x0800, payload);
  return quoted.proto === 'udp' && [quoted.source, quoted.destination].includes(address);
}

/** RSV 0, no fragment, and one of the three kinds of address. */
function hasSocksHeader(payload: Buffer): boolean {
  return payload.length >= 10 && payload.readUIntBE(0, 3) === 0 && [1, 3, 4].includes(payload[3] ?? 0);
}
