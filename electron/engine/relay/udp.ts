/**
 * The decisions of the UDP relay: the native part carries datagrams, this part says where to (DESIGN.md §4).
 *
 * Does: open an association per app socket and way, through SOCKS5 or from the host namespace, give each
 * destination its target, refuse at once what must not or cannot be carried. Must not: send anything directly
 * because an association was refused (S7).
 */
import { CulvertError, failureOf, type Failure } from '#shared/failure.ts';
import type { Flow, FlowTable } from '../flows.ts';
import type { UdpEvent } from '../native-events.ts';
import type { Native } from '../native.ts';
import type { ChainAssociation } from '../upstream/chain.ts';
import type { Destination } from '../upstream/destination.ts';
import { resolveDirect } from '../ways/direct-way.ts';
import { dialMs, type Way } from '../ways/way.ts';
import { factsOf, judged, wayOf, type Judge, type ProcessOf, type Verdict } from './judge.ts';
import type { Meanings } from './meanings.ts';
import { readAddress, socksAddress, writeAddress, type Endpoint } from './udp-address.ts';

/** Milliseconds for which a refused ASSOCIATE is believed before the proxy is asked again. */
const refusedMs = 30_000;

/** One app socket's association with one way, while it opens and lives. */
interface Association {
  readonly key: string;
  readonly way: Way;
  readonly flow: Flow;
  /** Destinations whose fake addresses are held. */
  readonly held: Set<string>;
  /** The name that each port is asked for by: only one, as servers answer with an address and this port. */
  readonly names: Map<number, string>;
  number: number | undefined;
  control: ChainAssociation | undefined;
  /** Whether it has a socket that can carry IPv4 only. */
  family: 0 | 4 | 6;
  readonly waiting: Sending[];
}

/** A pair of addresses that is being decided about: as the native part tells it, and what is meant. */
interface Sending {
  readonly source: Buffer;
  readonly destination: Buffer;
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly meant: Destination;
}

export interface UdpRelayOptions {
  readonly lane: string;
  readonly meanings: Meanings;
  readonly judge: () => Judge;
  readonly processOf: ProcessOf;
  readonly now: () => number;
  readonly onRefused: (failure: Failure) => void;
}

export class UdpRelay {
  readonly #native: Native;
  readonly #table: FlowTable;
  readonly #options: UdpRelayOptions;
  readonly #lane: number;
  readonly #byKey = new Map<string, Association>();
  readonly #byNumber = new Map<number, Association>();
  readonly #refusedUntil = new Map<Way, number>();
  readonly #wayNumbers = new WeakMap<Way, number>();
  #lastWay = 0;
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
    for (const { number, flow } of this.#byKey.values()) {
      if (number === undefined) continue;
      const { bytesUp, bytesDown } = this.#native.udpCounters(number);
      this.#table.count(flow, Math.max(bytesUp, flow.bytesUp), Math.max(bytesDown, flow.bytesDown));
    }
  }

  /** Ends the associations of these flows, or all; what the apps send next is decided anew. Answers how many. */
  end(ids?: ReadonlySet<number>): number {
    this.#refusedUntil.clear();
    const ended = [...this.#byKey.values()].filter(({ flow }) => ids === undefined || ids.has(flow.id));
    for (const association of ended) {
      if (association.number !== undefined) this.#native.dissociate(association.number);
      this.#table.close(association.flow);
      this.#forget(association);
    }
    return ended.length;
  }

  close(): void {
    this.#isOpen = false;
    this.#native.removeUdpLane(this.#lane);
    for (const association of [...this.#byKey.values()]) this.#forget(association);
  }

  async #decide(source: Buffer, destination: Buffer): Promise<void> {
    const from = readAddress(source);
    const to = readAddress(destination);
    const { meanings, judge, processOf, onRefused } = this.#options;
    let sending: Sending | undefined;
    try {
      const meant = judge().rewrite(meanings.lookup(to.address, to.port));
      sending = { source, destination, from, to, meant };
      const decision = await judged(judge, factsOf('udp', sending.meant), () => processOf('udp', from.port));
      if (!this.#isOpen) return;
      if (decision.kind === 'refused') this.#showRefused(sending, decision);
      await this.#send(sending, wayOf(decision), decision.rule);
    } catch (error) {
      if (!this.#isOpen) return;
      this.#native.refuseUdp(this.#lane, source, destination);
      onRefused(failureOf(error));
    }
  }

  /** Puts a pair on its way; throws when that cannot be. */
  async #send(sending: Sending, way: Way, rule?: string): Promise<void> {
    const key = this.#keyOf(sending, way);
    const known = this.#byKey.get(key);
    if (known !== undefined) noteName(known.names, sending.meant);
    if (known !== undefined && known.number === undefined) {
      known.waiting.push(sending);
      return;
    }
    this.#expectUdp(sending, way, rule);
    const association = known ?? (await this.#open(key, sending, way, rule));
    await this.#route(association, sending);
    for (const next of association.waiting.splice(0)) await this.#routeOrRefuse(association, next);
  }

  /**
   * One association for all that an app's socket sends a way, so that all its peers see the same port of the
   * proxy; but another one for a second name with the same port. Two names may be the same server, and nothing
   * in its answer would tell which of them was asked.
   */
  #keyOf({ source, meant }: Sending, way: Way): string {
    const shared = `${this.#numberOf(way)} ${source.toString('latin1')}`;
    if (meant.kind !== 'name' || way.udp !== 'socks') return shared;
    const name = this.#byKey.get(shared)?.names.get(meant.port) ?? meant.host;
    return name === meant.host ? shared : `${shared} ${meant.host}`;
  }

  /** Throws when this way is known not to carry UDP; the list shows that. */
  #expectUdp(sending: Sending, way: Way, rule?: string): void {
    const isRefused = this.#options.now() < (this.#refusedUntil.get(way) ?? 0);
    if (way.udp !== 'none' && !isRefused) return;
    const error = new CulvertError('udp-not-offered');
    this.#table.end(this.#begin(sending, way.via, rule), error.failure);
    throw error;
  }

  async #open(key: string, sending: Sending, way: Way, rule?: string): Promise<Association> {
    const association: Association = {
      key,
      way,
      flow: this.#begin(sending, way.via, rule),
      held: new Set(),
      names: new Map(),
      number: undefined,
      control: undefined,
      family: 0,
      waiting: [],
    };
    noteName(association.names, sending.meant);
    this.#byKey.set(key, association);
    let number: number;
    try {
      number = await this.#associate(association, sending);
    } catch (error) {
      this.#forget(association, failureOf(error));
      if (this.#isOpen) this.#refuseWaiting(association);
      throw error;
    }
    if (!this.#isOpen || this.#byKey.get(key) !== association) {
      this.#native.dissociate(number);
      association.control?.close();
      throw new CulvertError('lane-unknown', { detail: 'closed meanwhile' });
    }
    association.number = number;
    this.#byNumber.set(number, association);
    this.#table.opened(association.flow);
    return association;
  }

  async #associate(association: Association, { source, from }: Sending): Promise<number> {
    const { way } = association;
    if (way.udp === 'direct') {
      association.family = from.address.includes(':') ? 6 : 4;
      return this.#withSocket(association.family, way.egress, (socket) =>
        this.#native.associate(this.#lane, source, socket, 'direct', null),
      );
    }
    const control = await this.#askProxy(association);
    association.control = control;
    association.flow.via = control.via;
    const relay = writeAddress(control.relay);
    // By the interface of the chain that was taken, which a way with two of them has chosen.
    return this.#withSocket(control.relay.address.includes(':') ? 6 : 4, control.egress, (socket) =>
      this.#native.associate(this.#lane, source, socket, 'socks', relay, control.layers),
    );
  }

  /**
   * A proxy that refused is believed for a while, so that not every datagram asks it again. What `onEnd` can see
   * lives as long as the association, so it is made where nothing of a single datagram is.
   */
  async #askProxy(association: Association): Promise<ChainAssociation> {
    const { way } = association;
    const onEnd = (): void => {
      this.#ended(association);
    };
    try {
      return await way.associate({ deadlineMs: dialMs, onEnd });
    } catch (error) {
      if (failureOf(error).code === 'udp-not-offered')
        this.#refusedUntil.set(way, this.#options.now() + refusedMs);
      throw error;
    }
  }

  /** A UDP socket of the host namespace for `use`, which duplicates it. */
  #withSocket(family: 4 | 6, egress: string | undefined, use: (descriptor: number) => number): number {
    const socket = this.#native.udpSocket(family, egress);
    try {
      return use(socket);
    } finally {
      this.#native.close(socket);
    }
  }

  async #routeOrRefuse(association: Association, sending: Sending): Promise<void> {
    try {
      await this.#route(association, sending);
    } catch (error) {
      this.#native.refuseUdp(this.#lane, sending.source, sending.destination);
      this.#options.onRefused(failureOf(error));
    }
  }

  async #route(association: Association, { destination, to, meant }: Sending): Promise<void> {
    if (!association.held.has(to.address)) {
      this.#options.meanings.acquire(to.address, to.port);
      association.held.add(to.address);
    }
    const target = await this.#targetOf(meant, association);
    if (association.number === undefined || this.#byKey.get(association.key) !== association) return;
    this.#native.routeUdp(association.number, destination, target);
  }

  async #targetOf(meant: Destination, { way, family }: Association): Promise<Buffer> {
    if (way.udp === 'socks') return socksAddress(meant);
    return writeAddress({ address: await resolveDirect(meant, family), port: meant.port });
  }

  #refuseWaiting(association: Association): void {
    for (const { source, destination } of association.waiting.splice(0))
      this.#native.refuseUdp(this.#lane, source, destination);
  }

  #begin({ from, to, meant }: Sending, via: string, rule?: string): Flow {
    return this.#table.begin({
      lane: this.#options.lane,
      proto: 'udp',
      sourcePort: from.port,
      host: meant.kind === 'name' ? meant.host : undefined,
      address: to.address,
      port: to.port,
      via,
      rule,
    });
  }

  /** What a rule refuses is to be seen in the list, too. The native part asks again only after some seconds. */
  #showRefused(sending: Sending, { rule, failure }: Extract<Verdict, { kind: 'refused' }>): void {
    this.#table.end(this.#begin(sending, 'blocked', rule), failure);
  }

  #numberOf(way: Way): number {
    const known = this.#wayNumbers.get(way);
    if (known !== undefined) return known;
    this.#lastWay += 1;
    this.#wayNumbers.set(way, this.#lastWay);
    return this.#lastWay;
  }

  /** A proxy closed its control connection: the association is over (RFC 1928 §7). */
  #ended(association: Association): void {
    if (this.#byKey.get(association.key) !== association || association.number === undefined) return;
    this.#native.dissociate(association.number);
    this.#forget(association, { code: 'proxy-closed' });
  }

  #expired(number: number, bytesUp: number, bytesDown: number): void {
    const association = this.#byNumber.get(number);
    if (association === undefined) return;
    this.#table.count(association.flow, bytesUp, bytesDown);
    this.#forget(association);
  }

  #forget(association: Association, failure?: Failure): void {
    if (!this.#byKey.delete(association.key)) return;
    if (association.number !== undefined) this.#byNumber.delete(association.number);
    association.control?.close();
    for (const address of association.held) this.#options.meanings.release(address);
    this.#table.end(association.flow, failure);
  }
}

function noteName(names: Map<number, string>, { kind, host, port }: Destination): void {
  if (kind === 'name' && !names.has(port)) names.set(port, host);
}
