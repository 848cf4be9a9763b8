/**
 * What `culvert demo` looks at on the host, to say truly whether something changed: routes, rules, addresses,
 * interfaces, firewall (readable for root only), resolv.conf, mounts, named namespaces; and the sockets of
 * this process. Reads only.
 */
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { promisify } from 'node:util';
import { parseInterfaces } from './demo-probe.ts';

const run = promisify(execFile);

/** Each thing that is compared, as text that stays the same while nothing changes. */
export type HostState = Readonly<Record<string, string | undefined>>;

/** Undefined for what may not be read here (the firewall, for an ordinary user). */
export async function readHost(): Promise<HostState> {
  const [addresses, routes4, routes6, rules4, rules6, firewall] = await Promise.all([
    output('ip', ['-o', 'address']),
    output('ip', ['-4', 'route', 'show', 'table', 'all']),
    output('ip', ['-6', 'route', 'show', 'table', 'all']),
    output('ip', ['-4', 'rule']),
    output('ip', ['-6', 'rule']),
    output('nft', ['--stateless', 'list', 'ruleset']),
  ]);
  return {
    addresses: withoutTimes(addresses),
    routes: withoutTimes(both(routes4, routes6)),
    rules: both(rules4, rules6),
    interfaces: read('/proc/net/dev', (text) =>
      parseInterfaces(text)
        .map(({ name }) => name)
        .join(' '),
    ),
    firewall,
    'resolv.conf': read('/etc/resolv.conf'),
    mounts: read('/proc/self/mountinfo'),
    'named namespaces': names('/run/netns'),
  };
}

/** Names of what differs between the states, and of what could be compared. */
export function compareHosts(states: readonly HostState[]): {
  changed: string[];
  compared: string[];
  unread: string[];
} {
  const [first = {}, ...rest] = states;
  const things = Object.keys(first);
  const unread = things.filter((thing) => states.some((state) => state[thing] === undefined));
  const compared = things.filter((thing) => !unread.includes(thing));
  const changed = compared.filter((thing) => rest.some((state) => state[thing] !== first[thing]));
  return { changed, compared, unread };
}

async function output(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const path = `/usr/local/sbin:/usr/sbin:/sbin:${process.env['PATH'] ?? '/usr/bin:/bin'}`;
    return (await run(program, args, { env: { PATH: path, LC_ALL: 'C' } })).stdout;
  } catch {
    // Not installed or not allowed: then it is reported as not compared.
    return undefined;
  }
}

/** Life times of addresses and routes count down by themselves. */
export function withoutTimes(text: string | undefined): string | undefined {
  return text?.replace(/\b(?:expires|valid_lft|preferred_lft|age) -?\w+/g, '');
}

function both(a: string | undefined, b: string | undefined): string | undefined {
  return a === undefined || b === undefined ? undefined : `${a}\n${b}`;
}

function read(path: string, by: (text: string) => string = (text) => text): string | undefined {
  try {
    return by(readFileSync(path, 'utf8'));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? '' : undefined;
  }
}

function names(dir: string): string | undefined {
  try {
    return readdirSync(dir).sort().join(' ');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? '' : undefined;
  }
}

/** Packets that the interfaces other than loopback have sent so far. */
export function packetsSent(): number {
  return parseInterfaces(readFileSync('/proc/net/dev', 'utf8'))
    .filter(({ name }) => name !== 'lo')
    .reduce((sum, { sent }) => sum + sent, 0);
}

/**
 * The peers of this process's sockets in the host namespace, collected by looking again and again: what was
 * opened and closed between two looks is not seen.
 */
export class SocketWatch implements Disposable {
  readonly peers = new Set<string>();
  looks = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(everyMs: number) {
    this.#timer = setInterval(() => {
      this.look();
    }, everyMs);
  }

  look(): void {
    const own = ownSockets();
    for (const table of ['tcp', 'tcp6', 'udp', 'udp6']) {
      const text = read(`/proc/self/net/${table}`) ?? '';
      for (const { inode, peer } of parseSockets(text))
        if (peer !== undefined && own.has(inode)) this.peers.add(peer);
    }
    this.looks += 1;
  }

  /** Peers that are not on this computer's loopback. */
  get outside(): string[] {
    return [...this.peers].filter((peer) => !/^(?:127\.|::1$|::ffff:127\.)/.test(peer));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function ownSockets(): Set<string> {
  const found = new Set<string>();
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
      if (inode !== undefined) found.add(inode);
    } catch {
      // Closed between listing and reading.
    }
  }
  return found;
}

/** Inode and peer address of each line of /proc/net/{tcp,udp}{,6}; no peer for listening and unconnected sockets. */
export function parseSockets(text: string): { inode: string; peer: string | undefined }[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      const [address = '', port = ''] = (fields[2] ?? '').split(':');
      const inode = fields[9];
      if (inode === undefined || address === '') return [];
      return [{ inode, peer: port === '0000' ? undefined : addressOf(address) }];
    });
}

/** The kernel prints addresses as hexadecimal words in the machine's byte order (little endian here). */
function addressOf(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  bytes.swap32();
  if (bytes.length === 4) return bytes.join('.');
  const isMapped = bytes.subarray(0, 12).equals(Buffer.from('00000000000000000000ffff', 'hex'));
  if (isMapped) return `::ffff:${bytes.subarray(12).join('.')}`;
  const isLoopback = bytes.equals(Buffer.from('00000000000000000000000000000001', 'hex'));
  return isLoopback ? '::1' : bytes.toString('hex').replace(/(.{4})(?=.)/g, '$1:');
}
