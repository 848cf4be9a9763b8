/**
 * The settings of a lane's two namespaces below /proc/sys/net (ip-sysctl of the kernel's documentation): closed against
 * forwarding and advertisements, and as a link inside of one kernel is best.
 *
 * Must not: be written while the thread is in the host's namespace; namespace.ts enters the lane's before.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { CulvertError } from '#shared/failure.ts';

/** Names below /proc/sys/net with their values. */
export type Sysctls = readonly (readonly [string, string])[];

/**
 * The link is inside of one kernel and loses nothing. A congestion control that paces what it sends, as a host may
 * have it (bbr), only costs a timer for each of its packets there: a third of the throughput. Every kernel has reno.
 */
const unpaced = ['ipv4/tcp_congestion_control', 'reno'] as const;

/**
 * How much a sending socket may hold at most: bytes. What the kernel allows by itself (4 MiB) is little for many
 * fast flows towards the app, which then go to sleep and wake for small amounts: a quarter of the throughput. A
 * buffer grows to it only as far as the app reads that fast (tcp(7), tcp_wmem).
 */
const sendBufferMost = 16 * 1024 * 1024;

/** What the namespace has, with that maximum: least, usual and most, as tcp(7) has them. */
function sendBuffers(): readonly [string, string] {
  const name = 'ipv4/tcp_wmem';
  const [least = '', usual = '', most = ''] = tried(name, read).split(/\s+/);
  return [name, [least, usual, Math.max(Number(most), sendBufferMost)].join('\t')];
}

export function gatewaySysctls(device: string, hasIpv6: boolean): Sysctls {
  return [
    ...(device === 'all'
      ? ([['ipv4/ip_forward', '0'], unpaced, sendBuffers(), ...unlimitedRefusals(hasIpv6)] as const)
      : []),
    [`ipv4/conf/${device}/rp_filter`, '0'],
    [`ipv4/conf/${device}/arp_ignore`, '2'],
    [`ipv4/conf/${device}/send_redirects`, '0'],
    ...neitherRouterNorListener(device, hasIpv6),
  ];
}

/**
 * Which ICMP messages are limited in number: none of those that refuse. By default the seventh refusal in a row
 * is not sent, nor the next for a second, and the app would wait where it should be told at once (S3; kernel
 * documentation, ip-sysctl, "icmp_ratemask" and "icmp/ratemask"; 0 is echo reply in IPv4 and unused in IPv6).
 */
function unlimitedRefusals(hasIpv6: boolean): Sysctls {
  return [['ipv4/icmp_ratemask', '0'], ...(hasIpv6 ? ([['ipv6/icmp/ratemask', '0']] as const) : [])];
}

export function appSysctls(hasIpv6: boolean): Sysctls {
  const devices = ['all', 'default', 'app0'];
  return [
    ['ipv4/ip_forward', '0'],
    unpaced,
    ...devices.flatMap((device) => neitherRouterNorListener(device, hasIpv6)),
  ];
}

/** A device that forwards nothing and believes no advertisement or redirect. */
function neitherRouterNorListener(device: string, hasIpv6: boolean): Sysctls {
  return [
    [`ipv4/conf/${device}/forwarding`, '0'],
    [`ipv4/conf/${device}/accept_redirects`, '0'],
    ...(hasIpv6
      ? ([
          [`ipv6/conf/${device}/disable_ipv6`, '0'],
          [`ipv6/conf/${device}/forwarding`, '0'],
          [`ipv6/conf/${device}/accept_ra`, '0'],
          [`ipv6/conf/${device}/accept_redirects`, '0'],
        ] as const)
      : []),
  ];
}

/** Writes below /proc/sys/net of this thread's namespace and reads back (S2). */
export function writeSysctls(sysctls: Sysctls): void {
  for (const [name, value] of sysctls) {
    const kept = tried(name, (path) => {
      writeFileSync(path, value);
      return read(path);
    });
    if (kept !== value)
      throw new CulvertError('sysctl-failed', { detail: `${name} is ${kept}, not ${value}` });
  }
}

function read(path: string): string {
  return readFileSync(path, 'utf8').trim();
}

/** What `access` makes of a setting's file; its failure is told with the setting's name. */
function tried(name: string, access: (path: string) => string): string {
  try {
    return access(`/proc/sys/net/${name}`);
  } catch (error) {
    throw new CulvertError('sysctl-failed', { detail: `${name}: ${String(error)}`, cause: error });
  }
}
