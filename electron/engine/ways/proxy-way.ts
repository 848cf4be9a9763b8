/**
 * The way through a chain of proxies. A chain that is one SOCKS5 server is dialled by the native pump, all others
 * here. Must not: reach a destination in any other way.
 */
import { CulvertError, failureOf, type Failure } from '#shared/failure.ts';
import { ChainDialler, type ChainAssociation, type ChainDialled } from '../upstream/chain.ts';
import type { ChainSpec, ChainSurroundings } from '../upstream/chain.ts';
import { connect } from '../upstream/attempt.ts';
import { remainingMs, withDeadline, type Dialled, type DialOptions } from '../upstream/connection.ts';
import { destinationOf, type Destination } from '../upstream/destination.ts';
import { peerOf } from '../upstream/dial.ts';
import { greet } from '../upstream/socks-sign-in.ts';
import type { Upstream } from '#shared/model.ts';
import { phrase } from '#shared/phrase.ts';
import type { AssociateOptions } from '../upstream/udp-associate.ts';
import { Socks5 } from './socks5.ts';
import type { Way, WayState } from './way.ts';
import { WayHealth } from './way-health.ts';

export class ProxyWay implements Way {
  readonly via: string;
  readonly udp: 'socks' | 'none';
  readonly carriesIpv6: boolean;
  readonly egress: string | undefined;
  readonly socks5: Socks5 | undefined;
  readonly #dialler: ChainDialler;
  readonly #surroundings: ChainSurroundings;
  readonly #health: WayHealth;

  /** Throws `proxy-url-invalid` for what no proxy can be told. */
  constructor(spec: ChainSpec, surroundings: ChainSurroundings) {
    this.#dialler = new ChainDialler(spec, surroundings);
    this.#surroundings = surroundings;
    this.via = this.#dialler.via;
    this.udp = this.#dialler.carriesUdp ? 'socks' : 'none';
    this.carriesIpv6 = this.#dialler.carriesIpv6;
    this.egress = spec.egress;
    const [only, ...more] = spec.upstreams;
    const isSocks5 = only?.kind === 'socks5' && more.length === 0;
    this.socks5 = isSocks5 ? new Socks5(only, spec.egress) : undefined;
    this.#health = new WayHealth({
      probe: (options) => this.#probe(options),
      now: surroundings.now ?? (() => performance.now()),
    });
  }

  get state(): WayState {
    return this.#health.state;
  }

  async dial(destination: Destination, options: DialOptions): Promise<ChainDialled> {
    try {
      const dialled = await this.#dialler.dial(destination, options);
      this.socks5?.reached(dialled.socket.remoteAddress);
      this.#health.settled(undefined);
      return dialled;
    } catch (error) {
      if (options.signal?.aborted !== true) this.#health.settled(failureOf(error));
      throw error;
    }
  }

  async associate(options: AssociateOptions): Promise<ChainAssociation> {
    try {
      const association = await this.#dialler.associate(options);
      this.#health.settled(undefined);
      return association;
    } catch (error) {
      if (options.signal?.aborted !== true) this.#health.settled(failureOf(error));
      throw error;
    }
  }

  settled(failure: Failure | undefined): void {
    this.#health.settled(failure);
  }

  hold(onChange: () => void): () => void {
    return this.#health.hold(onChange);
  }

  /** Whether the chain can be reached now; what it finds is the way's state. */
  look(deadlineMs: number): Promise<boolean> {
    return this.#health.look(deadlineMs);
  }

  /** To the first server, or for a strict chain through all to the last one. */
  async #probe(options: DialOptions): Promise<void> {
    const { mode, upstreams } = this.#dialler.spec;
    const before = upstreams.slice(0, -1);
    const last = upstreams.at(-1);
    if (mode === 'strict' && before.length > 0 && last !== undefined) {
      const dialler = new ChainDialler({ ...this.#dialler.spec, upstreams: before }, this.#surroundings);
      const limits = withDeadline(options);
      await greeted(last, await dialler.dial(destinationOf(last.host, last.port), limits), limits);
      return;
    }
    if (mode === 'strict' && last !== undefined) {
      await reach(last, { ...options, ...this.#socketFor() });
      return;
    }
    await this.#reachOne(options);
  }

  /** Enough that one of them is there; what a connection needs of the others it finds out itself. */
  async #reachOne(options: DialOptions): Promise<void> {
    const { upstreams } = this.#dialler.spec;
    if (upstreams.length === 0) throw new CulvertError('chain-empty');
    try {
      await Promise.any(upstreams.map((upstream) => reach(upstream, { ...options, ...this.#socketFor() })));
    } catch (error) {
      const [reason] = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
      const { mode, length = 1 } = this.#dialler.spec;
      const needed = mode === 'dynamic' ? 1 : length;
      const detail = phrase('proxy.needed-because', { have: 0, needed, why: failureOf(reason) });
      throw new CulvertError('chain-exhausted', { detail, cause: error });
    }
  }

  #socketFor(): Pick<DialOptions, 'socketFor'> {
    const { egress } = this;
    const make = this.#surroundings.tcpSocketOn;
    return egress === undefined || make === undefined ? {} : { socketFor: (family) => make(family, egress) };
  }
}

/** Connects to the server and leaves again. */
async function reach(upstream: Upstream, options: DialOptions): Promise<void> {
  const limits = withDeadline(options);
  await greeted(upstream, await connect({ peer: peerOf(upstream) }, limits), limits);
}

/**
 * A server that hangs can still be connected to: its kernel answers. A SOCKS5 server has to answer a greeting, too,
 * which is all that can be had of one without a sign-in or a destination.
 */
async function greeted(upstream: Upstream, connected: Dialled, limits: DialOptions): Promise<void> {
  if (upstream.kind !== 'socks5') {
    connected.socket.destroy();
    return;
  }
  const { signal } = limits;
  await greet(upstream, connected, {
    deadlineMs: remainingMs(limits),
    ...(signal === undefined ? {} : { signal }),
  });
}
