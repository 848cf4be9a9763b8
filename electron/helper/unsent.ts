/**
 * Which connections of an app namespace still hold something that has not arrived in the gateway (proc(5),
 * Documentation/networking/proc_net_tcp.rst). Sockets of programs that have ended are in the kernel's tables like
 * all others, until their last byte and their end of file are acknowledged.
 */
import { readFileSync } from 'node:fs';
import type { UnsentPorts } from '#shared/helper-protocol.ts';
import { parseEndpoint } from './processes.ts';

/** Most ports that are told for one family, so that they fit within a message. */
const maxPorts = 4096;

/**
 * The local ports of the TCP connections, of the namespace that this thread is in, with something unacknowledged.
 * `listeners`: how many TCP sockets listen there that are no app's. Where there are no others, as is usual, the tables
 * are not read: the kernel looks for their lines through all connections of the computer, for milliseconds.
 */
export function unsentPorts(listeners: number): UnsentPorts {
  const inUse = parseInUse(readTable('sockstat') + readTable('sockstat6'));
  if (inUse !== undefined && inUse <= listeners) return { ipv4: [], ipv6: [] };
  const ports = (['tcp', 'tcp6'] as const).flatMap((name) => parseUnsent(readTable(name)));
  const ofFamily = (isIpv6: boolean) =>
    ports
      .filter((entry) => entry.isIpv6 === isIpv6)
      .slice(0, maxPorts)
      .map(({ port }) => port);
  return { ipv4: ofFamily(false), ipv6: ofFamily(true) };
}

/**
 * Parses /proc/net/{tcp,tcp6}: `tx_queue` is what was written, the end of file included, and not acknowledged.
 * An IPv6 socket that is connected over IPv4 counts as IPv4.
 */
export function parseUnsent(text: string): { isIpv6: boolean; port: number }[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const local = parseEndpoint(fields[1]);
    const queued = /^([0-9A-F]{8}):[0-9A-F]{8}$/.exec(fields[4] ?? '')?.[1];
    if (local === undefined || queued === undefined || Number.parseInt(queued, 16) === 0) return [];
    const isIpv6 = local.address.includes(':') && !local.address.startsWith('0:0:0:0:0:ffff:');
    return [{ isIpv6, port: local.port }];
  });
}

/**
 * How many TCP sockets of a namespace connect, are connected or listen, those whose programs have ended among them:
 * `inuse` of /proc/net/{sockstat,sockstat6}. Undefined where a kernel does not say.
 */
export function parseInUse(text: string): number | undefined {
  const counts = [...text.matchAll(/^TCP6?: inuse ([0-9]+)/gm)].map(([, count]) => Number(count));
  return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0);
}

/** There is no table of a family that the kernel does not have. */
function readTable(name: 'tcp' | 'tcp6' | 'sockstat' | 'sockstat6'): string {
  try {
    return readFileSync(`/proc/thread-self/net/${name}`, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
