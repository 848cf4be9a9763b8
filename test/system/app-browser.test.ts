/**
 * A real browser opened as the window opens it: refused while it runs outside, and opened beside that with a profile
 * of its own, where a second window joins it.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { host as address } from '../world/addresses.ts';
import { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { until } from '../world/until.ts';
import { World } from '../world/world.ts';
import { AppHost } from './app-host.ts';
import { serverOf, writeConfig } from './settings.ts';

/** A browser takes its time on a machine that does other things besides. */
const browserMs = 60_000;

let world: World;
let product: Product;
let proxy: Proxy;
let host: AppHost;
let env: Record<string, string>;

beforeAll(async () => {
  world = await World.create();
  product = Product.install(world);
  proxy = await world.proxy('microsocks');
  const display = await world
    .spawn(['Xvfb', '-displayfd', '1', '-ac', '-nolisten', 'tcp', '-screen', '0', '800x600x24'])
    .says(/^([0-9]+)\n/);
  env = { DISPLAY: `:${display[1] ?? ''}` };
  writeConfig(world, {
    defaultProfile: 'work',
    profiles: [{ id: 'work', name: 'Work', chain: { servers: [serverOf(proxy)] } }],
  });
  host = await AppHost.start(world, product, env);
});
afterAll(async () => {
  await host[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

/** Names of the hosts that the world's host asked for itself, outside of any lane. */
async function askedByHost(): Promise<string[]> {
  const seen = await world.internet.seen();
  return seen
    .filter(({ peer, port }) => peer === address.v4 && port === 53)
    .map(({ asked = '' }) => asked.split(' ').at(-1) ?? '');
}
const said = (name: string) => proxy.process.stderr.includes(`connected to ${name}:80`);

test('Chromium that is open outside is refused, and opens beside it with a profile of its own', async () => {
  const outside = world.spawn(['chromium', 'http://outside.example.test/'], { user: 'culvert-a', env });
  await until('its page', async () => (await askedByHost()).includes('outside.example.test'), browserMs);
  const args = ['http://own.example.test/'];
  expect(await host.refused('app.open', { app: 'chromium', args, anyway: true })).toMatchObject({
    code: 'app-running-outside',
  });
  expect(await host.call('app.instance', { app: 'chromium' })).toMatchObject({
    ...{ kind: 'chromium', place: 'outside', certainty: 'certain' },
    ways: ['close-and-reopen', 'separate-profile'],
  });
  expect(await host.lanes()).toEqual([]);

  expect(await host.call('app.instance', { app: 'chromium', separate: true })).toBeNull();
  const { lanes } = await host.call('app.open', { app: 'chromium', args, separate: true });
  await until('the page through the proxy', () => said('own.example.test'), browserMs);
  // A second window of the same profile joins the first, on its lane.
  const more = ['http://joined.example.test/'];
  const second = await host.call('app.open', { app: 'chromium', args: more, separate: true });
  await until('the second page through the proxy', () => said('joined.example.test'), browserMs);
  await until('the second to be over', async () => (await host.lanes()).length === 1, browserMs);
  expect((await host.lanes()).map(({ id }) => id)).toEqual(lanes);
  expect(second.lanes).not.toEqual(lanes);
  expect(host.told('notice')).toEqual([]);
  for (const page of ['own.example.test', 'joined.example.test'])
    expect(await askedByHost()).not.toContain(page);
  await host.clear();
  await outside.end('SIGTERM', 10_000);
});
