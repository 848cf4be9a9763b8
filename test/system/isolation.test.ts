/** How the window's engine makes its networks: what it finds out without asking, what it asks for, and lane by lane. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { HelperView } from '#shared/model.ts';
import { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { until } from '../world/until.ts';
import { World } from '../world/world.ts';
import { AppHost } from './app-host.ts';
import { install, put } from './app-stage.ts';
import { polkitAnswers, startPolkit } from './polkit.ts';
import { serverOf, writeConfig } from './settings.ts';

let world: World;
let product: Product;
let proxy: Proxy;
let host: AppHost;

const user = 'culvert-a';
const apps = ['first', 'second', 'third'] as const;

beforeAll(async () => {
  world = await World.create();
  product = Product.install(world);
  proxy = await world.proxy('microsocks');
  await startPolkit(world);
  const profiles = (['auto', 'rootless', 'helper'] as const).map((isolation) => ({
    ...{ id: isolation, name: isolation, colour: '#3b6fd4', letter: 'P', isolation },
    chain: { mode: 'strict', servers: [serverOf(proxy)] },
  }));
  writeConfig(world, { defaultProfile: 'auto', profiles });
  // What a lane's app sees of the users there are tells whether it is in a user namespace.
  put(world, 'app', '#!/bin/sh\ncat /proc/self/uid_map > "$1"\nexec sleep 1000\n', 0o755);
  const home = world.users[user].home;
  for (const name of apps) install(world, name, `${join(home, 'app')} ${join(home, `${name}.map`)}`);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});
afterEach(async () => {
  await host.clear();
  await host[Symbol.asyncDispose]();
  for (const app of apps) rmSync(join(world.users[user].home, `${app}.map`), { force: true });
  await until('nothing to be left', () => world.leftovers().length === 0);
});

const helpers = async (): Promise<HelperView[]> => (await host.call('snapshot', {})).helpers;

async function open(app: (typeof apps)[number], profile: string) {
  const { lanes } = await host.call('app.open', { app, profile });
  const map = () =>
    readFileSync(join(world.users[user].home, `${app}.map`), 'utf8')
      .trim()
      .split(/\s+/);
  await until('the app to have looked', () => {
    try {
      return map().length === 3;
    } catch {
      return false;
    }
  });
  const lane = (await host.lanes()).find(({ id }) => id === lanes[0]);
  return { mode: lane?.mode, users: map()[2] };
}

describe('where user namespaces are allowed', () => {
  test('a look makes a network without asking anybody, and leaves none', async () => {
    polkitAnswers(world, user, 'polkit.Result.NO');
    host = await AppHost.start(world, product);
    expect(await helpers()).toEqual([]);
    expect(await host.call('isolation.look', {})).toEqual({ mode: 'rootless', isProven: true });
    expect(await helpers()).toMatchObject([{ state: 'ready', mode: 'rootless' }]);
    expect(await host.call('isolation.allow', {})).toEqual({ mode: 'rootless', isProven: true });
    expect(await host.lanes()).toEqual([]);
  });

  test('each lane is made as its profile says, by a helper that starts when the first one wants it', async () => {
    polkitAnswers(world, user, 'polkit.Result.YES');
    host = await AppHost.start(world, product);
    expect(await open('first', 'auto')).toEqual({ mode: 'rootless', users: '1' });
    expect(await helpers()).toMatchObject([{ state: 'ready', mode: 'rootless' }]);
    expect(await open('second', 'helper')).toEqual({ mode: 'privileged', users: '4294967295' });
    expect(await open('third', 'rootless')).toEqual({ mode: 'rootless', users: '1' });
    expect(await helpers()).toMatchObject([
      { state: 'ready', mode: 'rootless', why: expect.stringContaining('no password') as string },
      { state: 'ready', mode: 'privileged', why: expect.stringContaining('polkit') as string },
    ]);
    const notes = (await host.lanes()).flatMap((lane) => lane.notes);
    expect(notes).toEqual([]);
  });

  test('permission that is not given opens nothing, and keeps nobody from the other way', async () => {
    polkitAnswers(world, user, 'polkit.Result.NO');
    host = await AppHost.start(world, product);
    expect(await host.refused('app.open', { app: 'first', profile: 'helper' })).toMatchObject({
      code: 'pkexec-refused',
    });
    expect(await helpers()).toEqual([]);
    expect(await open('second', 'auto')).toEqual({ mode: 'rootless', users: '1' });
    expect(await host.lanes()).toHaveLength(1);
  });
});

describe('where user namespaces are not allowed', () => {
  beforeAll(async () => {
    await world.shell('mount --bind /bin/false /usr/bin/unshare');
    return () => world.shell('umount /usr/bin/unshare');
  });

  test('a look says so and what could be asked for; allowing asks, and each refusal is told by its name', async () => {
    polkitAnswers(world, user, 'polkit.Result.NO');
    host = await AppHost.start(world, product);
    const refused = { mode: 'privileged', isProven: false, failure: { code: 'userns-forbidden' } };
    expect(await host.call('isolation.look', {})).toMatchObject(refused);
    expect(await host.refused('isolation.allow', {})).toMatchObject({ code: 'pkexec-refused' });
    polkitAnswers(world, user, 'polkit.Result.AUTH_ADMIN');
    await until('polkit to have read its rule', async () => {
      return (await host.refused('isolation.allow', {})).code === 'pkexec-no-agent';
    });
    expect(await host.call('isolation.look', {})).toMatchObject(refused);
    polkitAnswers(world, user, 'polkit.Result.YES');
    await until('polkit to have read its rule', async () => {
      const { code } = (await host.call('isolation.allow', {}).catch(() => ({ code: 1 }))) as {
        code?: number;
      };
      return code === undefined;
    });
    expect(await host.call('isolation.look', {})).toEqual({ mode: 'privileged', isProven: true });
    expect(await helpers()).toMatchObject([{ state: 'ready', mode: 'privileged' }]);
    expect(await open('third', 'auto')).toEqual({ mode: 'privileged', users: '4294967295' });
  });
});
