/** The helper that `culvert run` begins before it knows all that it was told: it is there in time, or nothing is left. */
import { existsSync, readdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { until } from '../world/until.ts';
import { World } from '../world/world.ts';
import { serverOf, writeConfig } from './settings.ts';

let world: World;
let product: Product;
let proxy: Proxy;
const user = 'culvert-a';

beforeAll(async () => {
  world = await World.create();
  product = Product.install(world);
  proxy = await world.proxy('microsocks');
  const profile = { id: 'asks', name: 'asks', colour: '#3b6fd4', letter: 'P', isolation: 'helper' };
  writeConfig(world, {
    defaultProfile: 'asks',
    profiles: [{ ...profile, chain: { mode: 'strict', servers: [serverOf(proxy)] } }],
  });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});
afterEach(async () => {
  await until('nothing to be left', () => world.leftovers().length === 0);
  await until('no socket to be left', () => sockets().length === 0);
});

const sockets = (): string[] => {
  const dir = `/run/user/${world.users[user].uid}/culvert`;
  return existsSync(dir) ? readdirSync(dir).filter((name) => name.endsWith('.sock')) : [];
};
const run = (...words: string[]) => world.run([product.culvert, 'run', ...words], { user });

test.each([
  { why: 'an option that is not possible', words: ['--proxy', 'nonsense'], says: 'proxy', ends: 2 },
  {
    why: 'a way that is none',
    words: ['--isolation', 'perhaps', '--proxy', 'direct'],
    says: 'perhaps',
    ends: 2,
  },
  { why: 'a profile that is not there', words: ['-p', 'nobody'], says: 'nobody', ends: 125 },
])('is let go for $why', async ({ words, says, ends }) => {
  const { code, stderr } = await run(...words, '--', 'true');
  expect([code, stderr]).toEqual([ends, expect.stringContaining(says)]);
});

test('is not taken by a profile that wants the other way, and is let go', async () => {
  const { code, stderr } = await run('--', 'true');
  expect(code, stderr).toBe(125);
  expect(stderr).not.toContain('user namespaces');
});

test('is there when the password comes late', async () => {
  const command = `{ sleep 1; echo secret; } | ${product.culvert} run --password-stdin --proxy ${proxy.url.replace('://', '://u@')} -- true`;
  const { code, stderr } = await world.run(['sh', '-c', command], { user });
  expect(code, stderr).toBe(0);
});

test('leaves nothing when its command is ended in its first moments, and its socket goes with the next one', async () => {
  for (let ms = 0; ms < 200; ms += 25) {
    const command = [
      'timeout',
      `${ms / 1000 + 0.02}`,
      product.culvert,
      'run',
      '--proxy',
      proxy.url,
      '--',
      'true',
    ];
    const { code } = await world.run(command, { user });
    expect([0, 124]).toContain(code);
  }
  await until('the processes to be gone', () => world.leftovers().length === 0);
  expect((await run('--proxy', proxy.url, '--', 'true')).code).toBe(0);
  expect(sockets()).toEqual([]);
});
