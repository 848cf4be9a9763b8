/**
 * The way out of a lane, as its relays see it: what an address that the app used stands for, and how a
 * connection to it is made. Must not: choose another way when one fails (S6).
 */
import { BlockList, isIPv6 } from 'node:net';
import { lookup } from 'node:dns/promises';
import { CulvertError } from '#shared/failure.ts';
import type { FakePool } from '../dns/fake-pool.ts';
import type { Route } from '../lane-spec.ts';
import type { Dialled, DialOptions } from '../upstream/connection.ts';
import { destinationOf, type Destination } from '../upstream/destination.ts';
import { dial, dialDirect } from '../upstream/dial.ts';
import { formatUpstream } from '../upstream/url.ts';
import { Socks5 } from './socks5.ts';

/** Milliseconds for everything between accept and the first byte (S48). */
export const dialMs = 15_000;

/** What the host keeps for itself: its loopback is not the app's (S10); 0.0.0.0 and :: mean it as well. */
const hostOnly = new BlockList();
hostOnly.addSubnet('127.0.0.0', 8, 'ipv4');
hostOnly.addSubnet('0.0.0.0', 8, 'ipv4');
hostOnly.addAddress('::1', 'ipv6');
hostOnly.addAddress('::', 'ipv6');
/** The lane's own link, 192.0.0.0/29 and fdc0:1a7e::/126 as the kernel tells them: nothing is there but the relay. */
const ownLink = /^(?:192\.0\.0\.[0-7]|fdc0:1a7e::[1-3]?)$/;

export class Way {
  readonly route: Route;
  readonly fakes: FakePool;
  /** For people: `socks5://host:port` or `direct`. */
  readonly via: string;
  /** The same way for the native pump, where that can go it by itself. */
  readonly socks5: Socks5 | undefined;

  constructor(route: Route, fakes: FakePool) {
    this.route = route;
    this.fakes = fakes;
    this.via = route.kind === 'direct' ? 'direct' : formatUpstream(route.upstream);
    const isSocks5 = route.kind === 'upstream' && route.upstream.kind === 'socks5';
    this.socks5 = isSocks5 ? new Socks5(route.upstream) : undefined;
  }

  /**
   * What the app means by an address: the name that it asked for, or the address. A fake address is held
   * until `release`. Throws `fake-address-unmapped`, `destination-blocked` or `host-name-invalid`.
   */
  acquire(address: string, port: number): Destination {
    if (ownLink.test(address))
      throw new CulvertError('destination-blocked', { detail: 'the lane’s own link' });
    const found = this.fakes.acquire(address);
    if (found.kind === 'unmapped') throw new CulvertError('fake-address-unmapped', { detail: address });
    try {
      return destinationOf(found.kind === 'name' ? found.name : address, port);
    } catch (error) {
      this.fakes.release(address);
      throw error;
    }
  }

  release(address: string): void {
    this.fakes.release(address);
  }

  /** A TCP connection to the destination by this way, and no other. */
  async dial(destination: Destination, options: DialOptions): Promise<Dialled> {
    if (this.route.kind === 'upstream') {
      const dialled = await dial(this.route.upstream, destination, options);
      this.socks5?.reached(dialled.socket.remoteAddress);
      return dialled;
    }
    return dialDirect(destinationOf(await resolveDirect(destination), destination.port), options);
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
    throw new CulvertError('destination-blocked', { detail: 'this computer’s own loopback' });
  }
  return allowed;
}

async function lookUp(host: string, family: 0 | 4 | 6): Promise<string[]> {
  try {
    return (await lookup(host, { all: true, family })).map(({ address }) => address);
  } catch (error) {
    const detail = `name not found: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
    throw new CulvertError('destination-unreachable', { detail, cause: error });
  }
}

function contains(list: BlockList, address: string): boolean {
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
