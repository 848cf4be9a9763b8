/**
 * What the tests of profiles share: a world with two proxies that name their destinations, a user's configuration,
 * a capture that sees what goes beside them, and a look at lanes and flows from outside.
 */
import { expect } from 'vitest';
import { ports } from '../world/addresses.ts';
import { describePackets, type Capture } from '../world/capture.ts';
import { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { until } from '../world/until.ts';
import { World } from '../world/world.ts';
import type { LaneShell } from './lane-shell.ts';
import { serverOf, writeConfig } from './settings.ts';

export interface Lane {
  readonly id: string;
  readonly via: string;
  readonly health: string;
  readonly profile: { readonly id?: string; readonly name: string };
  readonly notes: readonly string[];
}

export interface Flow {
  readonly host?: string;
  readonly address: string;
  readonly port: number;
  readonly via: string;
  readonly state: string;
  readonly rule?: string;
  readonly serverName?: string;
}

/** What a proxy has said of a destination: microsocks names it. */
export function said({ process }: Proxy, destination: string): boolean {
  return process.stderr.includes(`connected to ${destination}:`);
}

/** What it has said may still be on its way to here. */
export async function hears(proxy: Proxy, destination: string): Promise<void> {
  await until(`the proxy to name ${destination}`, () => said(proxy, destination));
}

/** A line for a lane's shell: a connection that stays open. */
export function listenTo(name: string): string {
  return `/usr/bin/python3 -c 'import socket; s = socket.create_connection(("${name}", ${ports.banner})); [0 for _ in iter(lambda: s.recv(65536), b"")]' &\n`;
}

/** A command for a lane that gets a page. */
export function fetchPage(name: string): string {
  return `curl -sS --max-time 5 http://${name}/`;
}

export class PolicyStage {
  readonly world: World;
  readonly product: Product;
  readonly one: Proxy;
  readonly two: Proxy;
  /** Where the rules of a test lead to besides. */
  readonly allowed: { address: string; port: number }[] = [];
  capture: Capture;

  private constructor(world: World, product: Product, proxies: readonly [Proxy, Proxy], capture: Capture) {
    this.world = world;
    this.product = product;
    [this.one, this.two] = proxies;
    this.capture = capture;
  }

  static async open(): Promise<PolicyStage> {
    const world = await World.create({ sudo: true });
    const proxies = [await world.proxy('microsocks'), await world.proxy('microsocks')] as const;
    await world.hostServers();
    return new PolicyStage(world, Product.install(world), proxies, await world.capture());
  }

  /** Everything by the first proxy, unless told otherwise. */
  profileOne(more: object = {}): object {
    return { id: 'one', name: 'One', chain: { servers: [serverOf(this.one)] }, ...more };
  }

  profileTwo(): object {
    return { id: 'two', name: 'Two', chain: { servers: [serverOf(this.two)] } };
  }

  /** Before each test: both profiles, and nothing captured. */
  async begin(): Promise<void> {
    writeConfig(this.world, { profiles: [this.profileOne(), this.profileTwo()] });
    await this.captureAnew();
  }

  /** Forgets what was captured; with `only` a filter for tests that move more than a capture can keep. */
  async captureAnew(only?: string): Promise<void> {
    await this.capture[Symbol.asyncDispose]();
    this.capture = await this.world.capture(only === undefined ? {} : { only });
  }

  /** After each test: whatever it did, no packet went beside the proxies. */
  async expectNoLeaks(): Promise<void> {
    const exceptions = [...this.one.exceptions, ...this.two.exceptions, ...this.allowed.splice(0)];
    const leaks = await this.capture.leaks(exceptions);
    expect(describePackets(leaks.slice(0, 10))).toBe('');
  }

  async laneOf(shell: LaneShell): Promise<Lane> {
    const text = await this.world.must([this.product.culvert, 'ps', '--json'], { user: 'culvert-a' });
    const { lanes } = JSON.parse(text) as { lanes: Lane[] };
    const found = lanes.find(({ id }) => id.startsWith(`${shell.running.pid}-`));
    if (found === undefined) throw new Error(`no such lane in ${text}`);
    return found;
  }

  async isHealth(shell: LaneShell, health: string): Promise<void> {
    await until(`the lane to be ${health}`, async () => (await this.laneOf(shell)).health === health);
  }

  async switchTo(shell: LaneShell, profile: string, ...options: string[]): Promise<string> {
    const { id } = await this.laneOf(shell);
    const command = [this.product.culvert, 'switch', id, profile, ...options];
    return this.world.must(command, { user: 'culvert-a' });
  }

  /** The flows of a shell's engine, asked for as the window does. */
  async flowsOf(shell: LaneShell): Promise<Flow[]> {
    const { uid } = this.world.users['culvert-a'];
    const script = `
import json, socket
s = socket.socket(socket.AF_UNIX); s.connect('/run/user/${uid}/culvert/engine-${shell.running.pid}.sock')
s.sendall(json.dumps({'jsonrpc': '2.0', 'id': 1, 'method': 'flows', 'params': {}}).encode() + bytes([10]))
print(s.makefile().readline())
`;
    const reply = await this.world.must(['/usr/bin/python3', '-c', script], { user: 'culvert-a' });
    return (JSON.parse(reply) as { result: Flow[] }).result;
  }

  async flowTo(shell: LaneShell, name: string): Promise<Flow | undefined> {
    return (await this.flowsOf(shell)).find(({ host, address }) => host === name || address === name);
  }
}
