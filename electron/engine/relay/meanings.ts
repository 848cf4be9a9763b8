/**
 * What the addresses that an app uses stand for: names that it asked for, or themselves. Must not: let an address
 * through that stood for a name which is no longer known (S16).
 */
import { CulvertError } from '#shared/failure.ts';
import { phrase } from '#shared/phrase.ts';
import type { FakePool } from '../dns/fake-pool.ts';
import { destinationOf, type Destination } from '../upstream/destination.ts';

/** The lane's own link, 192.0.0.0/29 and fdc0:1a7e::/126 as the kernel tells them: nothing is there but the relay. */
const ownLink = /^(?:192\.0\.0\.[0-7]|fdc0:1a7e::[1-3]?)$/;

export class Meanings {
  readonly #fakes: FakePool;

  constructor(fakes: FakePool) {
    this.#fakes = fakes;
  }

  /**
   * What the app means by an address: the name that it asked for, or the address. Throws `fake-address-unmapped`,
   * `destination-blocked` or `host-name-invalid`.
   */
  lookup(address: string, port: number): Destination {
    if (ownLink.test(address))
      throw new CulvertError('destination-blocked', { detail: phrase('connection.own-link') });
    const found = this.#fakes.lookup(address);
    if (found.kind === 'unmapped') throw new CulvertError('fake-address-unmapped', { detail: address });
    return destinationOf(found.kind === 'name' ? found.name : address, port);
  }

  /** The same, and a fake address keeps its name until `release` is called as often. */
  acquire(address: string, port: number): Destination {
    const meant = this.lookup(address, port);
    this.#fakes.acquire(address);
    return meant;
  }

  release(address: string): void {
    this.#fakes.release(address);
  }
}
