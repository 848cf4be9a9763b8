/**
 * What the window asks of its engine about proxies that come from elsewhere and go there: imports, exports, and what
 * is found on this computer.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { describePackets } from '../world/capture.ts';
import { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { World } from '../world/world.ts';
import { AppHost } from './app-host.ts';
import { put } from './app-stage.ts';
import { outcomes, probe } from './reports.ts';
import { writeConfig } from './settings.ts';

let world: World;
let product: Product;
let host: AppHost;
/** Asks for a sign-in. */
let work: Proxy;
let home: Proxy;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
  work = await world.proxy('dante', { signIn: true });
  home = await world.proxy('microsocks');
  host = await AppHost.start(world, product, { all_proxy: 'socks5h://me:hunter2@proxy.example.test:1081' });
});
afterAll(async () => {
  await host[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await world.must(['sh', '-c', 'rm -rf ~/.config/culvert ~/.proxychains'], { user: 'culvert-a' });
  writeConfig(world, { probe });
});

const fileOf = (name: string) =>
  readFileSync(join(world.users['culvert-a'].home, '.config', 'culvert', name), 'utf8');

describe('an import', () => {
  const text = () => `${work.url}#Work\nhello\n${home.url}#Home\n`;

  test('changes nothing while it is a trial, and then brings profiles, passwords and a line for each line', async () => {
    const from = { kind: 'text', text: text() } as const;
    const before = fileOf('culvert.json');
    const trial = await host.call('profile.import', { from, isTrial: true });
    expect(trial).toMatchObject({ kind: 'links', rules: 0, passwords: 1 });
    expect(trial.profiles.map(({ id }) => id)).toEqual(['work', 'home']);
    expect(trial.lines.map(({ line, status }) => [line, status])).toEqual([
      [1, 'taken'],
      [2, 'invalid'],
      [3, 'taken'],
    ]);
    expect(fileOf('culvert.json')).toBe(before);
    const real = await host.call('profile.import', { from, isTrial: false });
    expect(real.profiles).toEqual(trial.profiles);
    expect(real.notice).toMatch(/cannot be stored safely/);
    expect(JSON.stringify([trial, real])).not.toContain(work.password);
    const report = await host.call('profile.test', {
      test: 'imported',
      of: { kind: 'profile', profile: 'work' },
    });
    expect(outcomes(report)).toMatchObject({ 'sign-in': 'ok' });
  });

  test('of a file is as of its text, and what is no file is refused at once', async () => {
    const path = put(world, 'proxies.txt', text());
    const from = { kind: 'file', path } as const;
    expect((await host.call('profile.import', { from, isTrial: false })).profiles).toHaveLength(2);
    const pipe = join(world.users['culvert-a'].home, 'pipe.txt');
    await world.must(['mkfifo', pipe], { user: 'culvert-a' });
    for (const other of [pipe, '/dev/zero', '/no/such', world.users['culvert-a'].home])
      expect(
        await host.refused('profile.import', { from: { kind: 'file', path: other }, isTrial: true }),
      ).toMatchObject({ code: 'import-invalid' });
  });

  test('of nothing that can be taken has its lines as a trial, and is refused in earnest', async () => {
    const from = { kind: 'text', text: 'hello\n' } as const;
    expect(await host.call('profile.import', { from, isTrial: true })).toMatchObject({
      profiles: [],
      lines: [{ line: 1, status: 'invalid' }],
    });
    expect(await host.refused('profile.import', { from, isTrial: false })).toMatchObject({
      code: 'import-invalid',
      detail: expect.stringMatching(/^line 1: /) as string,
    });
    const long = { kind: 'text', text: '名'.repeat(600_000) } as const;
    expect(await host.refused('profile.import', { from: long, isTrial: true })).toMatchObject({
      code: 'option-invalid',
    });
    expect(await host.call('profile.import', { from, isTrial: true })).toMatchObject({ kind: 'links' });
  });
});

test('an export has passwords only where these are asked for, and says what no link can say', async () => {
  await host.call('profile.add', { links: `${work.url}#Work` });
  await host.call('profile.add', { links: `${home.url}#Home` });
  const config = JSON.parse(fileOf('culvert.json')) as { profiles: object[] };
  writeConfig(world, {
    ...config,
    profiles: [...config.profiles, { id: 'shut', name: 'Shut', action: 'block' }],
  });
  const exported = (format: 'links' | 'json', withPasswords: boolean, profiles?: string[]) =>
    host.call('profile.export', {
      ...{ format, withPasswords },
      ...(profiles === undefined ? {} : { profiles }),
    });
  const bare = await exported('links', false);
  expect(bare.leftOut).toEqual(['Shut']);
  expect(bare.text).toBe(
    `socks5://${work.user}@${work.address}:${work.port}#Work\nsocks5://${home.address}:${home.port}#Home\n`,
  );
  expect((await exported('links', true, ['work'])).text).toBe(`${work.url}#Work\n`);
  expect((await exported('json', false)).text).not.toContain(work.password);
  const whole = await exported('json', true);
  expect(whole.text).toContain(work.password);
  expect(JSON.parse(whole.text)).toMatchObject({ culvert: 'export', profiles: [{}, {}, { id: 'shut' }] });
  expect(
    await host.refused('profile.export', { format: 'json', withPasswords: false, profiles: ['x'] }),
  ).toMatchObject({
    code: 'profile-unknown',
  });
});

test('proxies of this computer are found, and nothing leaves it for that', async () => {
  await using local = await world.proxy('microsocks', { at: 'host', port: 1080 });
  await using tor = await world.proxy('microsocks', { at: 'host', port: 9050 });
  const chains = join(world.users['culvert-a'].home, '.proxychains', 'proxychains.conf');
  put(
    world,
    '.proxychains/proxychains.conf',
    'strict_chain\n[ProxyList]\nsocks5 203.0.113.9 1080 me hunter2\nhttp 203.0.113.10 3128\n',
  );
  await using capture = await world.capture();
  const found = await host.call('proxy.found', {});
  expect(found.map(({ source, where, link }) => ({ source, where, link }))).toEqual([
    {
      source: 'environment',
      where: 'all_proxy',
      link: 'socks5://me@proxy.example.test:1081#proxy.example.test%3A1081',
    },
    { source: 'tor', where: undefined, link: `socks5://127.0.0.1:${tor.port}#Tor` },
    { source: 'port', where: undefined, link: `socks5://127.0.0.1:${local.port}#127.0.0.1%3A1080` },
    {
      ...{ source: 'proxychains', where: chains },
      link: 'socks5://me@203.0.113.9:1080#203.0.113.9%3A1080\nhttp://203.0.113.10:3128#203.0.113.10%3A3128',
    },
  ]);
  expect(JSON.stringify(found)).not.toContain('hunter2');
  expect(found[1]?.proxy).toMatchObject({ kind: 'socks5', name: 'Tor', hasPassword: false });
  expect(describePackets(await capture.packets(({ iface }) => iface !== 'lo'))).toBe('');
});

test('what lies in a file of proxychains and does not listen here is not offered', async () => {
  put(world, '.proxychains/proxychains.conf', '[ProxyList]\nsocks4 127.0.0.1 9050\n');
  const found = await host.call('proxy.found', {});
  expect(found.map(({ source }) => source)).toEqual(['environment']);
});
