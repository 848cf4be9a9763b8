/**
 * Real programs that are in no other test of lanes: apt, Node.js, sudo and what it starts, an app made with Electron.
 * build/docs/compatibility.md has all of them, with the tests that run them.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { repository } from '../world/artefact.ts';
import { describePackets, type Capture } from '../world/capture.ts';
import { isolations, Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { greeting } from '../world/servers/web.ts';
import { until } from '../world/until.ts';
import { World } from '../world/world.ts';
import { serverOf, writeConfig } from './settings.ts';

const user = 'culvert-a';
const page = 'http://example.test/';

let world: World;
let product: Product;
let proxy: Proxy;
let capture: Capture;
let display: string;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
  proxy = await world.proxy('microsocks');
  makeArchive(join(world.www, 'debian'));
  const screen = world.spawn([
    'Xvfb',
    '-displayfd',
    '1',
    '-ac',
    '-nolisten',
    'tcp',
    '-screen',
    '0',
    '800x600x24',
  ]);
  display = `:${(await screen.says(/^([0-9]+)\n/))[1] ?? ''}`;
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});
beforeEach(async () => {
  capture = await world.capture();
});
/** Whatever a test did, no packet went beside the proxy. */
afterEach(async () => {
  const leaks = await capture.leaks(proxy.exceptions);
  await capture[Symbol.asyncDispose]();
  expect(describePackets(leaks.slice(0, 10))).toBe('');
});

/** An archive of one package, as a plain web server serves it (Debian's repository format, the flat kind). */
function makeArchive(dir: string): void {
  const tree = join(world.dir, 'tree');
  mkdirSync(join(tree, 'DEBIAN'), { recursive: true });
  mkdirSync(dir);
  const control = `Package: greeting
Version: 1
Architecture: all
Maintainer: Nobody <nobody@example.test>
Description: says hello
`;
  writeFileSync(join(tree, 'DEBIAN/control'), control);
  const deb = join(dir, 'greeting_1_all.deb');
  execFileSync('dpkg-deb', ['-Znone', '--root-owner-group', '--build', tree, deb], { stdio: 'pipe' });
  const sha256 = createHash('sha256').update(readFileSync(deb)).digest('hex');
  const entry = `${control}Filename: ./${basename(deb)}\nSize: ${statSync(deb).size}\nSHA256: ${sha256}\n`;
  writeFileSync(join(dir, 'Packages'), entry);
}

/** A script that brings that package by apt, with books of its own. */
const bring = (dir: string): string => `set -e
mkdir -p ${dir}/lists/partial ${dir}/archives/partial
echo 'deb [trusted=yes] ${page}files/debian ./' > ${dir}/sources.list
touch ${dir}/status
cd ${dir}
options="-q -o Dir::Etc::sourcelist=${dir}/sources.list -o Dir::Etc::sourceparts=/dev/null -o Dir::State=${dir}
  -o Dir::State::status=${dir}/status -o Dir::Cache=${dir} -o APT::Sandbox::User=root -o Acquire::Retries=0"
apt-get $options update >&2
apt-get $options download greeting >&2
dpkg-deb -f greeting_1_all.deb Description`;

describe.each(isolations)('%s', (isolation) => {
  const run = (command: readonly string[]) => product.run(command, { proxy: proxy.url, isolation });

  test('apt reads an archive and brings a package of it', async () => {
    const outcome = await run(['sh', '-c', bring(join(world.users[user].home, `apt-${isolation}`))]);
    expect([outcome.stdout, outcome.code]).toEqual(['says hello\n', 0]);
  });

  test.each([
    ['fetch', `fetch('${page}').then((answer) => answer.text())`],
    [
      'http',
      `new Promise((resolve) => require('http').get('${page}', (answer) => {
        let text = ''; answer.on('data', (part) => text += part).on('end', () => resolve(text));
      }))`,
    ],
  ])('Node.js gets a page by its %s', async (_name, expression) => {
    const script = `${expression}.then((text) => process.stdout.write(text))`;
    expect(await run([process.execPath, '-e', script])).toMatchObject({ stdout: greeting, code: 0 });
  });
});

describe('sudo inside', () => {
  test('makes root of a command, and what root sends goes through the proxy too', async () => {
    const options = { proxy: proxy.url, isolation: 'helper' } as const;
    const outcome = await product.run(['sudo', '-n', 'sh', '-c', `id -un; curl -sS ${page}`], options);
    expect(outcome).toMatchObject({ stdout: `root\n${greeting}`, code: 0 });
    const brought = await product.run(['sudo', '-n', 'sh', '-c', bring('/run/apt-of-root')], options);
    expect([brought.stdout, brought.code]).toEqual(['says hello\n', 0]);
  });

  test('finds no way to root where lanes are made without one, and says so itself', async () => {
    const outcome = await product.run(['sudo', '-n', 'id', '-un'], {
      proxy: proxy.url,
      isolation: 'rootless',
    });
    expect(outcome.code).not.toBe(0);
    expect([outcome.stdout, outcome.stderr]).toEqual(['', expect.stringMatching(/^sudo: /)]);
  });
});

describe('an app made with Electron', () => {
  let program: string;

  beforeAll(async () => {
    const find = join(repository, 'build/electron-runtime.js');
    const electron = execFileSync(process.execPath, [find], { encoding: 'utf8' }).trim();
    // As editors have it: Electron's files, its program by the name of the app, the app in its resources.
    const dir = join(world.dir, 'tiny');
    program = join(dir, 'tiny');
    await world.shell(`cp -al ${dirname(electron)} ${dir} || cp -a ${dirname(electron)} ${dir}
      mv ${dir}/electron ${program}; rm ${dir}/resources/default_app.asar; chmod 755 ${dir} ${dir}/resources`);
    const app = join(dir, 'resources/app');
    mkdirSync(app);
    writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'tiny', main: 'main.js' }));
    // One instance, to which a second one hands over.
    writeFileSync(
      join(app, 'main.js'),
      `const { app, BrowserWindow } = require('electron');
if (!app.requestSingleInstanceLock()) {
  console.log('handed over');
  app.quit();
} else {
  app.on('second-instance', () => console.log('somebody came'));
  app.whenReady().then(async () => {
    const window = new BrowserWindow({ webPreferences: { sandbox: true } });
    const text = window.loadURL(process.env.TINY_PAGE).then(() => window.webContents.executeJavaScript('document.body.innerText'));
    console.log('the page says:', await text.catch((error) => error.code));
    if (process.env.TINY_STAYS === undefined) app.quit();
  });
}
`,
    );
    const entries = join(world.users[user].home, '.local/share/applications');
    mkdirSync(entries, { recursive: true });
    writeFileSync(
      join(entries, 'tiny.desktop'),
      `[Desktop Entry]\nType=Application\nName=Tiny\nExec=${program}\n`,
    );
    writeConfig(world, {
      defaultProfile: 'work',
      profiles: [{ id: 'work', name: 'Work', chain: { servers: [serverOf(proxy)] } }],
    });
  });

  const env = (): Record<string, string> => ({
    DISPLAY: display,
    DBUS_SESSION_BUS_ADDRESS: 'disabled:',
    TINY_PAGE: page,
  });

  test.each(isolations)('shows a page, with its sandbox (%s)', async (isolation) => {
    const outcome = await product.run([program], { proxy: proxy.url, isolation, env: env() });
    expect([outcome.stdout, outcome.code]).toEqual([`the page says: ${greeting}\n`, 0]);
  });

  test('that is open outside is seen before it would take over, and opens on a lane once it is closed', async () => {
    const outside = world.spawn([program], {
      user,
      env: { ...env(), TINY_PAGE: 'data:text/html,outside', TINY_STAYS: '1' },
    });
    await outside.says(/the page says: outside/, 30_000);
    const open = () => world.run([product.culvert, 'open', 'tiny'], { user, env: env() });
    const refused = await open();
    expect([refused.code, refused.stdout]).toEqual([8, '']);
    expect(refused.stderr).toMatch(/^culvert: .*Tiny.* — /);
    expect(outside.stdout).not.toContain('somebody came');
    await outside.end('SIGTERM', 10_000);
    await until(
      'its windows to be gone',
      () => !world.pids().some((pid) => commandOf(pid).includes(program)),
      10_000,
    );
    // Outside it did as it liked.
    await capture.clear();
    const again = world.spawn([product.culvert, 'open', 'tiny'], {
      user,
      env: { ...env(), TINY_STAYS: '1' },
    });
    await again.says(new RegExp(`the page says: ${greeting.trim()}`), 30_000);
    await again.end('SIGTERM', 10_000);
  });
});

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    // It has ended meanwhile.
    return '';
  }
}
