/**
 * A way out for flows, as the relays of a lane see it: through a chain of proxies, or out of the host namespace as
 * it is. Several lanes may share one. Must not: choose another way when it fails (S6), unless it is made for that
 * (failover-way.ts).
 */
import type { Failure } from '#shared/failure.ts';
import type { LaneHealth } from '#shared/model.ts';
import type { ChainAssociation, ChainDialled } from '../upstream/chain.ts';
import type { DialOptions } from '../upstream/connection.ts';
import type { Destination } from '../upstream/destination.ts';
import type { AssociateOptions } from '../upstream/udp-associate.ts';
import type { Socks5 } from './socks5.ts';

/** Milliseconds for everything between accept and the first byte (S48). */
export const dialMs = 15_000;

export interface WayState {
  readonly health: LaneHealth;
  /** Why it is unreachable. */
  readonly trouble?: Failure;
}

export interface Way {
  /** For people: `socks5://host:port`, several with arrows between, or `direct`. */
  readonly via: string;
  /** How datagrams go: through SOCKS5 relays, from a socket of the host, or not at all. */
  readonly udp: 'socks' | 'direct' | 'none';
  readonly carriesIpv6: boolean;
  /** The host's interface that its first connections leave by. */
  readonly egress: string | undefined;
  /** The same way for the native pump, where that can go it by itself. */
  readonly socks5: Socks5 | undefined;
  /** Whether it could be reached when it was last tried. */
  readonly state: WayState;
  /** A TCP connection to the destination. Rejects with a CulvertError or the signal's reason. */
  dial(destination: Destination, options: DialOptions): Promise<ChainDialled>;
  /** An association through its proxies; only where `udp` is `socks`. */
  associate(options: AssociateOptions): Promise<ChainAssociation>;
  /** A dial of the pump's came through, or failed in this way. */
  settled(failure: Failure | undefined): void;
  /** Whether it can be reached now, without a destination; what is found is its `state`. */
  look(deadlineMs: number): Promise<boolean>;
  /** A lane uses it from now on, until the answer is called: `onChange` hears of each new `state`. */
  hold(onChange: () => void): () => void;
}
