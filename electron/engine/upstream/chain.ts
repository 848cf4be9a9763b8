/**
 * A chain of upstreams as one way out: which servers a connection goes through, and the connection through them.
 *
 * Does: choose the path by the chain's mode, remember for a while which servers are dead, and say which one
 * failed. Must not: go past a server that its mode demands, or try another path because a destination was refused.
 */
import type { ChainMode } from '#shared/profile.ts';
import { CulvertError } from '#shared/failure.ts';
import type { Upstream } from '#shared/model.ts';
import type { Dialled, DialOptions } from './connection.ts';
import type { Destination } from './destination.ts';
import { dial } from './dial.ts';
import { formatUpstream } from './url.ts';
import { udpAssociate, type AssociateOptions, type UdpRelay } from './udp-associate.ts';

/** What a chain is; `upstreams` are those that are on, in their order. */
export interface ChainSpec {
  readonly mode: ChainMode;
  /** How many servers one connection goes through, 1 when not given; random and round-robin only. */
  readonly length?: number;
  readonly upstreams: readonly Upstream[];
  /** The host's interface from which the first server of a path is dialled. */
  readonly egress?: string;
}

/** What a chain needs from outside; all of it has a default but the maker of bound sockets. */
export interface ChainSurroundings {
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
  /** 0 up to but not including 1. */
  readonly random?: () => number;
  /** A non-blocking TCP socket that is bound to the interface; needed for `egress`. */
  readonly tcpSocketOn?: (family: 4 | 6, device: string) => number;
}

/** A connection through a chain; `via` names the servers that it goes through. */
export type ChainDialled = Dialled & { readonly via: string };

/** A UDP association through one or more SOCKS5 servers, until `close` or `onEnd`. */
export interface ChainAssociation {
  /** Where datagrams are sent to: the relay of the first server. */
  readonly relay: UdpRelay;
  /**
   * The relays of the further servers in the form of SOCKS5 (ATYP, address, port): destinations of the headers that
   * go in front of the header with the real destination, outermost first. Empty with one server.
   */
  readonly layers: readonly Buffer[];
  readonly via: string;
  /** Ends the association; `onEnd` is not called for it. */
  close(): void;
}

export class ChainDialler {
  readonly spec: ChainSpec;
  /** For people: the one server, or the mode and all servers in their order. */
  readonly via: string;
  /** Whether there is a path that can carry UDP; which ones do only `associate` finds out. */
  readonly carriesUdp: boolean;
  /** Whether every path can carry IPv6 destinations. */
  readonly carriesIpv6: boolean;
  /** Whether every path can carry names. */
  readonly carriesNames: boolean;

  constructor(spec: ChainSpec, _surroundings: ChainSurroundings = {}) {
    this.spec = spec;
    this.via = spec.upstreams.map(formatUpstream).join(' → ');
    this.carriesUdp = spec.upstreams.some(({ kind }) => kind === 'socks5');
    this.carriesIpv6 = spec.upstreams.every(({ kind }) => kind !== 'socks4' && kind !== 'socks4a');
    this.carriesNames = spec.upstreams.every(({ kind }) => kind !== 'socks4');
  }

  /** A connection to the destination. Rejects like `dial`, with `chain-empty` or with `chain-exhausted`. */
  async dial(destination: Destination, options: DialOptions = {}): Promise<ChainDialled> {
    const upstream = this.#only();
    return { ...(await dial(upstream, destination, options)), via: this.via };
  }

  /** A UDP association. Rejects like `udpAssociate`, with `chain-empty` or with `chain-exhausted`. */
  async associate(options: AssociateOptions = {}): Promise<ChainAssociation> {
    const association = await udpAssociate(this.#only(), options);
    return { relay: association.relay, layers: [], via: this.via, close: () => association.close() };
  }

  #only(): Upstream {
    const [first, ...more] = this.spec.upstreams;
    if (first === undefined) throw new CulvertError('chain-empty');
    if (more.length > 0) throw new CulvertError('internal', { detail: 'only chains of one server so far' });
    return first;
  }
}
