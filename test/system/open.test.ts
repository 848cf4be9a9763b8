/** `culvert open` and launchers: desktop apps of an ordinary user, on lanes, with nothing of the window there. */
import { chmodSync, chownSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { describePackets, type Capture } from '../world/capture.ts';
import { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { greeting } from '../world/servers/web.ts';
import { until } from '../world/until.ts';
import { World, type RunOptions } from '../world/world.ts';

const user = 'culvert-a';

let world: World;
let product: Product;
let proxy: Proxy;
let capture: Capture;
let home: string;
/** A program of its own name, so that who runs it can be told. */
let napper: string;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
  proxy = await world.proxy('microsocks');
  home = world.users[user].home;
  napper = join(world.dir, 'napper');
  copyFileSync('/usr/bin/sleep', napper);
  chmodSync(napper, 0o755);
  script(
    'fetcher',
    'echo "asked for $1"\ncurl -sS "$1" > "$HOME/fetched.new"\nmv "$HOME/fetched.new" "$HOME/fetched"\nexec sleep 1000',
  );
  script('quick', 'exit 0');
  script('failing', 'exit 3');
  entry('fetcher', `${join(world.dir, 'fetcher')} %u`);
  entry('quick', join(world.dir, 'quick'));
  entry('failing', join(world.dir, 'failing'));
  entry('napper', `${napper} 1000`);
  await must(['profile', 'add', '--name', 'Work', '--default', proxy.url]);
  await must(['profile', 'add', '--name', 'Other', proxy.url]);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await world.must(['rm', '-f', join(home, 'fetched')], { user });
  capture = await world.capture();
});
afterEach(async () => {
  await run(['stop', '--all', '--force']);
  await until('everything to be gone', () => world.leftovers().length === 0, 10_000);
  const leaks = await capture.leaks(proxy.exceptions);
  await capture[Symbol.asyncDispose]();
  expect(describePackets(leaks)).toBe('');
});

function script(name: string, text: string): void {
  writeFileSync(join(world.dir, name), `#!/bin/sh\n${text}\n`);
  chmodSync(join(world.dir, name), 0o755);
}

function entry(id: string, exec: string, folder = join(home, '.local/share/applications')): string {
  const file = join(folder, `${id}.desktop`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    file,
    `[Desktop Entry]\nType=Application\nName=The ${id}\nExec=${exec}\nCategories=Network;\n`,
  );
  for (let path = file; path !== home; path = dirname(path))
    chownSync(path, world.users[user].uid, world.users[user].gid);
  return file;
}

const run = (args: readonly string[], options: RunOptions = {}) =>
  world.run([product.culvert, ...args], { user, ...options });
const must = (args: readonly string[], options: RunOptions = {}) =>
  world.must([product.culvert, ...args], { user, ...options });

interface Lane {
  readonly id: string;
  readonly app: string;
  readonly name: string;
  readonly profile: { readonly id: string };
}

async function lanes(): Promise<Lane[]> {
  return (JSON.parse(await must(['ps', '--json'])) as { lanes: Lane[] }).lanes;
}

async function fetched(): Promise<string> {
  return until(
    'the app to have fetched',
    async () => {
      const { stdout, code } = await world.run(['cat', join(home, 'fetched')], { user });
      return code === 0 && stdout;
    },
    10_000,
  );
}

describe('an app that is opened', () => {
  test('runs on a lane, by its id, through the profile that it is bound to, until it ends', async () => {
    await must(['app', 'bind', 'fetcher', 'other']);
    await using running = world.spawn([product.culvert, 'open', 'fetcher', 'http://opened.test/'], { user });
    expect(await fetched()).toBe(greeting);
    expect(await lanes()).toMatchObject([{ app: 'fetcher', name: 'The fetcher', profile: { id: 'other' } }]);
    await must(['app', 'unbind', 'The fetcher']);
    expect(running.hasEnded).toBe(false);
    running.kill('SIGINT');
    expect(await running.ended).toMatchObject({ code: 0, signal: null });
    expect(await lanes()).toEqual([]);
  });

  test('in the background answers with its lane, and writes to a log', async () => {
    const { stdout, code } = await run([
      'open',
      '--detach',
      '-p',
      'other',
      'fetcher',
      '--',
      'http://back.test/',
    ]);
    expect(code).toBe(0);
    const [lane] = await lanes();
    expect(stdout).toBe(`${lane?.id}\n`);
    expect(lane?.profile.id).toBe('other');
    expect(await fetched()).toBe(greeting);
    const log = readFileSync(join(home, '.local/state/culvert/lanes', `${lane?.id}.log`), 'utf8');
    expect(log).toContain('asked for http://back.test/');
    await must(['stop', lane?.id ?? '']);
    await until('the lane to be gone', async () => (await lanes()).length === 0);
  });

  test('tells how it went when it ends by itself', async () => {
    const failing = await run(['open', 'failing']);
    expect(failing).toMatchObject({ code: 1, stdout: '' });
    expect(failing.stderr).toMatch(/^culvert: The failing ended with status 3 — /m);
    const back = await run(['open', '--detach', 'no-such-app']);
    expect(back).toMatchObject({ code: 3, stdout: '' });
    expect(back.stderr).toMatch(/^culvert: there is no such app — /);
  });

  test('with the profile that refuses everything has no network', async () => {
    await using running = world.spawn([product.culvert, 'open', '-p', 'none', 'fetcher', 'http://no.test/'], {
      user,
    });
    await running.says(/curl: \(\d+\)/);
    running.kill();
    await running.ended;
    expect(proxy.process.stderr).not.toContain('no.test');
  });
});

describe('an app that is open outside', () => {
  test('is refused with 8, and opens by the user’s word where it need not hand over', async () => {
    await using outside = world.spawn([napper, '1000'], { user });
    const refused = await run(['open', 'napper']);
    expect(refused).toMatchObject({ code: 8, stdout: '' });
    expect(refused.stderr).toMatch(
      new RegExp(`already open outside .*as process ${outside.pid}; close that one first, or use --anyway`),
    );
    const { code } = await run(['open', '--detach', '--anyway', 'napper']);
    expect(code).toBe(0);
    expect(await lanes()).toMatchObject([{ app: 'napper' }]);
    await outside.end();
    await must(['stop', '--all']);
  });

  test('and took over is told afterwards, also from the background', async () => {
    for (const way of [[], ['--detach']]) {
      const { code, stderr } = await run(['open', ...way, 'quick']);
      expect(code).toBe(8);
      expect(stderr).toMatch(/^culvert: the app is already open outside .*The quick ended after \d+ ms/m);
    }
  });
});

test('a browser that is open on a lane with the same profile takes over, and stays on it', async () => {
  const screen = ['-ac', '-nolisten', 'tcp', '-screen', '0', '800x600x24'];
  await using display = world.spawn(['Xvfb', '-displayfd', '1', ...screen]);
  const [, number = ''] = await display.says(/^([0-9]+)\n/);
  const address = `unix:path=/run/user/${world.users[user].uid}/bus`;
  const daemon = ['dbus-daemon', '--session', '--nofork', '--nopidfile', `--address=${address}`];
  await using bus = world.spawn([...daemon, '--print-address'], { user });
  await bus.says(/unix:path/);
  const env = { DISPLAY: `:${number}`, DBUS_SESSION_BUS_ADDRESS: address };
  const asked = (host: string) =>
    until(host, () => proxy.process.stderr.includes(`connected to ${host}:80`), 60_000);
  const open = ['open', '--separate-profile', '-p', 'work', 'firefox-esr'];

  await must([...open, '--detach', 'http://first.test/'], { env });
  await asked('first.test');
  const again = await run([...open, 'http://second.test/'], { env });
  expect(again).toMatchObject({ code: 0, stdout: '' });
  expect(again.stderr).toMatch(/opened in the window that runs — process \d+ is on an isolated network/);
  await asked('second.test');
  // The lane that handed over is gone, the one that took over is not.
  expect(await lanes()).toMatchObject([{ app: 'firefox-esr', profile: { id: 'work' } }]);
}, 180_000);

describe('a desktop entry from elsewhere', () => {
  test('is started once it is trusted, and asked for again when it has changed', async () => {
    const file = entry('mine', `${join(world.dir, 'failing')} one`, join(home, 'Downloads'));
    const refused = await run(['open', file]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^culvert: the app was not opened — .*it starts: .*failing one; --trust/);
    expect((await run(['open', '--trust', file])).stderr).toContain('ended with status 3');
    expect((await run(['open', file])).stderr).toContain('ended with status 3');
    entry('mine', `${join(world.dir, 'failing')} two`, join(home, 'Downloads'));
    expect((await run(['open', file])).stderr).toContain('--trust');
  });
});

describe('a launcher', () => {
  test('passes the desktop’s validator, and its Exec line opens the app through its profile', async () => {
    const id = (await must(['launcher', 'create', 'fetcher', '-p', 'other'])).trim();
    const file = join(home, '.local/share/applications', `${id}.desktop`);
    expect(await world.must(['desktop-file-validate', file])).toBe('');
    const exec = /^Exec=(.*) %U$/m.exec(readFileSync(file, 'utf8'))?.[1];
    expect(exec).toMatch(new RegExp(`^${product.culvert} open `));
    await using running = world.spawn(['sh', '-c', `exec ${exec} http://launched.test/`], { user });
    expect(await fetched()).toBe(greeting);
    expect(await lanes()).toMatchObject([{ app: 'fetcher', profile: { id: 'other' } }]);
    running.kill();
    await running.ended;

    expect(await must(['launcher', 'ls'])).toMatch(
      new RegExp(`^${id}\tThe fetcher \\(Other\\)\tfetcher\tother\t$`, 'm'),
    );
    await must(['launcher', 'rm', id]);
    expect(await must(['launcher', 'ls'])).toBe('');
    expect((await run(['launcher', 'rm', id])).code).toBe(3);
  });

  test('whose profile was deleted opens nothing and says so', async () => {
    await must(['profile', 'add', '--name', 'Gone', proxy.url]);
    const id = (await must(['launcher', 'create', napper, '-p', 'gone'])).trim();
    const { stderr } = await run(['profile', 'rm', 'gone']);
    expect(stderr).toContain(`culvert launcher rm ${id}`);
    expect(await must(['launcher', 'ls'])).toMatch(/its profile is gone$/m);
    const text = readFileSync(join(home, '.local/share/applications', `${id}.desktop`), 'utf8');
    const exec = /^Exec=(.*) %F$/m.exec(text)?.[1] ?? '';
    const opened = await world.run(['sh', '-c', exec], { user });
    expect(opened.code).toBe(3);
    expect(opened.stderr).toMatch(/there is no such profile/);
    await must(['launcher', 'rm', id]);
  });
});
