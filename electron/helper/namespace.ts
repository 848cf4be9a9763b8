/**
 * Makes the two network namespaces of a lane and the sockets in them (DESIGN.md §3).
 *
 * Does: create both anonymously, join them by a veth pair, route everything to local sockets, lock both
 * down, read back what was written, mint the sockets. Whatever fails, nothing stays: the namespaces are
 * held by descriptors only. Must not: touch the host's namespace. The helper's own thread lives in an
 * empty *parking* namespace from its first moment on, so that it could not by mistake.
 */
import { closeSync, existsSync, readFileSync } from 'node:fs';
import { CulvertError } from '#shared/failure.ts';
import { plainSockets, probesOfAKind, type LaneSocket, type PlainSocket } from '#shared/helper-protocol.ts';
import { appRules, gatewayPorts, gatewayRules, mark, stubPort, type Interception } from './firewall.ts';
import type { Native } from './native.ts';
import { runTool, startTool, type ToolAtWork } from './run.ts';
import { appSysctls, gatewaySysctls, writeSysctls } from './sysctls.ts';

/** Largest MTU of a veth: the path ends in the gateway, so one raw packet can carry any datagram. */
const mtu = 65_535;
/**
 * Bytes at most of a piece of a stream that the app sends. It crosses the link as one packet whatever its size: four
 * times the usual 64 KiB is a quarter of the packets. Towards the app, where the pump moves much at a time, the usual
 * is better.
 */
const segmentBytes = 256 * 1024;
const appMac = '02:00:00:00:00:02';
const gatewayMac = '02:00:00:00:00:01';

export interface LaneNamespaces {
  readonly app: number;
  readonly gateway: number;
  readonly appInode: number;
  readonly gatewayInode: number;
  readonly interception: Interception;
  readonly hasIpv6: boolean;
}

/** Sockets with their names, in order. */
export type Sockets<Name> = readonly (readonly [Name, number])[];
/** The minted sockets in the order of `laneSockets`, those that this lane has. */
export type Minted = Sockets<LaneSocket>;

/** Makes namespaces for lanes on behalf of one helper process. */
export class NamespaceMaker {
  readonly #native: Native;
  readonly #parking: number;
  readonly #hasIpv6 = existsSync('/proc/sys/net/ipv6');

  /** Leaves the host's network for an empty namespace, for good. */
  constructor(native: Native) {
    this.#native = native;
    this.#parking = native.newNamespace();
  }

  /** Makes a lane's namespaces and sockets, or throws and leaves nothing. The caller owns the descriptors. */
  create(): { namespaces: LaneNamespaces; minted: Minted } {
    const open: number[] = [];
    try {
      const gateway = this.#make(open);
      const app = this.#make(open);
      const interception = this.#build(gateway, app);
      const minted = this.#mint(gateway, app, interception, open);
      const namespaces = {
        app,
        gateway,
        appInode: this.#native.namespaceInode(app),
        gatewayInode: this.#native.namespaceInode(gateway),
        interception,
        hasIpv6: this.#hasIpv6,
      };
      return { namespaces, minted };
    } catch (error) {
      for (const fd of open) closeSync(fd);
      throw error;
    } finally {
      this.#native.enterNamespace(this.#parking);
    }
  }

  /** Runs `work` with this thread inside the namespace. */
  inside<T>(namespace: number, work: () => T): T {
    this.#native.enterNamespace(namespace);
    try {
      return work();
    } finally {
      this.#native.enterNamespace(this.#parking);
    }
  }

  /** Listening sockets at a port of the app's loopback, in every family or in none. Throws `host-port-taken`. */
  listen({ app, hasIpv6 }: LaneNamespaces, port: number): Sockets<'tcp4' | 'tcp6'> {
    try {
      return this.#all(app, [
        ['tcp4', () => this.#native.mintStub(4, true, port)],
        ...(hasIpv6 ? [['tcp6', () => this.#native.mintStub(6, true, port)] as const] : []),
      ]);
    } catch (error) {
      if (error instanceof CulvertError && error.failure.detail === 'EADDRINUSE')
        throw new CulvertError('host-port-taken', { detail: String(port), cause: error });
      throw error;
    }
  }

  /** Some unconnected sockets of each kind inside the app namespace. */
  probes({ app, hasIpv6 }: LaneNamespaces): Sockets<PlainSocket> {
    const kinds = plainSockets.filter((name) => hasIpv6 || !name.endsWith('6'));
    const wanted = kinds.flatMap((name) => Array.from({ length: probesOfAKind }, () => name));
    return this.#all(
      app,
      wanted.map((name) => [
        name,
        () => this.#native.mintPlain(name.startsWith('tcp'), name.endsWith('6') ? 6 : 4),
      ]),
    );
  }

  /** Mints all of them inside a namespace, or throws and leaves none. */
  #all<Name>(namespace: number, wanted: readonly (readonly [Name, () => number])[]): Sockets<Name> {
    const minted: [Name, number][] = [];
    try {
      return this.inside(namespace, () => {
        for (const [name, mint] of wanted) minted.push([name, mint()]);
        return minted;
      });
    } catch (error) {
      for (const [, fd] of minted) closeSync(fd);
      throw error;
    }
  }

  #make(open: number[]): number {
    const fd = this.#native.newNamespace();
    open.push(fd);
    return fd;
  }

  /** What does not need another's result is done at the same time: a lane is up in half of the time. */
  #build(gateway: number, app: number): Interception {
    const native = this.#native;
    native.enterNamespace(gateway);
    // Rules by the names of interfaces may be there before these are.
    using tproxy = startTool(native, 'nft', ['-f', '-'], gatewayRules('tproxy'));
    writeSysctls(gatewaySysctls('all', this.#hasIpv6));
    writeSysctls(gatewaySysctls('default', this.#hasIpv6));
    runTool(native, 'ip', ['-batch', '-'], gatewayLinks(this.#hasIpv6), app);
    // The family of a rule is not seen from its words, so IPv6 takes a call of its own.
    using rule6 = this.#hasIpv6
      ? startTool(native, 'ip', ['-6', 'rule', 'add', 'fwmark', String(mark), 'lookup', '100'], '')
      : undefined;
    writeSysctls(gatewaySysctls('gw0', this.#hasIpv6));
    const interception = this.#interceptionBy(tproxy);
    expectInterfaces(['lo', 'gw0']);

    native.enterNamespace(app);
    using rules = startTool(native, 'nft', ['-f', '-'], appRules(interception));
    writeSysctls(appSysctls(this.#hasIpv6));
    runTool(native, 'ip', ['-batch', '-'], appLinks(this.#hasIpv6));
    native.enlargeSegments('app0', segmentBytes);
    rules.end();
    rule6?.end();
    expectInterfaces(['lo', 'app0']);
    return interception;
  }

  /** Where the kernel knows no tproxy, in the gateway namespace, TCP alone is redirected. */
  #interceptionBy(tproxy: ToolAtWork): Interception {
    try {
      tproxy.end();
      return 'tproxy';
    } catch (error) {
      if (!(error instanceof CulvertError) || error.failure.code !== 'nft-failed') throw error;
      runTool(this.#native, 'nft', ['-f', '-'], gatewayRules('redirect'));
      return 'redirect';
    }
  }

  #mint(gateway: number, app: number, interception: Interception, open: number[]): Minted {
    const minted: (readonly [LaneSocket, number])[] = [];
    const mint = (name: LaneSocket, make: () => number) => {
      const fd = make();
      open.push(fd);
      minted.push([name, fd]);
    };
    const native = this.#native;
    const isTproxy = interception === 'tproxy';
    native.enterNamespace(gateway);
    mint('tcp', () => native.mintTcp(this.#hasIpv6, gatewayPorts.tcp, isTproxy));
    if (isTproxy) {
      mint('udp', () => native.mintUdp(this.#hasIpv6, gatewayPorts.udp));
      mint('dns', () => native.mintUdp(this.#hasIpv6, gatewayPorts.dns));
      mint('raw4', () => native.mintRaw(4));
      if (this.#hasIpv6) mint('raw6', () => native.mintRaw(6));
      mint('packet', () => native.mintPacket('gw0'));
    }
    native.enterNamespace(app);
    mint('stubUdp4', () => native.mintStub(4, false, stubPort));
    mint('stubTcp4', () => native.mintStub(4, true, stubPort));
    if (this.#hasIpv6) {
      mint('stubUdp6', () => native.mintStub(6, false, stubPort));
      mint('stubTcp6', () => native.mintStub(6, true, stubPort));
    }
    return minted;
  }
}

/**
 * Batch lines for ip(8), run inside the gateway namespace with the app namespace as descriptor 3. Both
 * neighbours are written down, so that no packet ever waits for an answer of ARP or neighbour discovery.
 */
function gatewayLinks(hasIpv6: boolean): string {
  return lines([
    'link set lo up',
    `link add gw0 address ${gatewayMac} mtu ${mtu} type veth peer name app0 address ${appMac} mtu ${mtu} netns /proc/self/fd/3`,
    'addr add 192.0.0.1/30 dev gw0',
    'link set gw0 addrgenmode none up',
    `neigh add 192.0.0.2 lladdr ${appMac} dev gw0`,
    `rule add fwmark ${mark} lookup 100`,
    'route add local default dev lo table 100',
    ...(hasIpv6
      ? [
          'addr add fdc0:1a7e::1/126 dev gw0 nodad',
          `neigh add fdc0:1a7e::2 lladdr ${appMac} dev gw0`,
          'route add local ::/0 dev lo table 100',
          // A link-local destination is only looked for on the link that it came from.
          'route add local fe80::/10 dev gw0 table 100',
        ]
      : []),
  ]);
}

function appLinks(hasIpv6: boolean): string {
  return lines([
    'link set lo up',
    'addr add 192.0.0.2/30 dev app0',
    'link set app0 addrgenmode none up',
    `neigh add 192.0.0.1 lladdr ${gatewayMac} dev app0`,
    'route add default via 192.0.0.1',
    ...(hasIpv6
      ? [
          'addr add fdc0:1a7e::2/126 dev app0 nodad',
          `neigh add fdc0:1a7e::1 lladdr ${gatewayMac} dev app0`,
          'route add ::/0 via fdc0:1a7e::1 dev app0',
        ]
      : []),
  ]);
}

/** Throws unless this thread's namespace has exactly these interfaces (S1). */
function expectInterfaces(expected: readonly string[]): void {
  const found = readFileSync('/proc/thread-self/net/dev', 'utf8')
    .split('\n')
    .map((line) => /^\s*([^\s:]+):/.exec(line)?.[1])
    .filter((name) => name !== undefined);
  if (found.toSorted().join() !== expected.toSorted().join()) {
    throw new CulvertError('lane-check-failed', { detail: found.join(', ') });
  }
}

function lines(list: readonly string[]): string {
  return `${list.join('\n')}\n`;
}
