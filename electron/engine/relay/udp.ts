/**
 * The decisions of the UDP relay: the native part carries datagrams, this part says where to (DESIGN.md §4).
 *
 * Does: open one association per app socket, through SOCKS5 or from the host namespace, give each
 * destination its target, refuse at once what the upstream cannot carry. Must not: send anything directly
 * because an association was refused (S7).
 */
import { CulvertError, failureOf, type Failure } from '#shared/failure.ts';
import type { Upstream } from '#shared/model.ts';
import type { Flow, FlowTable } from '../flows.ts';
import type { UdpEvent } from '../native-events.ts';
import type { Native } from '../native.ts';
import { destinationOf, type Destination } from '../upstream/destination.ts';
import { udpAssociate, type UdpAssociation } from '../upstream/udp-associate.ts';
import { readAddress, socksAddress, writeAddress, type Endpoint } from './udp-address.ts';
import { dialMs, resolveDirect, type Way } from './way.ts';

/** Milliseconds for which a refused ASSOCIATE is believed before the proxy is asked again. */
const refusedMs = 30_000;

/** One app socket's association while it opens and lives. */
interface Association {
  readonly flow: Flow;
  /** Destinations whose fake addresses are held. */
  readonly held: Set<string>;
  number: number | undefined;
  control: UdpAssociation | undefined;
  /** Whether it has a socket that can carry IPv4 only. */
  family: 0 | 4 | 6;
  readonly waiting: Buffer[];
}

export interface UdpRelayOptions {
  readonly lane: string;
  readonly way: Way;
  readonly isBlocked: boolean;
  readonly now: () => number;
  readonly onRefused: (failure: Failure) => void;
}

export class UdpRelay {
  readonly #native: Native;
  readonly #table: FlowTable;
  readonly #options: UdpRelayOptions;
  readonly #lane: number;
  readonly #bySource = new Map<string, Association>();
  readonly #byNumber = new Map<number, string>();
  #refusedUntil = 0;
  #isOpen = true;

  /** `sockets`: the lane's, which stay the caller's to close; the native part has duplicates. */
  constructor(
    native: Native,
    table: FlowTable,
    sockets: { udp: number; dns: number; raw4: number; raw6: number; packet: number },
    options: UdpRelayOptions,
  ) {
    this.#native = native;
    this.#table = table;
    this.#options = options;
    this.#lane = native.udpLane(sockets.udp, sockets.dns, sockets.raw4, sockets.raw6, sockets.packet);
  }

  /** The native number of the lane, by which its events are told apart. */
  get number(): number {
    return this.#lane;
  }

  handle(event: Exclude<UdpEvent, { kind: 'dns' }>): void {
    if (event.kind === 'expired') this.#expired(event.association, event.bytesUp, event.bytesDown);
    else void this.#decide(event.source, event.destination);
  }

  /** Brings the byte counters of the open associations up to date. */
  count(): void {
    for (const { number, flow } of this.#bySource.values()) {
      if (number === undefined) continue;
      const { bytesUp, bytesDown } = this.#native.udpCounters(number);
      this.#table.count(flow, Math.max(bytesUp, flow.bytesUp), Math.max(bytesDown, flow.bytesDown));
    }
  }

  close(): void {
    this.#isOpen = false;
    this.#native.removeUdpLane(this.#lane);
    for (const source of [...this.#bySource.keys()]) this.#forget(source);
  }

  async #decide(source: Buffer, destination: Buffer): Promise<void> {
    const key = source.toString('latin1');
    const known = this.#bySource.get(key);
    if (known !== undefined && known.number === undefined) {
      known.waiting.push(destination);
      return;
    }
    try {
      this.#expectUdp();
      const association = known ?? (await this.#open(key, source, destination));
      await this.#route(association, source, destination);
      for (const next of association.waiting.splice(0)) await this.#routeOrRefuse(association, source, next);
    } catch (error) {
      this.#refuse(key, source, destination, error);
    }
  }

  /** Throws when this lane is known not to carry UDP. */
  #expectUdp(): void {
    const { isBlocked, way, now } = this.#options;
    if (isBlocked)
      throw new CulvertError('destination-blocked', { detail: 'UDP is turned off for this app' });
    if (way.route.kind === 'upstream' && way.route.upstream.kind !== 'socks5')
      throw new CulvertError('udp-not-offered');
    if (now() < this.#refusedUntil) throw new CulvertError('udp-not-offered');
  }

  async #open(key: string, source: Buffer, destination: Buffer): Promise<Association> {
    const { lane, way } = this.#options;
    const from = readAddress(source);
    const to = readAddress(destination);
    const name = way.fakes.lookup(to.address);
    const association: Association = {
      flow: this.#table.begin({
        lane,
        proto: 'udp',
        sourcePort: from.port,
        address: to.address,
        port: to.port,
        via: way.via,
        ...(name.kind === 'name' ? { host: name.name } : {}),
      }),
      held: new Set(),
      number: undefined,
      control: undefined,
      family: 0,
      waiting: [],
    };
    this.#bySource.set(key, association);
    const number = await this.#associate(association, key, source, from);
    if (!this.#isOpen) {
      this.#native.dissociate(number);
      throw new CulvertError('lane-unknown');
    }
    association.number = number;
    this.#byNumber.set(number, key);
    this.#table.opened(association.flow);
    return association;
  }

  async #associate(association: Association, key: string, source: Buffer, from: Endpoint): Promise<number> {
    const { route } = this.#options.way;
    if (route.kind === 'direct') {
      association.family = from.address.includes(':') ? 6 : 4;
      return this.#withSocket(association.family, (socket) =>
        this.#native.associate(this.#lane, source, socket, 'direct', null),
      );
    }
    const control = await this.#askProxy(route.upstream, () => {
      this.#ended(key, association);
    });
    association.control = control;
    const relay = writeAddress(control.relay);
    return this.#withSocket(control.relay.address.includes(':') ? 6 : 4, (socket) =>
      this.#native.associate(this.#lane, source, socket, 'socks', relay),
    );
  }

  /** A proxy that refused is believed for a while, so that not every datagram asks it again. */
  async #askProxy(upstream: Upstream, onEnd: () => void): Promise<UdpAssociation> {
    try {
      return await udpAssociate(upstream, { deadlineMs: dialMs, onEnd });
    } catch (error) {
      if (failureOf(error).code === 'udp-not-offered') this.#refusedUntil = this.#options.now() + refusedMs;
      throw error;
    }
  }

  /** A UDP socket of the host namespace for `use`, which duplicates it. */
  #withSocket(family: 4 | 6, use: (descriptor: number) => number): number {
    const socket = this.#native.udpSocket(family);
    try {
      return use(socket);
    } finally {
      this.#native.close(socket);
    }
  }

  async #routeOrRefuse(association: Association, source: Buffer, destination: Buffer): Promise<void> {
    try {
      await this.#route(association, source, destination);
    } catch (error) {
      this.#native.refuseUdp(this.#lane, source, destination);
      this.#options.onRefused(failureOf(error));
    }
  }

  async #route(association: Association, source: Buffer, destination: Buffer): Promise<void> {
    const { address, port } = readAddress(destination);
    const { way } = this.#options;
    const meant = association.held.has(address) ? this.#meant(address, port) : way.acquire(address, port);
    association.held.add(address);
    const target = await this.#targetOf(meant, association.family);
    if (association.number === undefined || this.#bySource.get(source.toString('latin1')) !== association)
      return;
    this.#native.routeUdp(association.number, destination, target);
  }

  #meant(address: string, port: number): Destination {
    const found = this.#options.way.fakes.lookup(address);
    return destinationOf(found.kind === 'name' ? found.name : address, port);
  }

  async #targetOf(meant: Destination, family: 0 | 4 | 6): Promise<Buffer> {
    if (this.#options.way.route.kind === 'upstream') return socksAddress(meant);
    return writeAddress({ address: await resolveDirect(meant, family), port: meant.port });
  }

  #refuse(key: string, source: Buffer, destination: Buffer, error: unknown): void {
    const failure = failureOf(error);
    const association = this.#bySource.get(key);
    const waiting = association?.waiting.splice(0) ?? [];
    if (association?.number === undefined) this.#forget(key, failure);
    if (!this.#isOpen) return;
    for (const refused of [destination, ...waiting]) this.#native.refuseUdp(this.#lane, source, refused);
    this.#options.onRefused(failure);
  }

  /** The proxy closed the control connection: the association is over (RFC 1928 §7). */
  #ended(key: string, association: Association): void {
    if (this.#bySource.get(key) !== association || association.number === undefined) return;
    this.#native.dissociate(association.number);
    this.#forget(key, { code: 'proxy-closed' });
  }

  #expired(number: number, bytesUp: number, bytesDown: number): void {
    const key = this.#byNumber.get(number);
    const association = key === undefined ? undefined : this.#bySource.get(key);
    if (key === undefined || association === undefined) return;
    this.#table.count(association.flow, bytesUp, bytesDown);
    this.#forget(key);
  }

  #forget(key: string, failure?: Failure): void {
    const association = this.#bySource.get(key);
    if (association === undefined) return;
    this.#bySource.delete(key);
    if (association.number !== undefined) this.#byNumber.delete(association.number);
    association.control?.close();
    for (const address of association.held) this.#options.way.release(address);
    this.#table.end(association.flow, failure);
  }
}
