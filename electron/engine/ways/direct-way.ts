/**
 * Out of the host namespace as it is: for profiles and rules that say so. Must not: reach the host's own loopback
 * (S10), whatever name leads there.
 */
import { lookup } from 'node:dns/promises';
import { BlockList, isIPv6 } from 'node:net';
import { CulvertError } from '#shared/failure.ts';
import { phrase } from '#shared/phrase.ts';
import type { ChainAssociation, ChainDialled } from '../upstream/chain.ts';
import type { DialOptions } from '../upstream/connection.ts';
import { destinationOf, type Destination } from '../upstream/destination.ts';
import { dialDirect } from '../upstream/dial.ts';
import type { Way, WayState } from './way.ts';

/** What the host keeps for itself: its loopback is not the app's; 0.0.0.0 and :: mean it as well. */
const hostOnly = new BlockList();
hostOnly.addSubnet('127.0.0.0', 8, 'ipv4');
hostOnly.addSubnet('0.0.0.0', 8, 'ipv4');
hostOnly.addAddress('::1', 'ipv6');
hostOnly.addAddress('::', 'ipv6');

export interface DirectOptions {
  /** The interface that everything leaves by, if not the one that the host's routes say. */
  readonly egress?: string | undefined;
  readonly tcpSocketOn: (family: 4 | 6, device: string) => number;
}

export class DirectWay implements Way {
  readonly via: string;
  readonly udp = 'direct';
  readonly carriesIpv6 = true;
  readonly egress: string | undefined;
  readonly socks5 = undefined;
  readonly state: WayState = { health: 'reachable' };
  readonly #options: DirectOptions;

  constructor(options: DirectOptions) {
    this.#options = options;
    this.egress = options.egress;
    this.via = options.egress === undefined ? 'direct' : `direct (${options.egress})`;
  }

  async dial(destination: Destination, options: DialOptions): Promise<ChainDialled> {
    const { egress, tcpSocketOn } = this.#options;
    const address = destinationOf(await resolveDirect(destination), destination.port);
    const bound = egress === undefined ? {} : { socketFor: (family: 4 | 6) => tcpSocketOn(family, egress) };
    return { ...(await dialDirect(address, { ...options, ...bound })), via: this.via };
  }

  associate(): Promise<ChainAssociation> {
    return Promise.reject(new CulvertError('internal', { detail: 'a direct way has no associations' }));
  }

  settled(): void {}

  /** There is nobody on the way who could be lost. */
  look(): Promise<boolean> {
    return Promise.resolve(true);
  }

  hold(): () => void {
    return () => {};
  }
}

/** A TCP port of this computer's own loopback, for profiles that open it to the app. */
export class LoopbackWay extends DirectWay {
  constructor(options: DirectOptions) {
    super({ tcpSocketOn: options.tcpSocketOn });
  }

  override async dial(destination: Destination, options: DialOptions): Promise<ChainDialled> {
    return { ...(await dialDirect(destination, options)), via: this.via };
  }
}

/**
 * The address that a direct connection goes to: looked up in the host namespace, never the host's loopback.
 * Throws `destination-unreachable` or `destination-blocked`.
 */
export async function resolveDirect({ host, kind }: Destination, family: 0 | 4 | 6 = 0): Promise<string> {
  const addresses = kind === 'name' ? await lookUp(host, family) : [host];
  const allowed = addresses.find((address) => !contains(hostOnly, address));
  if (allowed === undefined) {
    throw new CulvertError('destination-blocked', { detail: phrase('connection.own-loopback') });
  }
  return allowed;
}

async function lookUp(host: string, family: 0 | 4 | 6): Promise<string[]> {
  try {
    return (await lookup(host, { all: true, family })).map(({ address }) => address);
  } catch (error) {
    const words = (error as NodeJS.ErrnoException).code ?? String(error);
    const detail = phrase('connection.not-found', { words });
    throw new CulvertError('destination-unreachable', { detail, cause: error });
  }
}

function contains(list: BlockList, address: string): boolean {
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
