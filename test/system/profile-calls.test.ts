/**
 * What the window asks of its engine about profiles, over a real control socket and with real proxies: adding with a
 * password, saving, testing line by line and removing.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { builtIns, config as configSchema, type Profile } from '#shared/profile.ts';
import { Hostile } from '../hostile/hostile.ts';
import { describePackets } from '../world/capture.ts';
import { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { greeting } from '../world/servers/web.ts';
import { until } from '../world/until.ts';
import { World } from '../world/world.ts';
import { AppHost } from './app-host.ts';
import { put } from './app-stage.ts';
import { outcomes, probe } from './reports.ts';
import { serverOf, writeConfig } from './settings.ts';

let world: World;
let product: Product;
let host: AppHost;
let hostile: Hostile;
/** Asks for a sign-in. */
let work: Proxy;
let home: Proxy;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
  hostile = await Hostile.start(world);
  work = await world.proxy('dante', { signIn: true });
  home = await world.proxy('microsocks');
  host = await AppHost.start(world, product);
});
afterAll(async () => {
  await host[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await world.must(['sh', '-c', 'rm -rf ~/.config/culvert'], { user: 'culvert-a' });
  writeConfig(world, { probe });
});

const fileOf = (name: string) =>
  readFileSync(join(world.users['culvert-a'].home, '.config', 'culvert', name), 'utf8');
const configNow = () => v.parse(configSchema, JSON.parse(fileOf('culvert.json')));
const profileNow = (id: string): Profile => {
  const found = configNow().profiles.find((profile) => profile.id === id);
  if (found === undefined) throw new Error(`there is no ${id}`);
  return found;
};
const linesOf = (name: string) =>
  (host.told('testLine') as { test: string; line: { stage: string; outcome: string } }[])
    .filter((told) => told.test === name)
    .map(({ line }) => line);

describe('a profile that is added by its link', () => {
  test('is the default one when it is the first, keeps its password apart, and is tested line by line', async () => {
    const [read] = await host.call('proxy.read', { text: `${work.url}#Work` });
    expect(read).toEqual({
      ...{ kind: 'socks5', host: work.address, port: work.port, user: work.user },
      ...{ hasPassword: true, name: 'Work' },
    });
    const made = await host.call('profile.add', { links: `${work.url}#Work` });
    expect(made).toMatchObject({ id: 'work', name: 'Work', letter: 'W' });
    expect(configNow().defaultProfile).toBe('work');
    expect(fileOf('culvert.json')).not.toContain(work.password);
    expect(await host.call('profile.passwords', { profile: 'work' })).toEqual([
      { server: 's1', place: 'file' },
    ]);
    const report = await host.call('profile.test', { test: 'one', of: { kind: 'profile', profile: 'work' } });
    expect(outcomes(report)).toMatchObject({ reach: 'ok', 'sign-in': 'ok', web: 'ok', udp: 'ok' });
    expect(linesOf('one')).toEqual(report.lines);
    const second = await host.call('profile.add', { links: home.url, name: 'Home' });
    expect(second.id).toBe('home');
    expect(configNow().defaultProfile).toBe('work');
  });

  test('is refused with the reason and without its text where it is none', async () => {
    for (const links of ['', '# nothing', 'vmess://hunter2', 'socks5://me:hunter2@']) {
      const failure = await host.refused('profile.add', { links });
      expect(failure.code).toBe('proxy-url-invalid');
      expect(JSON.stringify(failure)).not.toContain('hunter2');
    }
    expect(await host.refused('proxy.read', { text: 'vmess://x' })).toMatchObject({
      detail: expect.stringMatching(/VMess is not a SOCKS or HTTP proxy/) as string,
    });
  });

  test('is gone again where its password cannot be kept', async () => {
    put(world, '.config/culvert/secrets.json', 'this is not what it should be', 0o600);
    expect(await host.refused('profile.add', { links: work.url, name: 'Work' })).toMatchObject({
      code: 'secret-unreadable',
    });
    expect(configNow().profiles).toEqual([]);
    expect(configNow().defaultProfile).toBeUndefined();
  });
});

test('links and drafts are tested before anything of them is written', async () => {
  const links = await host.call('profile.test', { test: 'links', of: { kind: 'links', links: work.url } });
  expect(outcomes(links)).toMatchObject({ 'sign-in': 'ok', web: 'ok' });
  const draft: Profile = {
    ...{ ...builtIns.none, id: 'draft', name: 'Draft', action: 'proxy' },
    chain: {
      mode: 'strict',
      servers: [
        {
          ...(serverOf(work) as never as { kind: 'socks5'; host: string; port: number }),
          id: 's1',
          user: work.user ?? '',
        },
      ],
    },
  };
  const tried = async (password: string | null) =>
    outcomes(
      await host.call('profile.test', {
        test: 'draft',
        of: { kind: 'draft', profile: draft, passwords: [{ server: 's1', password }] },
      }),
    );
  expect(await tried('not the password')).toMatchObject({ 'sign-in': 'failed' });
  expect(await tried(work.password ?? '')).toMatchObject({ 'sign-in': 'ok', web: 'ok' });
  expect(configNow().profiles).toEqual([]);
  expect(fileOf('culvert.json')).not.toContain('draft');
});

describe('a test that is under way', () => {
  const isDialling = async () =>
    (await world.must(['ss', '-Htn', 'state', 'syn-sent'])).includes(new URL(hostile.deadUrl).hostname);

  test('ends when it is told to, with what it has found', async () => {
    const begin = performance.now();
    const running = host.call('profile.test', {
      test: 'dead',
      of: { kind: 'links', links: hostile.deadUrl },
    });
    await until('the proxy to be dialled', isDialling);
    await host.call('profile.endTest', { test: 'another' });
    await host.call('profile.endTest', { test: 'dead' });
    expect(await running).toEqual({ outcome: 'unknown', lines: [] });
    expect(performance.now() - begin).toBeLessThan(3500);
  });

  test('ends with the connection that asked for it', async () => {
    await using other = await AppHost.start(world, product);
    other.begin('profile.test', { test: 'dead', of: { kind: 'links', links: hostile.deadUrl } });
    await until('the proxy to be dialled', isDialling);
    await other.loseAsker();
    await until('nobody to dial any more', async () => !(await isDialling()), 2000);
  });
});

describe('a profile that is saved', () => {
  test('is used by apps that run already, with another password and other servers', async () => {
    await host.call('profile.add', {
      links: `socks5://${work.user}:wrong@${work.address}:${work.port}`,
      name: 'Work',
    });
    const script = put(
      world,
      'fetcher.sh',
      '#!/bin/sh\nwhile :; do curl -sS --max-time 2 "http://page.example.test/" >>"$HOME/pages" 2>&1; sleep 0.2; done\n',
      0o755,
    );
    const pages = () => readFileSync(join(world.users['culvert-a'].home, 'pages'), 'utf8');
    await using capture = await world.capture();
    await host.call('app.open', { app: script, profile: 'work' });
    await until('the proxy to refuse', () => pages().includes('curl:'));
    expect(pages()).not.toContain(greeting);
    const profile = profileNow('work');
    await host.call('profile.save', {
      profile,
      passwords: [{ server: 's1', password: work.password ?? '' }],
    });
    await until('a page through the proxy', () => pages().includes(greeting));
    const other = serverOf(home, 's2') as Profile['chain']['servers'][number];
    await host.call('profile.save', {
      profile: { ...profile, chain: { mode: 'strict', servers: [other] } },
      passwords: [],
    });
    await until('the other proxy to be asked', () =>
      home.process.stderr.includes('connected to page.example.test'),
    );
    expect(fileOf('secrets.json')).not.toContain('work/s1');
    expect(await host.call('profile.passwords', { profile: 'work' })).toEqual([]);
    await host.clear();
    expect(describePackets(await capture.leaks([...work.exceptions, ...home.exceptions]))).toBe('');
  });

  test('by the command line with another password is used by apps that run already', async () => {
    await host.call('profile.add', {
      links: `socks5://${work.user}:wrong@${work.address}:${work.port}`,
      name: 'Work',
    });
    const script = put(
      world,
      'later.sh',
      '#!/bin/sh\nuntil curl -sS --max-time 2 "http://page.example.test/" >"$HOME/later" 2>&1; do sleep 0.2; done\nsleep 600\n',
      0o755,
    );
    const later = () => readFileSync(join(world.users['culvert-a'].home, 'later'), 'utf8');
    await host.call('app.open', { app: script, profile: 'work' });
    await until('the proxy to refuse', () => later().includes('curl:'));
    await world.must([product.culvert, 'profile', 'edit', 'work', '--password-stdin'], {
      user: 'culvert-a',
      stdin: `${work.password}\n`,
    });
    await until('a page through the proxy', () => later().includes(greeting));
    await host.clear();
  });

  test('names the fields that do not hold, as the profile has them, and nothing is written', async () => {
    await host.call('profile.add', { links: home.url, name: 'Home' });
    const before = fileOf('culvert.json');
    const profile = profileNow('home');
    const [server] = profile.chain.servers;
    if (server === undefined) throw new Error('no server');
    const refused = (change: object) =>
      host.refused('profile.save', { profile: { ...profile, ...change }, passwords: [] });
    expect(await refused({ name: '' })).toMatchObject({
      code: 'config-invalid',
      detail: 'field name: must not be empty',
      phrase: { key: 'config.problems' },
    });
    expect(await refused({ chain: { mode: 'strict', servers: [{ ...server, port: 0 }] } })).toMatchObject({
      detail: expect.stringMatching(/^field chain\.servers\[0\]\.port: must be at least 1/) as string,
    });
    expect(
      await refused({ chain: { mode: 'strict', servers: [{ ...server, host: 'two words' }] } }),
    ).toMatchObject({
      detail: expect.stringMatching(/^field chain\.servers\[0\]\.host: /) as string,
    });
    expect(await refused({ id: 'no-such' })).toMatchObject({ code: 'profile-unknown' });
    expect(await refused({ id: 'direct' })).toMatchObject({ code: 'option-invalid' });
    expect(fileOf('culvert.json')).toBe(before);
  });

  test('as a new one gets an id of its name, and its copy the password too', async () => {
    const { id: _, ...server } = { ...serverOf(work), user: work.user ?? '' };
    const made = await host.call('profile.save', {
      profile: {
        ...{ ...builtIns.none, id: 'none', name: 'My office', action: 'proxy' },
        chain: {
          mode: 'strict',
          servers: [{ ...(server as { kind: 'socks5'; host: string; port: number; user: string }), id: 'a' }],
        },
      },
      isNew: true,
      passwords: [{ server: 'a', password: work.password ?? '' }],
    });
    expect(made.id).toBe('my-office');
    const copy = await host.call('profile.duplicate', { profile: 'my-office' });
    expect(copy).toMatchObject({ id: 'my-office-copy', name: 'My office (copy)' });
    const report = await host.call('profile.test', {
      test: 'copy',
      of: { kind: 'profile', profile: 'my-office-copy' },
    });
    expect(outcomes(report)).toMatchObject({ 'sign-in': 'ok', web: 'ok' });
    await host.call('profile.save', {
      profile: profileNow('my-office'),
      passwords: [{ server: 'a', password: null }],
    });
    expect(await host.call('profile.passwords', { profile: 'my-office' })).toEqual([]);
    expect(await host.call('profile.passwords', { profile: 'my-office-copy' })).toHaveLength(1);
  });
});

test('a profile in use tells what uses it, and goes with its password only when it is forced', async () => {
  await host.call('profile.add', { links: work.url, name: 'Work' });
  await host.call('app.bind', { app: 'maps', profile: 'work' });
  const launcher = await host.call('launcher.create', {
    app: '/bin/true',
    profile: 'work',
    name: 'True by work',
  });
  expect(await host.call('profile.uses', { profile: 'work' })).toEqual({
    ...{ isDefault: true, apps: ['maps'], rules: [], failovers: [], launchers: ['True by work'] },
  });
  expect(await host.refused('profile.remove', { profile: 'work' })).toMatchObject({
    code: 'profile-in-use',
    detail: 'work: default profile; apps maps',
    phrase: { key: 'config.used', values: { id: 'work' } },
  });
  await host.call('profile.remove', { profile: 'work', force: true });
  expect(configNow().profiles).toEqual([]);
  expect(configNow().apps).toEqual({});
  expect(fileOf('secrets.json')).not.toContain('work');
  expect(await host.refused('profile.uses', { profile: 'work' })).toMatchObject({ code: 'profile-unknown' });
  await host.call('launcher.remove', { id: launcher.id });
});
