/** What an ordinary user's window asks of its engine about the computer: doctor, log, and the text for a report. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { entryOf } from '#shared/log-lines.ts';
import { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { until } from '../world/until.ts';
import { World } from '../world/world.ts';
import { AppHost } from './app-host.ts';
import { install } from './app-stage.ts';
import { serverOf, writeConfig } from './settings.ts';

let world: World;
let product: Product;
let proxy: Proxy;
let host: AppHost;

beforeAll(async () => {
  world = await World.create();
  product = Product.install(world);
  proxy = await world.proxy('microsocks');
  const server = serverOf(proxy);
  writeConfig(world, {
    defaultProfile: 'moonbase',
    profiles: [{ id: 'moonbase', name: 'Moon base', chain: { mode: 'strict', servers: [server] } }],
  });
  const { home } = world.users['culvert-a'];
  install(world, 'visitor', `sh -c "curl -s http://example.test/ > ${join(home, 'page')}; sleep 1000"`);
  host = await AppHost.start(world, product);
});
afterAll(async () => {
  await host[Symbol.asyncDispose]();
  await until('nothing to be left', () => world.leftovers().length === 0);
  await world[Symbol.asyncDispose]();
});

test('the doctor says the same as on the command line, beside lanes that run, and leaves nothing', async () => {
  const { lanes } = await host.call('app.open', { app: 'visitor' });
  const lines = await host.call('doctor', {});
  const said = await world.run([product.culvert, 'doctor', '--json'], { user: 'culvert-a' });
  const { checks } = JSON.parse(said.stdout) as { checks: { id: string; state: string; title: string }[] };
  expect(lines.map(({ id, outcome, what }) => [id, outcome, what])).toEqual(
    checks.map(({ id, state, title }) => [id, state, title]),
  );
  expect(lines.find(({ id }) => id === 'lane')).toMatchObject({
    outcome: 'ok',
    found: expect.stringMatching(/made and removed, rootless/) as string,
  });
  expect((await host.lanes()).map(({ id }) => id)).toEqual(lanes);
  await host.clear();
});

test('the log is read as it was written, its newest lines only where fewer are wanted', async () => {
  const { path, text } = await host.call('log.read', { lines: 5000 });
  const events = text.split('\n').map((line) => entryOf(line)?.['event']);
  expect(path).toMatch(/culvert\/engine\.log$/);
  expect(events).toContain('lane.opened');
  expect(events[0]).toBe('engine.started');
  const { text: newest } = await host.call('log.read', { lines: 1 });
  expect(newest).toBe(text.split('\n').at(-1));
});

test('a report has no name of a host that was visited, unless names are to be kept', async () => {
  await host.call('app.open', { app: 'visitor' });
  await until('the visit', async () =>
    (await host.call('flows', {})).some(({ host: to }) => to === 'example.test'),
  );
  const { text, redacted } = await host.call('diagnostics.make', { keepNames: false });
  for (const name of ['example.test', proxy.address, 'moonbase', 'Moon base', 'culvert-a'])
    expect(text).not.toContain(name);
  expect(redacted).toBeGreaterThan(5);
  expect(text).toMatch(/tcp (?:open|closed) host-\d+:80 socks5:\/\/address-\d+:/);
  const kept = await host.call('diagnostics.make', { keepNames: true });
  expect(kept.redacted).toBe(0);
  expect(kept.text).toContain('example.test:80');
  await host.clear();
});

test('the place of passwords is told, with why it is no better one', async () => {
  expect(await host.call('secrets.place', {})).toMatchObject({
    place: 'file',
    notice: expect.stringMatching(/keyring/) as string,
  });
});
