/** A canary password, looked for wherever one could end up: it is in the place that it is kept in, and nowhere else. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { World, type RunOptions } from '../world/world.ts';

const user = 'culvert-a';

let world: World;
let product: Product;
/** Asks for a sign-in. Its users are the system's, so that it has no password in its own arguments. */
let work: Proxy;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
  work = await world.proxy('dante', { signIn: true });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const run = (args: readonly string[], options: RunOptions = {}) =>
  world.run([product.culvert, ...args], { user, ...options });
const must = (args: readonly string[], options: RunOptions = {}) =>
  world.must([product.culvert, ...args], { user, ...options });
const configFile = (name = 'culvert.json') => join(world.users[user].home, '.config', 'culvert', name);
const signInUrl = () => `socks5://${work.user}@${work.address}:${work.port}`;

beforeEach(async () => {
  await world.must(['sh', '-c', 'rm -rf ~/.config/culvert'], { user });
  await must(['profile', 'add', '--name', 'Work', '--password-stdin', signInUrl()], {
    stdin: `${work.password}\n`,
  });
});

test('a kept password is nowhere else: not in an argument, an environment, a log, or the configuration', async () => {
  const canary = work.password ?? '';
  await using running = world.spawn(
    [product.culvert, 'run', '-p', 'work', '--', 'sh', '-c', 'curl -sS http://a.test/; echo up; read line'],
    { user },
  );
  await running.says(/^up$/m);
  const seen = world.pids().flatMap((pid) =>
    ['cmdline', 'environ'].map((file) => ({
      what: `${file} of ${pid}`,
      text: readOr(`/proc/${pid}/${file}`),
    })),
  );
  // The positive control: what is looked for would be found there.
  expect(seen.some(({ text }) => text.includes('run\0-p\0work'))).toBe(true);
  expect(seen.some(({ text }) => text.includes(`USER=${user}`))).toBe(true);
  expect(seen.filter(({ text }) => text.includes(canary)).map(({ what }) => what)).toEqual([]);
  const found = await world.run(['grep', '-rlF', canary, world.users[user].home, `/run/user/20001`]);
  expect(found.stdout).toBe(`${configFile('secrets.json')}\n`);
  expect(statSync(configFile('secrets.json')).mode & 0o777).toBe(0o600);
  for (const verb of [
    ['profile', 'show', 'work'],
    ['profile', 'show', 'work', '--json'],
    ['profile', 'ls', '--json'],
    ['profile', 'export'],
    ['profile', 'export', '--json'],
    ['ps', '--json'],
  ]) {
    const { stdout, stderr } = await run(verb);
    expect(stdout + stderr, verb.join(' ')).not.toContain(canary);
  }
  // Nor in a core file: there is none, and nobody of the same user can read the engine's memory.
  expect(readOr(`/proc/${running.pid}/limits`)).toMatch(/^Max core file size +0 /m);
  expect(statSync(`/proc/${running.pid}/environ`).uid).toBe(0);
  running.child.stdin?.end('\n');
  expect(running.stdout + running.stderr).not.toContain(canary);
});

test('a wrong password is in no log and no message either when everything is told and everything goes wrong', async () => {
  const canary = 'canary-7f3a-wrong';
  await must(['profile', 'edit', 'work', '--password-stdin'], { stdin: `${canary}\n` });
  const env = { CULVERT_LOG: 'debug', CULVERT_PASSWORD: canary };
  const verbs: readonly (readonly string[])[] = [
    ['run', '-p', 'work', '--', 'sh', '-c', 'curl -sS http://a.test/; env; cat /proc/$PPID/environ; true'],
    ['run', '--proxy', signInUrl(), '--', 'sh', '-c', 'curl -sS http://a.test/; env'],
    ['run', '--proxy', `socks5://me:${canary}@`, '--', 'true'],
    ['run', '--proxy', `gopher://me:${canary}@h:1`, '--', 'true'],
    ['profile', 'add', `socks5://me:${canary}@h:99999`],
    ['profile', 'edit', 'work', '--add-server', `socks5://me:${canary}@h:x`],
    ['profile', 'test', 'work'],
    ['profile', 'test', 'work', '--json'],
    ['check', '-p', 'work', '--json'],
    ['doctor', '--json'],
    ['logs', '--json', '--lines', '1000'],
  ];
  for (const verb of verbs) {
    const { stdout, stderr } = await run(verb, { env });
    expect(stdout + stderr, verb.join(' ')).not.toContain(canary);
  }
  const imported = await run(['profile', 'import', '-', '--dry-run', '--json'], {
    stdin: `socks5://me:${canary}@h:99999\n{"${canary}":1}\n`,
    env,
  });
  expect(imported.stdout + imported.stderr).not.toContain(canary);
  // The control: what was tried has been written down.
  const state = join(world.users[user].home, '.local/state/culvert');
  expect((await world.run(['grep', '-rlF', 'chain.unreachable', state])).stdout).not.toBe('');
  const found = await world.run(['grep', '-rlF', canary, world.users[user].home, '/run/user/20001']);
  expect(
    found.stdout.split('\n').filter((path) => path !== '' && path !== configFile('secrets.json')),
  ).toEqual([]);
});

function readOr(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // It has ended meanwhile.
    return '';
  }
}
