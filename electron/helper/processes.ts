/**
 * Who is inside an app namespace, and which sockets are theirs, read from /proc (proc(5)).
 *
 * Does: compare the inode of /proc/PID/ns/net. Must not: follow a path that a process chose.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { ProcessEntry, SocketEntry } from '#shared/helper-protocol.ts';

/** Longest command line that is told, in characters. */
const maxCommand = 200;
/** Most processes and sockets that one answer can hold within a message. */
const maxEntries = 150;

/** Ids of all processes whose network namespace has this inode. */
export function processesInside(inode: number): number[] {
  const link = `net:[${inode}]`;
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .filter((pid) => readOr(() => readlinkSync(`/proc/${pid}/ns/net`)) === link)
    .map(Number);
}

/** What the processes are called, as far as they are still there. */
export function describeProcesses(pids: readonly number[]): ProcessEntry[] {
  return pids
    .map(describeProcess)
    .filter((entry) => entry !== undefined)
    .slice(0, maxEntries);
}

function describeProcess(pid: number): ProcessEntry | undefined {
  const stat = readOr(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  const match = stat === undefined ? null : /^[0-9]+ \((.*)\) \S ([0-9]+) /s.exec(stat);
  if (match === null) return undefined;
  const command = (readOr(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '')
    .replaceAll('\0', ' ')
    .trim()
    .slice(0, maxCommand);
  return { pid, parent: Number(match[2]), name: match[1] ?? '', command };
}

/**
 * The TCP and UDP sockets of the namespace that this thread is in, with the process that holds each.
 * `inode` is that namespace's, to find its processes.
 */
export function describeSockets(inode: number): SocketEntry[] {
  const tables = (['tcp', 'tcp6', 'udp', 'udp6'] as const).flatMap((name) =>
    parseSocketTable(name, readOr(() => readFileSync(`/proc/thread-self/net/${name}`, 'utf8')) ?? ''),
  );
  const holders = socketHolders(inode);
  return tables.slice(0, maxEntries).map(({ socketInode, ...entry }) => {
    const holder = holders.get(socketInode);
    return holder === undefined ? entry : { ...entry, ...holder };
  });
}

type TableEntry = Omit<SocketEntry, 'pid' | 'name'> & { socketInode: string };

/** Parses /proc/net/{tcp,tcp6,udp,udp6}; unconnected and listening sockets are left in. */
export function parseSocketTable(name: 'tcp' | 'tcp6' | 'udp' | 'udp6', text: string): TableEntry[] {
  const proto = name.startsWith('tcp') ? 'tcp' : 'udp';
  return text.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [local, remote, socketInode] = [parseEndpoint(fields[1]), parseEndpoint(fields[2]), fields[9]];
    if (local === undefined || remote === undefined || socketInode === undefined) return [];
    return [
      {
        proto,
        localAddress: local.address,
        localPort: local.port,
        remoteAddress: remote.address,
        remotePort: remote.port,
        socketInode,
      } as const,
    ];
  });
}

/** An address and a port as the tables of /proc/net have them. */
export function parseEndpoint(field: string | undefined): { address: string; port: number } | undefined {
  const match = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(field ?? '');
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  // Each group of eight digits is one 32-bit word in the byte order of the machine.
  const bytes = (match[1].match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, 'hex')].reverse());
  const address =
    bytes.length === 4
      ? bytes.join('.')
      : Array.from({ length: 8 }, (_, index) =>
          ((bytes[index * 2] ?? 0) * 256 + (bytes[index * 2 + 1] ?? 0)).toString(16),
        ).join(':');
  return { address, port: Number.parseInt(match[2], 16) };
}

function socketHolders(inode: number): Map<string, { pid: number; name: string }> {
  const holders = new Map<string, { pid: number; name: string }>();
  for (const entry of processesInside(inode).map(describeProcess)) {
    if (entry === undefined) continue;
    for (const fd of readOr(() => readdirSync(`/proc/${entry.pid}/fd`)) ?? []) {
      const target = readOr(() => readlinkSync(`/proc/${entry.pid}/fd/${fd}`)) ?? '';
      const socketInode = /^socket:\[([0-9]+)\]$/.exec(target)?.[1];
      if (socketInode !== undefined) holders.set(socketInode, { pid: entry.pid, name: entry.name });
    }
  }
  return holders;
}

/** Processes end while they are looked at; what cannot be read any more is left out. */
function readOr<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
