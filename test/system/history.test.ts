/** The traffic of the past, as engines tell it: what really went through a proxy is in it, to the last byte. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { HistorySeries } from '#shared/history-protocol.ts';
import { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { until } from '../world/until.ts';
import { World } from '../world/world.ts';
import { AppHost } from './app-host.ts';
import { install, put } from './app-stage.ts';
import { serverOf, writeConfig } from './settings.ts';

let world: World;
let product: Product;
let proxy: Proxy;
let host: AppHost;

beforeAll(async () => {
  world = await World.create();
  product = Product.install(world);
  proxy = await world.proxy('microsocks');
});
afterAll(async () => {
  await until('nothing to be left', () => world.leftovers().length === 0);
  await world[Symbol.asyncDispose]();
});
beforeEach(() => {
  configure();
});

function configure(history: object = {}): void {
  writeConfig(world, {
    profiles: [{ id: 'one', name: 'One', chain: { servers: [serverOf(proxy)] } }],
    apps: { busy: 'one', brief: 'one' },
    history,
  });
}

/** An app that runs a script. */
function app(id: string, script: string): void {
  install(world, id, put(world, `${id}.sh`, `#!/bin/sh\n${script}\n`, 0o755));
}

const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);
const total = (series: readonly HistorySeries[]) => ({
  up: sum(series.flatMap(({ up }) => up)),
  down: sum(series.flatMap(({ down }) => down)),
});

test('the past has every byte of every connection, also of an app that ended before it was counted', async () => {
  host = await AppHost.start(world, product);
  app(
    'busy',
    'for n in 1 2 3; do curl -sS http://example.test/bytes/3000000 -o /dev/null; sleep 0.7; done; sleep 600',
  );
  app('brief', 'curl -sS http://example.test/bytes/777777 -o /dev/null');
  await host.call('app.open', { app: 'busy' });
  await host.call('app.open', { app: 'brief' });
  await until('the brief app to have ended', async () => (await host.lanes()).length === 1);
  await until('three downloads', async () => {
    const flows = await host.call('flows', {});
    return flows.filter(({ state, bytesDown }) => state === 'closed' && bytesDown > 3_000_000).length === 3;
  });
  const flows = await host.call('flows', {});
  const moved = {
    up: sum(flows.map(({ bytesUp }) => bytesUp)),
    down: sum(flows.map(({ bytesDown }) => bytesDown)),
  };
  expect(moved.down).toBeGreaterThan(9_777_777);
  for (const [step, seconds] of [
    [1, 900],
    [10, 3600],
    [60, 86_400],
  ] as const)
    expect(total((await host.call('history.read', { step, seconds })).series)).toEqual(moved);
  const { series, marks, from, at, gaps } = await host.call('history.read', { step: 1, seconds: 900 });
  expect(series.map(({ app: id, profile }) => [id, profile.id]).toSorted()).toEqual([
    ['brief', 'one'],
    ['busy', 'one'],
  ]);
  // Three downloads with pauses are not one.
  const busy = series.find(({ app: id }) => id === 'busy');
  expect(busy?.down.filter((bytes) => bytes > 0).length).toBeGreaterThanOrEqual(2);
  expect(marks.map(({ kind, app: id }) => `${kind} ${id}`).toSorted()).toEqual([
    'start brief',
    'start busy',
    'stop brief',
  ]);
  expect(gaps).toEqual([]);
  const { hosts } = await host.call('history.hosts', { from, to: at });
  expect(hosts).toEqual([{ host: 'example.test', ...moved, flows: 4 }]);
  expect((await host.call('history.hosts', { from, to: at, app: 'brief' })).hosts).toMatchObject([
    { flows: 1 },
  ]);
  await host.call('history.clear', {});
  expect((await host.call('history.read', { step: 60, seconds: 86_400 })).series).toEqual([]);
  await host.clear();
  await host[Symbol.asyncDispose]();
});

test('what is kept outlives the engine that saw it, for its owner only, and goes when it is cleared', async () => {
  const { home } = world.users['culvert-a'];
  const dir = join(home, '.local/state/culvert/history');
  const fetch = ['curl', '-sS', 'http://example.test/bytes/500000', '-o', '/dev/null'];
  await product.must(fetch, { profile: 'one' });
  expect(() => readdirSync(dir)).toThrow('ENOENT');
  configure({ keep: '7d' });
  await product.must(fetch, { profile: 'one' });
  const files = readdirSync(dir).map((name) => join(dir, name));
  expect(files).toHaveLength(1);
  for (const file of files) {
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).not.toContain('example.test');
  }
  host = await AppHost.start(world, product);
  const now = Date.now();
  const query = { from: now - 86_400_000, to: now + 60_000, step: 60 as const, without: [] };
  const past = await host.call('history.past', query);
  expect(past.series.map(({ app: id, profile }) => [id, profile.id])).toEqual([['curl', 'one']]);
  expect(total(past.series).down).toBeGreaterThan(500_000);
  expect(total(past.series).down).toBeLessThan(510_000);
  expect(past.marks.map(({ kind }) => kind)).toEqual(['start', 'stop']);
  expect(await host.call('history.state', {})).toMatchObject({ keep: '7d', hosts: false });
  await host.call('history.keep', { hosts: true });
  await product.must(fetch, { profile: 'one' });
  expect((await host.call('history.past', { ...query, hostsOf: '' })).hosts).toMatchObject([
    { host: 'example.test', flows: 1 },
  ]);
  await host.call('history.clear', {});
  expect(readdirSync(dir)).toEqual([]);
  expect((await host.call('history.past', query)).series).toEqual([]);
  await host[Symbol.asyncDispose]();
});
