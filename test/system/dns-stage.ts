/**
 * What the tests of DNS share: a world with a proxy, the servers of the host and of the internet that answer queries,
 * and a capture of what goes beside the proxy.
 */
import { expect } from 'vitest';
import { describePackets, type Capture } from '../world/capture.ts';
import { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import type { Servers } from '../world/servers.ts';
import { World, type WorldOptions } from '../world/world.ts';

/** An address that stands for a name on a lane. */
export const fakeV4 = /\b198\.1[89]\.[0-9]+\.[0-9]+\b/;

export class DnsStage implements AsyncDisposable {
  readonly world: World;
  readonly product: Product;
  readonly proxy: Proxy;
  readonly hostServers: Servers;
  readonly capture: Capture;

  private constructor(world: World, proxy: Proxy, hostServers: Servers, capture: Capture) {
    this.world = world;
    this.product = Product.install(world);
    this.proxy = proxy;
    this.hostServers = hostServers;
    this.capture = capture;
  }

  static async open(options: WorldOptions = {}): Promise<DnsStage> {
    const world = await World.create({ sudo: true, ...options });
    return new DnsStage(
      world,
      await world.proxy('microsocks'),
      await world.hostServers(),
      await world.capture(),
    );
  }

  /** The queries that a server of the internet or of the host has seen. */
  async queries(): Promise<string[]> {
    return [...(await this.world.internet.queries()), ...(await this.hostServers.queries())];
  }

  async forget(): Promise<void> {
    await Promise.all([this.world.internet.forget(), this.hostServers.forget(), this.capture.clear()]);
  }

  async expectNothingOutside(): Promise<void> {
    expect(describePackets(await this.capture.leaks(this.proxy.exceptions))).toBe('');
    expect(await this.queries()).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
  }
}
