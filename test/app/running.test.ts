/**
 * Running apps in the real window: given another profile while they run, asked about when their proxy is lost, read in
 * their own words; launchers with the window closed, and who is shown what by starting Culvert again.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { install, put } from '../system/app-stage.ts';
import { serverOf, writeConfig } from '../system/settings.ts';
import { describePackets, type Capture, type Exception } from '../world/capture.ts';
import { Owned } from '../world/owned.ts';
import type { Proxy } from '../world/proxies.ts';
import { until } from '../world/until.ts';
import { electron } from '../world/window.ts';
import { Desktop, type OpenWindow } from './desktop.ts';

const user = 'culvert-a';
const owned = new Owned();
let desktop: Desktop;
let one: Proxy;
let two: Proxy;
let capture: Capture;
let window: OpenWindow;
let before: number;
/** What may be seen of windows and proxies that are gone, too. */
const exceptions: Exception[] = [];

beforeAll(async () => {
  desktop = owned.use(await Desktop.create());
  const { world } = desktop;
  one = owned.use(await world.proxy('microsocks'));
  two = owned.use(await world.proxy('microsocks'));
  writeConfig(world, {
    defaultProfile: 'one',
    profiles: [
      { id: 'one', name: 'One', chain: { servers: [serverOf(one)] } },
      { id: 'two', name: 'Two', chain: { servers: [serverOf(two)] } },
    ],
  });
  const caller = put(
    world,
    'bin/caller',
    '#!/bin/sh\necho "asking $1"\nwhile :; do curl -sS --max-time 2 "http://$1/" >/dev/null && echo answered; sleep 0.2; done\n',
    0o755,
  );
  install(world, 'caller', `${caller} first.example.test`);
  capture = owned.use(await world.capture());
});
beforeEach(async () => {
  before = desktop.world.leftovers().length;
  window = await desktop.open();
  exceptions.push(...window.exceptions);
});
afterEach(async () => {
  await culvert(['stop', '--all', '--force']).catch(() => undefined);
  await window[Symbol.asyncDispose]();
  await until('everything to be gone', () => desktop.world.leftovers().length <= before, 10_000);
  const leaks = await capture.leaks([...one.exceptions, ...two.exceptions, ...exceptions]);
  expect(describePackets(leaks)).toBe('');
});
afterAll(async () => {
  await owned[Symbol.asyncDispose]();
});

const culvert = (args: readonly string[]) => desktop.world.must([desktop.product.culvert, ...args], { user });
const card = (text: string) => window.page.getByRole('listitem').filter({ hasText: text }).first();
const asksThrough = (proxy: Proxy, name: string) => () =>
  proxy.process.stderr.includes(`connected to ${name}:80`);
const counted = (proxy: Proxy) => proxy.process.stderr.split('connected to').length;

test('an app is opened, given another profile while it runs, read in its own words, and stopped', async () => {
  const { page } = window;
  await page.keyboard.press('Control+k');
  await page.keyboard.type('open the app');
  await page.getByRole('option', { name: 'Open The App' }).waitFor();
  await page.keyboard.press('Enter');
  const shown = card('The App');
  await shown.getByText('Protected').waitFor();
  await until('its page through the one', asksThrough(one, 'first.example.test'));
  await shown.getByRole('button', { name: 'Details of The App' }).click();
  await shown.getByRole('log').getByText('asking first.example.test').waitFor();

  await shown.getByRole('button', { name: 'The App uses One. Choose another profile' }).click();
  await page.getByRole('menuitemradio', { name: 'Two', exact: true }).click();
  await shown.getByRole('button', { name: 'The App uses Two. Choose another profile' }).waitFor();
  await until('its page through the other', asksThrough(two, 'first.example.test'));
  const [first, second] = [counted(one), counted(two)];
  await until('more of it', () => counted(two) > second + 2);
  expect(counted(one)).toBe(first);
  expect(await culvert(['ps'])).toContain(two.url);

  await shown.getByRole('button', { name: 'Stop The App' }).click();
  await shown.waitFor({ state: 'detached' });
  expect(window.complaints).toEqual([]);
});

test('open connections can be kept when an app is given another profile, and else are closed', async () => {
  const { page } = window;
  const script =
    'exec 3<>/dev/tcp/198.51.100.80/80; read -r line <&3; echo "lost after ${line:-nothing}"; exec sleep 1000';
  const app = desktop.product.spawn(['bash', '-c', script], { profile: 'one' });
  const shown = card('bash');
  await shown.getByText('One connection').waitFor();
  const change = async (to: string, keeps: boolean) => {
    await shown.getByRole('button', { name: /^bash uses/ }).click();
    const keep = page.getByRole('menuitemcheckbox', { name: 'Keep open connections' });
    if ((await keep.getAttribute('aria-checked')) !== String(keeps)) await keep.click();
    await page.getByRole('menuitemradio', { name: to, exact: true }).click();
    await shown.getByRole('button', { name: `bash uses ${to}. Choose another profile` }).waitFor();
  };
  await change('Two', true);
  await page.getByText('Open connections go on as they were.').waitFor();
  expect(app.stdout).toBe('');
  await change('No network', false);
  await page.getByText('One open connection was closed.').waitFor();
  await app.says(/lost after nothing/);
  await shown.getByText('No network', { exact: true }).first().waitFor();
});

test('an app whose profile wants to be asked about a lost proxy is offline until its user chooses', async () => {
  const { page } = window;
  const lost = await desktop.world.proxy('microsocks');
  exceptions.push(...lost.exceptions);
  writeConfig(desktop.world, {
    defaultProfile: 'one',
    profiles: [
      { id: 'one', name: 'One', chain: { servers: [serverOf(one)] } },
      { id: 'two', name: 'Two', chain: { servers: [serverOf(two)] } },
      { id: 'asked', name: 'Asked', chain: { servers: [serverOf(lost)] }, failure: { policy: 'ask' } },
    ],
  });
  const script = 'while :; do curl -sS --max-time 2 http://choice.example.test/; sleep 0.2; done';
  desktop.product.spawn(['bash', '-c', script], { profile: 'asked' });
  const shown = card('bash');
  await until('its page', asksThrough(lost, 'choice.example.test'));
  await lost[Symbol.asyncDispose]();
  await shown.getByText('Proxy unreachable: blocked').waitFor({ timeout: 20_000 });
  await shown.getByText('“Asked” doesn’t answer.').waitFor();
  await page.keyboard.press('Control+1');
  await page.getByText('Offline until you choose: bash.').waitFor();
  await page.getByRole('button', { name: 'Choose', exact: true }).click();
  await shown.getByRole('button', { name: 'Use another proxy' }).click();
  expect(await page.getByRole('menuitemradio').allTextContents()).toEqual([
    expect.stringContaining('One'),
    expect.stringContaining('Two'),
  ]);
  await page.getByRole('menuitemradio', { name: 'Two', exact: true }).click();
  await until('its page through the other', asksThrough(two, 'choice.example.test'));
  await shown.getByText('Protected').waitFor();
  expect(await shown.getByText('“Asked” doesn’t answer.').count()).toBe(0);
  expect(one.process.stderr).not.toContain('choice.example.test');
});

test('a launcher made in the window opens its app from a plain shell without the window, and leads back to it', async () => {
  const { page } = window;
  const id = (await culvert(['launcher', 'create', 'caller', '-p', 'two'])).trim();
  await page.keyboard.press('Control+1');
  await page.getByRole('button', { name: 'Launchers…' }).click();
  await page.getByRole('dialog').getByText('The App (Two)').waitFor();
  await page.keyboard.press('Escape');
  await window[Symbol.asyncDispose]();
  const { home } = desktop.world.users[user];
  const text = readFileSync(join(home, '.local/share/applications', `${id}.desktop`), 'utf8');
  const [, line = ''] = /^Exec=(.*?)(?: %[UF])?$/m.exec(text) ?? [];
  desktop.world.spawn(['sh', '-c', `exec ${line}`], { user });
  await until('the lane to be there', async () => (await culvert(['ps'])).includes('The App'));
  await until('its page through its profile', () => counted(two) > 1);

  window = await desktop.open();
  exceptions.push(...window.exceptions);
  await card('The App').getByText('Protected').waitFor();
  await window.page.keyboard.press('Control+7');
  expect((await desktop.again(['--app=caller.desktop'])).code).toBe(0);
  await card('The App').getByRole('button', { name: 'Details of The App', expanded: true }).waitFor();
  await window.page.keyboard.press('Control+1');
  await window.page.getByRole('button', { name: 'Launchers…' }).click();
  await window.page.getByRole('button', { name: 'Remove the launcher The App (Two)' }).click();
  await window.page.getByText('There are no launchers yet.').waitFor();
  expect(await culvert(['launcher', 'ls'])).toBe('');
});

test('a launcher that cannot open its app has the window say why', async () => {
  const { world, product } = desktop;
  const { home, uid, gid } = world.users[user];
  // As set-up leaves it in a clone: Electron in the user's cache, and a package.json above the built product.
  await world.shell(`mkdir -p ${home}/.cache/culvert/electron-1 && ln -s ${electron} ${home}/.cache/culvert/electron-1/
    chown -R ${uid}:${gid} ${home}/.cache`);
  writeFileSync(join(world.dir, 'package.json'), '{"name":"culvert","main":"product/main.cjs"}');
  const env = { DISPLAY: desktop.display, DBUS_SESSION_BUS_ADDRESS: 'disabled:' };
  const line = [product.culvert, 'open', '--profile=gone', '--app=caller.desktop', '--'];
  const { code, stderr } = await world.run(line, { user, env });
  expect([code, stderr]).toEqual([3, expect.stringMatching(/there is no such profile/)]);
  await window.page.getByText('There is no such profile.').waitFor();
  await window.page.getByRole('heading', { level: 1, name: 'Apps' }).waitFor();
  expect(await culvert(['ps'])).not.toContain('The App');
});
