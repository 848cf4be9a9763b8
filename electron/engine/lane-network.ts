/**
 * The relays of one lane as one thing: TCP, UDP and DNS share the way out and the fake addresses. Owns the
 * lane's sockets.
 */
import { readFileSync } from 'node:fs';
import type { Failure } from '#shared/failure.ts';
import { phrase, type Phrase } from '#shared/phrase.ts';
import type { LaneSocket } from '#shared/helper-protocol.ts';
import { FakePool } from './dns/fake-pool.ts';
import { HostResolver, serversOf } from './dns/host.ts';
import { RemoteResolver } from './dns/remote.ts';
import { resolverDestination } from './dns/resolver-address.ts';
import { DnsService, type DnsWay } from './dns/service.ts';
import type { LanePolicy } from './lane-policy.ts';
import type { UdpEvent } from './native-events.ts';
import type { Native } from './native.ts';
import { DnsRelay } from './relay/dns.ts';
import { HostPorts } from './relay/host-ports.ts';
import type { ProcessOf } from './relay/judge.ts';
import { Meanings } from './relay/meanings.ts';
import { TcpRelay, type TcpRelayOptions } from './relay/tcp.ts';
import type { Patience, TcpFlows } from './relay/tcp-flows.ts';
import { UdpRelay } from './relay/udp.ts';
import { dialMs, type Way } from './ways/way.ts';

/** Where `--dns remote` asks when nobody else is named: a resolver that everybody can reach. */
const defaultResolver = '9.9.9.9';

export interface NetworkOptions {
  readonly lane: string;
  readonly interception: 'tproxy' | 'redirect';
  readonly hasIpv6: boolean;
  /** What its flows are decided by until `follow`. */
  readonly policy: LanePolicy;
  /** To this computer's own loopback. */
  readonly loopback: Way;
  readonly processOf: ProcessOf;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** A sentence for the lane's user. */
  readonly note: (told: Phrase | Failure) => void;
  /** What can be seen of it from outside has changed. */
  readonly onChange: () => void;
}

export class LaneNetwork {
  readonly #native: Native;
  readonly #flows: TcpFlows;
  readonly #options: NetworkOptions;
  readonly #fakes: FakePool;
  readonly #tcp: TcpRelay;
  readonly #dns: DnsRelay;
  readonly #udp: UdpRelay | undefined;
  readonly #ports: HostPorts;
  readonly #refusals = new Set<(failure: Failure) => void>();
  #policy: LanePolicy;
  #letGo: (() => void)[] = [];

  constructor(
    native: Native,
    flows: TcpFlows,
    sockets: ReadonlyMap<LaneSocket, number>,
    options: NetworkOptions,
  ) {
    const { lane, interception, now, policy } = options;
    this.#native = native;
    this.#flows = flows;
    this.#options = options;
    this.#policy = policy;
    this.#fakes = new FakePool({ now, start: Math.floor(Math.random() * 0x1_0000) });
    this.#dns = new DnsRelay(native, this.#dnsService());
    const meanings = new Meanings(this.#fakes);
    const common: TcpRelayOptions = {
      lane,
      interception,
      meanings,
      judge: () => this.#policy,
      processOf: options.processOf,
      socketPair: () => native.socketPair(),
      onRefused: this.#onRefused,
    };
    this.#ports = new HostPorts(native.flows, flows, { ...common, loopback: options.loopback });
    this.#tcp = new TcpRelay(native.flows, flows, required(sockets, 'tcp'), {
      ...common,
      onDns: (stream) => {
        this.#dns.stream(stream);
      },
    });
    this.#udp = this.#openUdp(sockets, meanings);
    this.#openStubs(sockets);
    this.#hold();
  }

  get policy(): LanePolicy {
    return this.#policy;
  }

  get lane(): string {
    return this.#options.lane;
  }

  /** The native number of the lane's UDP part, if it has one. */
  get udpNumber(): number | undefined {
    return this.#udp?.number;
  }

  /** Ports of this computer's loopback that are open to the app. */
  get ports(): HostPorts {
    return this.#ports;
  }

  /** Tells what comes from inside and is no flow, until the answer is called: queries, lent for the call, and refusals. */
  witness(onQuery: (query: Buffer) => void, onRefused: (failure: Failure) => void): () => void {
    const end = this.#dns.witness(onQuery);
    this.#refusals.add(onRefused);
    return () => {
      end();
      this.#refusals.delete(onRefused);
    };
  }

  handleUdp(event: UdpEvent): void {
    if (event.kind === 'dns') this.#dns.datagram(event.lane, event.source, event.destination, event.query);
    else this.#udp?.handle(event);
  }

  count(): void {
    this.#udp?.count();
  }

  /**
   * Decides by another policy from now on. Flows that are open go on as they are when they are to be kept, else they
   * are reset; answers how many were.
   */
  follow(policy: LanePolicy, keep: boolean): number {
    this.#policy = policy;
    this.#tcp.forget();
    this.#dns.serve(this.#dnsService());
    const closed = keep ? 0 : this.#flows.abort(this.#options.lane) + (this.#udp?.end() ?? 0);
    this.#hold();
    this.#options.onChange();
    return closed;
  }

  /** Resets the flows with these ids; answers how many there were. TCP flows are closed for all lanes at once. */
  endUdp(ids: ReadonlySet<number>): number {
    return this.#udp?.end(ids) ?? 0;
  }

  /** Lets what the app sent before it ended go out. */
  drain(patience: Patience): Promise<void> {
    return this.#flows.drain(this.#options.lane, patience);
  }

  close(): void {
    for (const end of this.#letGo.splice(0)) end();
    this.#tcp.close();
    this.#ports.close();
    this.#udp?.close();
    this.#dns.close();
  }

  /** Ways are watched over while a lane may take them. */
  #hold(): void {
    const before = this.#letGo;
    this.#letGo = [...this.#policy.ways].map((way) => way.hold(this.#options.onChange));
    for (const end of before) end();
  }

  #dnsService(): DnsService {
    const hasIpv6 = this.#options.hasIpv6 && this.#policy.carriesIpv6;
    return new DnsService(this.#dnsWay(), { hasIpv6, onFailure: this.#onRefused });
  }

  #dnsWay(): DnsWay {
    const { dns, own } = this.#policy;
    switch (dns.mode) {
      case 'fake':
        return { mode: 'fake', pool: this.#fakes };
      case 'host':
        return { mode: 'host', resolver: new HostResolver({ servers: hostServers, now: this.#options.now }) };
      case 'remote':
        // Without a way out there is nobody to ask; names are answered, and what they lead to is refused.
        if (own === undefined) return { mode: 'fake', pool: this.#fakes };
        return { mode: 'remote', resolver: this.#remoteResolver(own, dns.resolver ?? defaultResolver) };
    }
  }

  /** Asks through the lane's own way out, over TCP. */
  #remoteResolver(way: Way, resolver: string): RemoteResolver {
    const destination = resolverDestination(resolver);
    const connect = async () => {
      const { socket, early } = await way.dial(destination, { deadlineMs: dialMs });
      if (early.length > 0) socket.unshift(early);
      return socket;
    };
    return new RemoteResolver({ connect, now: this.#options.now });
  }

  #openUdp(sockets: ReadonlyMap<LaneSocket, number>, meanings: Meanings): UdpRelay | undefined {
    const [udp, dns, raw4, raw6, packet] = (['udp', 'dns', 'raw4', 'raw6', 'packet'] as const).map(
      (name) => sockets.get(name) ?? -1,
    ) as [number, number, number, number, number];
    if (udp < 0) return undefined;
    const { lane, now, processOf } = this.#options;
    try {
      return new UdpRelay(
        this.#native,
        this.#flows.table,
        { udp, dns, raw4, raw6, packet },
        { lane, meanings, judge: () => this.#policy, processOf, now, onRefused: this.#onRefused },
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
  readonly #onRefused = (failure: Failure): void => {
    for (const listener of this.#refusals) listener(failure);
    if (failure.code === 'udp-not-offered') this.#options.note(phrase('lane.udp-refused'));
    else if (
      failure.code.startsWith('proxy-') ||
      failure.code.startsWith('chain-') ||
      ['engine-limit', 'dns-failed', 'egress-missing', 'certificate-refused'].includes(failure.code)
    ) {
      this.#options.note({ code: failure.code });
    }
  };
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

function required(sockets: ReadonlyMap<LaneSocket, number>, name: LaneSocket): number {
  const fd = sockets.get(name);
  if (fd === undefined) throw new Error(`the helper returned no ${name} socket`);
  return fd;
}
