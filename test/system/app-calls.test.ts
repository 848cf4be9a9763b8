/** What the window asks of its engine about apps: the list, icons, dropped files, trust, launchers, the configuration. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ConfigView } from '#shared/app-protocol.ts';
import { appId } from '#shared/identity.ts';
import { Product } from '../world/product.ts';
import { until } from '../world/until.ts';
import { World } from '../world/world.ts';
import { AppHost } from './app-host.ts';
import { entryText, install, put } from './app-stage.ts';
import { writeConfig } from './settings.ts';

let world: World;
let product: Product;
let host: AppHost;
let home: string;

beforeAll(async () => {
  world = await World.create();
  product = Product.install(world);
  home = world.users['culvert-a'].home;
  host = await AppHost.start(world, product);
});
afterAll(async () => {
  await host[Symbol.asyncDispose]();
  await until('nothing to be left', () => world.leftovers().length === 0);
  await world[Symbol.asyncDispose]();
});
beforeEach(() => {
  writeConfig(world, { defaultProfile: 'none', apps: { maps: 'direct' } });
});

describe('the list of apps', () => {
  test('has what menus show, with the profile that each is bound to', async () => {
    const action = '[Desktop Action new]\nName=New\nExec=true --new\n';
    install(world, 'maps', 'true %U', `GenericName=Atlas\nKeywords=globe;\nActions=new;\n\n${action}`);
    install(world, 'hidden', 'true', 'NoDisplay=true\n');
    const apps = await host.call('app.list', {});
    expect(apps.find(({ id }) => id === 'maps')).toEqual({
      ...{ id: 'maps', name: 'The App', genericName: 'Atlas', keywords: ['globe'], profile: 'direct' },
      ...{ actions: [{ id: 'new', name: 'New' }], isTerminal: false, packaging: 'host', canSeparate: false },
    });
    expect(apps.map(({ id }) => id)).not.toContain('hidden');
    expect(apps.find(({ id }) => id === 'chromium')).toMatchObject({ canSeparate: true });
    expect((await host.call('app.list', { search: 'globe atl' })).map(({ id }) => id)).toEqual(['maps']);
  });

  test('follows what is bound and unbound', async () => {
    install(world, 'bound', 'true');
    const boundTo = async () => (await host.call('app.list', { search: 'bound' }))[0]?.profile;
    expect(await boundTo()).toBeUndefined();
    await host.call('app.bind', { app: 'bound', profile: 'direct' });
    expect(await boundTo()).toBe('direct');
    await host.call('app.unbind', { app: 'bound' });
    expect(await boundTo()).toBeUndefined();
    expect(await host.refused('app.bind', { app: 'bound', profile: 'no-such' })).toMatchObject({
      code: 'profile-unknown',
    });
  });
});

test('icons are answered as bytes where they are small pictures, and as none where not', async () => {
  const icons = {
    small: { file: 'small.png', bytes: png(100) },
    drawn: { file: 'drawn.svg', bytes: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>') },
    large: { file: 'large.png', bytes: png(300 * 1024) },
    old: { file: 'old.xpm', bytes: Buffer.from('/* XPM */ static char *old[] = {};') },
    secret: { file: 'secret.png', bytes: Buffer.from('no picture') },
  };
  for (const [id, { file, bytes }] of Object.entries(icons))
    install(world, id, 'true', `Icon=${put(world, `.icons/${file}`, bytes)}\n`);
  install(world, 'plain', 'true');
  install(world, 'outside', 'true', 'Icon=/etc/hostname\n');
  const icon = (app: string) => host.call('app.icon', { app, size: 32 });
  expect(await icon('small')).toEqual({ mime: 'image/png', data: icons.small.bytes.toString('base64') });
  expect(await icon('drawn')).toEqual({ mime: 'image/svg+xml', data: icons.drawn.bytes.toString('base64') });
  for (const app of ['large', 'old', 'secret', 'plain', 'outside', '/bin/true'])
    expect([app, await icon(app)]).toEqual([app, null]);
  expect(await icon('chromium')).toMatchObject({ mime: expect.stringMatching(/^image\//) as string });
  expect(await host.refused('app.icon', { app: 'no-such' })).toMatchObject({ code: 'app-unknown' });
});

/** A picture of one pixel, made long by a chunk that nobody reads. */
function png(length: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const size = Buffer.alloc(4);
    size.writeUInt32BE(data.length);
    return Buffer.concat([size, Buffer.from(type), data, Buffer.alloc(4)]);
  };
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', Buffer.from('00000001000000010800000000', 'hex')),
    chunk('prIV', Buffer.alloc(length)),
    chunk('IDAT', deflateSync(Buffer.alloc(2))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

describe('a path that is dropped', () => {
  const target = (path: string) => host.call('app.target', { path });

  test('is told for what it is', async () => {
    const script = put(world, 'script.sh', '#!/bin/sh -e\nexec sleep 600\n', 0o755);
    expect(await target('/bin/true')).toMatchObject({
      ...{ kind: 'program', format: 'elf', path: '/bin/true', isExecutable: true },
      app: { id: '/bin/true', name: 'true' },
    });
    expect(await target(`file://${script}`)).toMatchObject({
      ...{ kind: 'program', format: 'script', interpreter: '/bin/sh -e', path: script },
    });
    expect(await target(install(world, 'maps', 'true'))).toMatchObject({
      ...{ kind: 'entry', needsTrust: false, app: { id: 'maps', profile: 'direct' }, command: ['true'] },
    });
    const list = put(world, 'list.ppx', '<ProxifierProfile/>');
    expect(await target(list)).toEqual({ kind: 'import', path: list });
    expect(await target(home)).toMatchObject({ kind: 'refused', reason: 'folder', path: home });
    const refused = await target('https://example.test/');
    expect(refused).toMatchObject({ kind: 'refused', reason: 'remote' });
    expect(refused).toHaveProperty('sentence', expect.stringMatching(/\w/));
    for (const path of [list, home])
      expect(await host.refused('app.open', { app: path })).toMatchObject({ code: 'app-refused' });
  });

  test('and is a program without its bit is opened once it has it', async () => {
    const program = put(world, 'downloaded.sh', '#!/bin/sh\nexec sleep 600\n', 0o644);
    expect(await target(program)).toMatchObject({ isExecutable: false });
    expect(await host.refused('app.open', { app: program })).toMatchObject({
      code: 'command-not-executable',
    });
    await host.call('app.makeExecutable', { path: program });
    expect(statSync(program).mode & 0o777).toBe(0o744);
    expect((await host.call('app.open', { app: program })).lanes).toHaveLength(1);
    await host.clear();
    expect(await host.refused('app.makeExecutable', { path: '/etc/hosts' })).toMatchObject({
      code: 'app-refused',
    });
    expect(await host.refused('app.makeExecutable', { path: '/bin/true' })).toEqual({
      ...{ code: 'command-not-executable', detail: '/bin/true: EPERM' },
    });
  });

  test('and is an entry from elsewhere is opened by those who saw what it starts, and while it stays the same', async () => {
    const entry = put(world, 'Downloads/game.desktop', entryText('/bin/sleep 600'));
    const found = await target(entry);
    if (found.kind !== 'entry') throw new Error(`it is ${found.kind}`);
    expect(found).toMatchObject({ needsTrust: true, app: { id: entry }, command: ['/bin/sleep', '600'] });
    expect(await host.refused('app.open', { app: entry })).toEqual({
      code: 'app-untrusted',
      detail: '/bin/sleep 600',
    });
    expect(await host.refused('app.open', { app: entry, trusted: '0'.repeat(64) })).toMatchObject({
      code: 'app-untrusted',
    });
    expect(await host.refused('launcher.create', { app: entry, profile: 'none' })).toMatchObject({
      code: 'app-untrusted',
    });
    // Once, without being remembered.
    await host.call('app.open', { app: entry, trusted: found.mark });
    await host.clear();
    expect(await target(entry)).toMatchObject({ needsTrust: true });
    await host.call('app.trust', { path: entry, mark: found.mark });
    expect(await target(entry)).toMatchObject({ needsTrust: false });
    await host.call('app.open', { app: entry });
    await host.clear();
    put(world, 'Downloads/game.desktop', entryText('/bin/sleep 601'));
    expect(await host.refused('app.open', { app: entry })).toEqual({
      code: 'app-untrusted',
      detail: '/bin/sleep 601',
    });
  });
});

test('a launcher is made, listed, opens its app through its profile, and is removed', async () => {
  install(world, 'sleeper', '/bin/sleep 600');
  const made = await host.call('launcher.create', { app: 'sleeper', profile: 'direct' });
  expect(made).toMatchObject({ app: 'sleeper', profile: 'direct', name: 'The App (Direct (isolated))' });
  expect(made.id.startsWith(`${appId}.launcher.`)).toBe(true);
  expect(readFileSync(made.file, 'utf8')).toContain(`TryExec=${product.culvert}\n`);
  await world.must(['desktop-file-validate', made.file]);
  expect(await host.call('launcher.list', {})).toEqual([made]);
  await host.call('app.open', { app: made.file });
  expect((await host.lanes()).map(({ app, profile }) => [app, profile.id])).toEqual([['sleeper', 'direct']]);
  await host.clear();
  await host.call('launcher.remove', { id: made.id });
  expect(existsSync(made.file)).toBe(false);
  expect(await host.refused('launcher.remove', { id: made.id })).toMatchObject({ code: 'launcher-unknown' });
  const program = await host.call('launcher.create', { app: '/bin/true', profile: 'none', name: 'Nothing' });
  expect(program).toMatchObject({ app: '/bin/true', name: 'Nothing' });
  await host.call('launcher.remove', { id: program.id });
});

test('the configuration is read with all profiles, told when it changes, and when it is broken', async () => {
  const first = await host.call('config.watch', {});
  expect(first.config.defaultProfile).toBe('none');
  expect(first.profiles.map(({ id }) => id)).toEqual(['none', 'direct']);
  const told = (what: string, matches: (view: ConfigView) => boolean) =>
    until(what, () => (host.told('config') as ConfigView[]).findLast(matches));
  await host.call('app.bind', { app: 'mail', profile: 'direct' });
  await told('the binding', ({ config }) => config.apps['mail'] === 'direct');
  await host.call('profile.setDefault', { profile: 'direct' });
  await told('the default', ({ config }) => config.defaultProfile === 'direct');
  await host.call('profile.setDefault', {});
  await told('no default', ({ config }) => config.defaultProfile === undefined);
  writeConfig(world, { profiles: [{ id: 'work', name: 'Work', chain: { servers: [] } }] });
  await told('the new profile', ({ profiles }) => profiles[0]?.name === 'Work');
  writeConfig(world, { profiles: 7 });
  const broken = await told('the problem', ({ problem }) => problem?.code === 'config-invalid');
  expect(broken.config.profiles.map(({ id }) => id)).toEqual(['work']);
  expect(await host.call('config.read', {})).toEqual(broken);
  // An app is not opened by what is no longer written down.
  expect(await host.refused('app.open', { app: '/bin/true' })).toMatchObject({ code: 'config-invalid' });
});
