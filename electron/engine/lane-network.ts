/**
 * The relays of one lane as one thing: TCP, UDP and DNS share the way out and the fake addresses. Owns the
 * lane's sockets.
 */
import { readFileSync } from 'node:fs';
import { CulvertError, describe, type Failure } from '#shared/failure.ts';
import type { LaneSocket } from '#shared/helper-protocol.ts';
import { FakePool } from './dns/fake-pool.ts';
import { HostResolver, serversOf } from './dns/host.ts';
import { RemoteResolver } from './dns/remote.ts';
import { DnsService, type DnsWay } from './dns/service.ts';
import type { LaneSpec } from './lane-spec.ts';
import type { UdpEvent } from './native-events.ts';
import type { Native } from './native.ts';
import { DnsRelay } from './relay/dns.ts';
import { TcpRelay } from './relay/tcp.ts';
import type { TcpFlows } from './relay/tcp-flows.ts';
import { UdpRelay } from './relay/udp.ts';
import { dialMs, Way } from './relay/way.ts';
import { destinationOf, type Destination } from './upstream/destination.ts';

/** Where `--dns remote` asks when nobody else is named: a resolver that everybody can reach. */
const defaultResolver = '9.9.9.9';

export interface NetworkOptions {
  readonly lane: string;
  readonly spec: LaneSpec;
  readonly interception: 'tproxy' | 'redirect';
  readonly hasIpv6: boolean;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** A sentence for the lane's user. */
  readonly note: (text: string) => void;
}

export class LaneNetwork {
  readonly #native: Native;
  readonly #flows: TcpFlows;
  readonly #options: NetworkOptions;
  readonly #way: Way;
  readonly #tcp: TcpRelay;
  readonly #dns: DnsRelay;
  readonly #udp: UdpRelay | undefined;

  constructor(
    native: Native,
    flows: TcpFlows,
    sockets: ReadonlyMap<LaneSocket, number>,
    options: NetworkOptions,
  ) {
    const { lane, spec, interception } = options;
    this.#native = native;
    this.#flows = flows;
    this.#options = options;
    const fakes = new FakePool({ now: options.now, start: Math.floor(Math.random() * 0x1_0000) });
    this.#way = new Way(spec.route, fakes);
    const onRefused = (failure: Failure) => {
      this.#refused(failure);
    };
    const dnsOptions = { hasIpv6: this.#carriesIpv6(), onFailure: onRefused };
    this.#dns = new DnsRelay(native, new DnsService(this.#dnsWay(fakes), dnsOptions));
    this.#tcp = new TcpRelay(native.flows, flows, required(sockets, 'tcp'), {
      lane,
      interception,
      way: this.#way,
      onDns: (stream) => {
        this.#dns.stream(stream);
      },
      onRefused,
    });
    this.#udp = this.#openUdp(sockets, onRefused);
    this.#openStubs(sockets);
  }

  get via(): string {
    return this.#way.via;
  }

  get lane(): string {
    return this.#options.lane;
  }

  /** The native number of the lane's UDP part, if it has one. */
  get udpNumber(): number | undefined {
    return this.#udp?.number;
  }

  handleUdp(event: UdpEvent): void {
    if (event.kind === 'dns') this.#dns.datagram(event.lane, event.source, event.destination, event.query);
    else this.#udp?.handle(event);
  }

  count(): void {
    this.#udp?.count();
  }

  /** Lets what the app sent before it ended go out, for as long as `ms` at most. */
  drain(ms: number): Promise<void> {
    return this.#flows.drain(this.#options.lane, ms);
  }

  close(): void {
    this.#tcp.close();
    this.#udp?.close();
    this.#dns.close();
  }

  #carriesIpv6(): boolean {
    const { route } = this.#options.spec;
    return (
      this.#options.hasIpv6 &&
      (route.kind === 'direct' || route.upstream.kind === 'socks5' || route.upstream.kind === 'http')
    );
  }

  #dnsWay(fakes: FakePool): DnsWay {
    const { dns } = this.#options.spec;
    switch (dns.mode) {
      case 'fake':
        return { mode: 'fake', pool: fakes };
      case 'host':
        return { mode: 'host', resolver: new HostResolver({ servers: hostServers, now: this.#options.now }) };
      case 'remote':
        return { mode: 'remote', resolver: this.#remoteResolver(dns.resolver ?? defaultResolver) };
    }
  }

  /** Asks through the lane's own way out, over TCP. */
  #remoteResolver(resolver: string): RemoteResolver {
    const destination = resolverDestination(resolver);
    const connect = async () => {
      const { socket, early } = await this.#way.dial(destination, { deadlineMs: dialMs });
      if (early.length > 0) socket.unshift(early);
      return socket;
    };
    return new RemoteResolver({ connect, now: this.#options.now });
  }

  #openUdp(
    sockets: ReadonlyMap<LaneSocket, number>,
    onRefused: (failure: Failure) => void,
  ): UdpRelay | undefined {
    const [udp, dns, raw4, raw6, packet] = (['udp', 'dns', 'raw4', 'raw6', 'packet'] as const).map(
      (name) => sockets.get(name) ?? -1,
    ) as [number, number, number, number, number];
    if (udp < 0) return undefined;
    try {
      return new UdpRelay(
        this.#native,
        this.#flows.table,
        { udp, dns, raw4, raw6, packet },
        {
          lane: this.#options.lane,
          way: this.#way,
          isBlocked: this.#options.spec.udp === 'block',
          now: this.#options.now,
          onRefused,
        },
      );
    } finally {
      for (const fd of [udp, dns, raw4, raw6, packet]) if (fd >= 0) this.#native.close(fd);
    }
  }

  #openStubs(sockets: ReadonlyMap<LaneSocket, number>): void {
    for (const [name, fd] of sockets) {
      if (name === 'stubUdp4') this.#dns.stubDatagrams(fd, 'udp4');
      else if (name === 'stubUdp6') this.#dns.stubDatagrams(fd, 'udp6');
      else if (name === 'stubTcp4' || name === 'stubTcp6') this.#dns.stubStreams(fd);
    }
  }

  /** What the user should know of a refusal: not which destination, that is in the list of connections. */
  #refused(failure: Failure): void {
    if (failure.code === 'udp-not-offered') this.#options.note('UDP refused: the proxy does not offer it');
    else if (failure.code.startsWith('proxy-') || ['engine-limit', 'dns-failed'].includes(failure.code)) {
      this.#options.note(describe({ code: failure.code }));
    }
  }
}

/** The host's resolvers of the moment. */
function hostServers() {
  try {
    return serversOf(readFileSync('/etc/resolv.conf', 'utf8'));
  } catch {
    // Without the file a resolver on this computer is asked, as resolv.conf(5) says.
    return serversOf('');
  }
}

/** `address`, `address:port` or `[address]:port`. Throws `option-invalid`. */
export function resolverDestination(text: string): Destination {
  const match = /^(?:\[([^\]]+)\]|([^:]+)|([0-9a-f:]+:[0-9a-f:.]*))(?::([0-9]{1,5}))?$/i.exec(text);
  const host = match?.[1] ?? match?.[2] ?? match?.[3];
  try {
    if (host === undefined) throw new Error('not an address');
    return destinationOf(host, match?.[4] === undefined ? 53 : Number(match[4]));
  } catch (error) {
    throw new CulvertError('option-invalid', { detail: `resolver ${text}`, cause: error });
  }
}

function required(sockets: ReadonlyMap<LaneSocket, number>, name: LaneSocket): number {
  const fd = sockets.get(name);
  if (fd === undefined) throw new Error(`the helper returned no ${name} socket`);
  return fd;
}
