/**
 * Reads a tcpdump stream of all interfaces (pcap, link type LINUX_SLL2 as of pcap-linktype(7)) into packets.
 * Pure: bytes in, packets out.
 */

export const protocols = [
  'tcp',
  'udp',
  'icmp',
  'icmp6',
  'igmp',
  'mld',
  'neighbour',
  'sctp',
  'udplite',
  'other',
] as const;
export type Protocol = (typeof protocols)[number];

export interface Packet {
  readonly iface: string;
  readonly proto: Protocol;
  /** Textual addresses; empty for what is not IP. */
  readonly source: string;
  readonly destination: string;
  /** 0 where the protocol has none. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Whether this host sent it; on `lo` every packet is seen sent and received. */
  readonly sent: boolean;
  /** The link layer's protocol number (EtherType), the IP protocol number, 0 where it is not IP. */
  readonly etherType: number;
  readonly ipProtocol: number;
  /** The packet from its IP header on, as far as it was captured. */
  readonly bytes: Buffer;
}

const sllBytes = 20;
const slot = 16;

/** Collects bytes and yields whole records; keeps the rest for the next call. */
export class PcapReader {
  #held: Buffer = Buffer.alloc(0);
  #headerDone = false;
  readonly #ifaceOf: (index: number) => string;

  constructor(ifaceOf: (index: number) => string) {
    this.#ifaceOf = ifaceOf;
  }

  read(bytes: Buffer): Packet[] {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    let at = 0;
    if (!this.#headerDone) {
      if (this.#held.length < 24) return [];
      if (this.#held.readUInt32LE(0) !== 0xa1b2c3d4) throw new Error('not a little-endian pcap stream');
      if (this.#held.readUInt32LE(20) !== 276) throw new Error('not of link type LINUX_SLL2');
      this.#headerDone = true;
      at = 24;
    }
    const packets: Packet[] = [];
    while (this.#held.length - at >= slot) {
      const length = this.#held.readUInt32LE(at + 8);
      if (this.#held.length - at < slot + length) break;
      packets.push(this.#parse(this.#held.subarray(at + slot, at + slot + length)));
      at += slot + length;
    }
    this.#held = this.#held.subarray(at);
    return packets;
  }

  #parse(frame: Buffer): Packet {
    const etherType = frame.readUInt16BE(0);
    const iface = this.#ifaceOf(frame.readUInt32BE(4));
    const sent = frame[10] === 4;
    return { iface, sent, etherType, ...parsePacket(etherType, frame.subarray(sllBytes)) };
  }
}

type Network = Omit<Packet, 'iface' | 'sent' | 'etherType'>;

/** One packet without its frame, from its IP header on; `etherType` says which. */
export function parsePacket(etherType: number, bytes: Buffer): Network {
  if (etherType === 0x0800 && bytes.length >= 20) return parseV4(bytes);
  if (etherType === 0x86dd && bytes.length >= 40) return parseV6(bytes);
  const proto = etherType === 0x0806 ? 'neighbour' : 'other';
  return { proto, source: '', destination: '', sourcePort: 0, destinationPort: 0, ipProtocol: 0, bytes };
}

function parseV4(bytes: Buffer): Network {
  const dotted = (at: number): string => [...bytes.subarray(at, at + 4)].join('.');
  const isFirstFragment = (bytes.readUInt16BE(6) & 0x1fff) === 0;
  const headerBytes = ((bytes[0] ?? 0) & 15) * 4;
  const payload = isFirstFragment ? bytes.subarray(headerBytes) : Buffer.alloc(0);
  return { source: dotted(12), destination: dotted(16), bytes, ...parseTransport(bytes[9] ?? 0, payload) };
}

function parseV6(bytes: Buffer): Network {
  let next = bytes[6] ?? 0;
  let at = 40;
  // Hop-by-hop, routing and destination options: type of the next header, length in units of 8 beyond the first.
  while ((next === 0 || next === 43 || next === 60) && at + 2 <= bytes.length) {
    next = bytes[at] ?? 0;
    at += ((bytes[at + 1] ?? 0) + 1) * 8;
  }
  const addresses = { source: textV6(bytes.subarray(8, 24)), destination: textV6(bytes.subarray(24, 40)) };
  return { ...addresses, bytes, ...parseTransport(next, bytes.subarray(at)) };
}

function parseTransport(ipProtocol: number, payload: Buffer) {
  const proto = nameOf(ipProtocol, payload[0] ?? 0);
  const hasPorts = ['tcp', 'udp', 'udplite', 'sctp'].includes(proto) && payload.length >= 4;
  const sourcePort = hasPorts ? payload.readUInt16BE(0) : 0;
  const destinationPort = hasPorts ? payload.readUInt16BE(2) : 0;
  return { proto, ipProtocol, sourcePort, destinationPort };
}

function nameOf(ipProtocol: number, type: number): Protocol {
  const named: Record<number, Protocol> = {
    1: 'icmp',
    2: 'igmp',
    6: 'tcp',
    17: 'udp',
    132: 'sctp',
    136: 'udplite',
  };
  if (ipProtocol !== 58) return named[ipProtocol] ?? 'other';
  // RFC 4861 (133 to 137) and multicast listeners, RFC 2710 and RFC 3810 (130 to 132, 143).
  if (type >= 133 && type <= 137) return 'neighbour';
  return (type >= 130 && type <= 132) || type === 143 ? 'mld' : 'icmp6';
}

/** RFC 5952: lower case, the longest run of zero groups as "::". */
export function textV6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  const text = groups.join(':');
  const runs = [...text.matchAll(/(?<![0-9a-f])0(?::0)+(?![0-9a-f])/g)];
  const longest = runs.reduce((best, run) => (run[0].length > (best?.[0].length ?? 0) ? run : best), runs[0]);
  if (longest === undefined) return text;
  const [before, after] = [text.slice(0, longest.index), text.slice(longest.index + longest[0].length)];
  return `${before.replace(/:$/, '')}::${after.replace(/^:/, '')}`;
}
