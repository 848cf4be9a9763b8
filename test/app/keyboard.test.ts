/**
 * From the first run to the last setting by the keyboard alone, in one real window: what there is to do on each screen
 * is reached by Tab and by keys of its own, and done.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import { install, put } from '../system/app-stage.ts';
import { probe } from '../system/reports.ts';
import { writeConfig } from '../system/settings.ts';
import { ports } from '../world/addresses.ts';
import { Owned } from '../world/owned.ts';
import type { Proxy } from '../world/proxies.ts';
import { until } from '../world/until.ts';
import { Desktop, type OpenWindow } from './desktop.ts';

/** No screen has more places for Tab. */
const most = 90;

const owned = new Owned();
let desktop: Desktop;
let proxy: Proxy;
let window: OpenWindow;
let page: Page;

beforeAll(async () => {
  desktop = owned.use(await Desktop.create());
  proxy = await desktop.world.proxy('microsocks');
  writeConfig(desktop.world, { probe });
  const script = `#!/bin/bash
while :; do (exec 3<>/dev/tcp/held.example.test/${ports.banner} && cat <&3); sleep 0.3; done >/dev/null 2>&1 &
while :; do curl -s http://example.test/bytes/300000 -o /dev/null; sleep 0.3; done
`;
  install(desktop.world, 'caller', put(desktop.world, 'bin/caller', script, 0o755));
  window = owned.use(await desktop.open({ showsFirstRun: true }));
  ({ page } = window);
  await page.evaluate(() => {
    location.hash = '';
  });
  await page.reload();
  await page.evaluate(() => {
    for (const kind of ['pointerdown', 'mousedown', 'touchstart'])
      document.addEventListener(kind, () => (document.documentElement.dataset['pointer'] = kind), true);
  });
});
afterAll(async () => {
  const { world, product } = desktop;
  await world.must([product.culvert, 'stop', '--all', '--force'], { user: 'culvert-a' });
  await owned[Symbol.asyncDispose]();
});

/** What has the focus, as it is called; a row of a table with its text. */
const focused = () =>
  page.evaluate(() => {
    const element = document.activeElement;
    if (!(element instanceof HTMLElement) || element === document.body) return '';
    const named = document.getElementById(element.getAttribute('aria-labelledby') ?? '')?.textContent;
    const label =
      element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : element.textContent;
    const name = element.getAttribute('aria-label') ?? named ?? label ?? '';
    return `${element.role === 'row' ? 'row ' : ''}${name.trim()}`;
  });
const is = (name: string | RegExp, found: string) =>
  typeof name === 'string' ? found === name : name.test(found);

/** Goes on by Tab until this has the focus. */
async function reach(name: string | RegExp): Promise<void> {
  const met: string[] = [];
  for (let presses = 0; presses <= most; presses += 1) {
    met.push(await focused());
    if (is(name, met.at(-1) ?? '')) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not lead to ${String(name)}, but to ${met.join(' | ')}`);
}

/** In a menu that is open: goes down to this, and takes it. */
async function choose(name: string | RegExp): Promise<void> {
  await page.locator('[role="menu"]').first().waitFor();
  for (let presses = 0; presses <= most && !is(name, await focused()); presses += 1)
    await page.keyboard.press('ArrowDown');
  expect(await focused()).toMatch(name);
  await page.keyboard.press('Enter');
}

/** A key is down for a moment: an arrow chooses while it is. */
const hold = (key: string) => page.keyboard.press(key, { delay: 60 });
const press = (key: string) => page.keyboard.press(key);
const title = (name: string) => page.getByRole('heading', { level: 1, name }).waitFor();
const dialog = () => page.getByRole('dialog');

test('a proxy is typed and tested, and a first app opened through it', async () => {
  await title('Where should traffic go?');
  await page.keyboard.type(`${proxy.url}#Work`);
  await page.getByText(`${proxy.address}:${proxy.port}`).waitFor();
  await press('Enter');
  await page.getByText(/^The proxy (works|can be used)/).waitFor({ timeout: 15_000 });
  await reach('Continue');
  await press('Enter');
  await title('Open an app');
  await reach('Search apps');
  await page.keyboard.type('the app');
  const apps = page.getByRole('list', { name: 'Apps to open' }).getByRole('listitem');
  await until('it alone', async () => (await apps.count()) === 1);
  await press('Enter');
  await dialog().getByText('The App now goes through Work').waitFor({ timeout: 20_000 });
  await reach('Done');
  await press('Enter');
  await title('Running');
});

test('a running app is looked into, given another profile and its own again, and checked', async () => {
  await page.getByText('Protected', { exact: true }).waitFor();
  await reach('Details of The App');
  await press('Enter');
  await page.getByRole('group', { name: 'Processes' }).getByText('caller').first().waitFor();
  for (const [from, to] of [
    ['Work', 'No network'],
    ['No network', 'Work'],
  ] as const) {
    await reach(new RegExp(`^The App uses ${from}`));
    await press('Enter');
    await choose(new RegExp(`${to}$`));
    await page.getByRole('button', { name: `The App uses ${to}. Choose another profile` }).waitFor();
  }
  await reach('Check The App');
  await press('Enter');
  await dialog().getByText('The address that websites see.').waitFor({ timeout: 20_000 });
  await press('Escape');
  await dialog().waitFor({ state: 'detached' });
  expect(await focused()).toBe('Check The App');
});

test('connections are filtered, grouped and held, and one of them becomes a rule', async () => {
  await press('Control+3');
  await title('Connections');
  await reach(/^Group: /);
  await press('Enter');
  await choose('Host');
  await page.getByRole('treegrid').waitFor();
  await press('Enter');
  await choose('None');
  await page.getByRole('grid').waitFor();
  await reach('Pause');
  await press('Enter');
  await reach(/^Resume/);
  await press('Enter');
  await press('Control+f');
  await page.keyboard.type('host:held.example.test ');
  await until('it alone', async () => (await page.locator('.flows .row').count()) === 1);
  await reach(/^row .*held/);
  await press('Shift+F10');
  await choose('Make a rule…');
  await dialog().getByText('held.example.test').first().waitFor();
  await reach('Save');
  await press('Enter');
  await dialog().waitFor({ state: 'detached' });
  await title('Rules');
  await page.getByRole('row').filter({ hasText: 'held.example.test' }).waitFor();
});

test('the past is seen for another time, without a line, and as a table', async () => {
  await press('Control+4');
  await page.getByRole('slider').waitFor({ timeout: 15_000 });
  await reach(/^[0-9]+ (min|h)$/);
  const before = await focused();
  await hold('ArrowRight');
  expect(await focused()).not.toBe(before);
  await page.locator(':focus[aria-checked="true"]').waitFor();
  await reach(/The App[^]*↓/);
  await press('Space');
  await page.locator(':focus[aria-pressed="false"]').waitFor();
  await press('Space');
  await page.locator(':focus[aria-pressed="true"]').waitFor();
  await reach('Show as table');
  await press('Enter');
  await page.getByRole('table').first().waitFor();
  await reach('Hide table');
});

test('a profile is made, tested and deleted', async () => {
  await press('Control+5');
  await reach('New profile');
  await press('Enter');
  await page.keyboard.type('Second');
  await reach(/^Address/);
  await page.keyboard.type(proxy.address);
  await reach(/^Port/);
  await press('Control+a');
  await page.keyboard.type(String(proxy.port));
  await press('Control+s');
  await page.getByText('“Second” is saved.', { exact: false }).first().waitFor();
  await reach('Test');
  await press('Enter');
  await page
    .getByRole('region', { name: 'Test' })
    .getByText(/Exit address /)
    .waitFor({ timeout: 15_000 });
  await reach('More for Second');
  await press('Enter');
  await choose('Delete…');
  await dialog().waitFor();
  await reach('Delete');
  await press('Enter');
  await page.locator('[data-profile]').filter({ hasText: 'Second' }).waitFor({ state: 'detached' });
});

test('another language, the start with the session and the log are got at in the settings', async () => {
  await press('Control+,');
  await title('Settings');
  await reach('As the desktop');
  for (let times = 0; times < 2; times += 1) await hold('ArrowRight');
  await title('设置');
  await hold('ArrowLeft');
  await title('Settings');
  await reach('Start when you log in');
  for (const isOn of [true, false]) {
    await press('Space');
    await page.locator(`:focus[aria-checked="${isOn}"]`).waitFor();
  }
  await reach('Show the log…');
  await press('Enter');
  await dialog().getByText('engine.started').first().waitFor();
  await press('Escape');
  await dialog().waitFor({ state: 'detached' });
});

test('an app is stopped, found, pinned and opened again', async () => {
  await press('Control+2');
  await title('Running');
  await reach('Stop The App');
  await press('Enter');
  await page.getByRole('heading', { name: 'Nothing runs through Culvert yet' }).waitFor();
  await press('Control+1');
  await title('Apps');
  await press('/');
  await page.keyboard.type('the app');
  await page.getByRole('gridcell').nth(1).waitFor({ state: 'detached' });
  await press('ArrowDown');
  await press('Shift+F10');
  await choose('Pin');
  await page.getByRole('menu').waitFor({ state: 'detached' });
  // The menu gives the focus back to the card, a moment after it is gone.
  await page.getByRole('gridcell').locator(':focus').waitFor();
  await press('Enter');
  await page.getByRole('gridcell').getByText('On', { exact: true }).waitFor();
});

test('no pointer was used, and the page complains of nothing', async () => {
  expect(await page.evaluate(() => document.documentElement.dataset['pointer'])).toBeUndefined();
  expect(window.complaints).toEqual([]);
});
