/**
 * What the matrix sends: one row a protocol, each to destinations of several classes. Data only. Every probe is
 * sent on a lane and, as the positive control, outside of one; where the two have other names for the same thing
 * (a link, its broadcast address), `place` says which is meant.
 */
import { host, internet, ports } from '../world/addresses.ts';

/** Where a probe is sent from: it names links and broadcast addresses as they are called there. */
export type ProbePlace = 'lane' | 'host';

export interface Probe {
  /** A kind of test/world/probe.c. */
  readonly kind: string;
  readonly address: string;
  readonly port: number;
  /** `loopback`: the sender's own, where a lane may well answer itself. */
  readonly reach: 'public' | 'private' | 'link-local' | 'own' | 'loopback' | 'group' | 'none';
}

export const rows = [
  'TCP',
  'TCP over IPv6',
  'UDP',
  'UDP over IPv6',
  'DNS over UDP',
  'DNS over TCP',
  'ICMP',
  'ICMPv6',
  'multicast',
  'mDNS and LLMNR',
  'SSDP and broadcast',
  'raw IP',
  'packet sockets',
  'SCTP',
  'UDP-Lite',
  'vsock',
] as const;
export type Row = (typeof rows)[number];

type Target = readonly [reach: Probe['reach'], address: string];

const targets4: readonly Target[] = [
  ['public', internet.web4],
  ['private', '10.1.2.3'],
  ['private', internet.lan4],
  ['link-local', '169.254.1.2'],
  ['own', host.v4],
  ['own', host.lan4],
  ['loopback', '127.0.0.1'],
];

function targets6(link: string): readonly Target[] {
  return [
    ['public', internet.web6],
    ['private', 'fd00:1:2::3'],
    ['link-local', `${internet.linkLocal6}%${link}`],
    ['own', host.v6],
    ['loopback', '::1'],
  ];
}

/** Resolvers as programs have them hard-coded or from a resolv.conf, and some that only happen to be asked. */
function resolvers(link: string): readonly Target[] {
  return [
    ['public', '8.8.8.8'],
    ['public', '2001:4860:4860::8888'],
    ['private', '10.1.2.3'],
    ['link-local', '169.254.1.2'],
    ['link-local', `${internet.linkLocal6}%${link}`],
    ['own', host.v4],
    ['own', host.v6],
    ['loopback', '127.0.0.1'],
    ['loopback', '127.0.0.53'],
    ['loopback', '::1'],
  ];
}

/** For what is tried again from the lane's link, where there is no loopback. */
const notLoopback = ([reach]: Target): boolean => reach !== 'loopback';

/** Every probe of every row, as it is sent from `place`. */
export function probesOf(place: ProbePlace): Record<Row, readonly Probe[]> {
  const link = place === 'lane' ? 'app0' : 'eth0';
  const all6 = targets6(link);
  const away = [...targets4.filter(notLoopback), ...all6.filter(notLoopback)];
  const to = (kind: string, port: number, targets: readonly Target[]): Probe[] =>
    targets.map(([reach, address]) => ({ kind, address, port, reach }));
  const groups = (port: number, ...addresses: string[]): Probe[] =>
    addresses.map((address) => ({ kind: 'udp', address, port, reach: 'group' }));
  return {
    TCP: to('talk', ports.echo, targets4),
    'TCP over IPv6': to('talk', ports.echo, all6),
    UDP: to('udp', ports.echo, targets4),
    'UDP over IPv6': to('udp', ports.echo, all6),
    'DNS over UDP': to('dns', ports.dns, resolvers(link)),
    'DNS over TCP': to('dns-tcp', ports.dns, resolvers(link)),
    ICMP: to('icmp', 0, targets4),
    ICMPv6: to('icmp', 0, all6),
    multicast: groups(
      5000,
      ...['224.0.0.1', '239.1.2.3', '232.1.1.1'],
      ...['ff02::1', 'ff05::2', 'ff0e::101'].map((group) => `${group}%${link}`),
    ),
    'mDNS and LLMNR': [
      ...groups(5353, '224.0.0.251', `ff02::fb%${link}`),
      ...groups(5355, '224.0.0.252', `ff02::1:3%${link}`),
    ],
    'SSDP and broadcast': [
      ...groups(1900, '239.255.255.250', `ff02::c%${link}`, '255.255.255.255'),
      ...groups(1900, place === 'lane' ? '192.0.0.3' : '192.0.2.255'),
    ],
    'raw IP': to('raw', 0, away),
    'packet sockets': to('packet', 0, away),
    SCTP: to('sctp', 0, away),
    'UDP-Lite': to('udplite', ports.echo, away),
    vsock: ['vsock', 'vsock-seq', 'vsock-dgram'].flatMap((kind) => to(kind, 9999, [['none', 'own']])),
  };
}

/** The line that probe.c is asked with. */
export function lineOf({ kind, address, port }: Probe, timeoutMs: number): string {
  return `${kind} ${address} ${port} ${timeoutMs}`;
}
