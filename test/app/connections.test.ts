/** The screen of connections in the real window, over a program's real connections through a real proxy. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { WindowApi } from '../../electron/shared/contract.ts';
import { serverOf, writeConfig } from '../system/settings.ts';
import { ports } from '../world/addresses.ts';
import { repository } from '../world/artefact.ts';
import { Owned } from '../world/owned.ts';
import type { Running } from '../world/running.ts';
import { until } from '../world/until.ts';
import { violationsOf } from './axe.ts';
import { Desktop, type OpenWindow } from './desktop.ts';

const pictures = join(repository, 'dist/test/pictures');
const owned = new Owned();
let desktop: Desktop;
let window: OpenWindow;
let page: Page;
let app: Running;

/**
 * Connects to each `name:port` that it is told on a line of its input, and holds it; says when one ended. `gone` ends it.
 */
const holder = `
import select, socket, sys
held = {}
while True:
    for s in select.select([sys.stdin, *held], [], [])[0]:
        if s is sys.stdin:
            line = sys.stdin.readline().strip()
            if line == 'gone': sys.exit()
            name, port = line.rsplit(':', 1)
            try:
                made = socket.create_connection((name, int(port)), 5); held[made] = line; print('connected', line, flush=True)
            except OSError as error: print('failed', line, flush=True)
        else:
            try: data = s.recv(65536)
            except OSError: data = b''
            if not data: print('ended', held.pop(s), flush=True)
`;

beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  desktop = owned.use(await Desktop.create());
  const proxy = await desktop.world.proxy('microsocks');
  writeConfig(desktop.world, {
    profiles: [{ id: 'work', name: 'Work', chain: { servers: [serverOf(proxy)] } }],
    rules: [{ id: 'no-ads', match: { apps: ['python3'], to: ['.ads.test'] }, action: 'block' }],
  });
  window = owned.use(await desktop.open());
  ({ page } = window);
  app = desktop.product.spawn(['/usr/bin/python3', '-c', holder], {
    profile: 'work',
    options: ['--quiet'],
  });
  owned.defer(async () => {
    app.write('gone\n');
    await app.ended;
  });
  for (const name of ['one.test', 'two.test', 'three.test']) await connect(`${name}:${ports.banner}`);
  await connect(`one.test:${ports.source}`);
  await connect('tracker.ads.test:443', '(failed|ended)');
});
afterAll(async () => {
  await owned[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await page.keyboard.press('Control+2');
  await page.keyboard.press('Control+3');
  await page.getByRole('row').nth(1).waitFor();
});

async function connect(where: string, word = 'connected'): Promise<void> {
  app.write(`${where}\n`);
  await app.says(new RegExp(`${word} ${where}\n`));
}

const rows = (): Locator => page.locator('.flows .row');
const row = (host: string): Locator => rows().filter({ hasText: host });
const field = (): Locator => page.getByRole('combobox', { name: 'Filter connections' });
const tab = (name: string): Locator => page.getByRole('radio', { name: new RegExp(`^${name} `) });
const menuItem = (name: string | RegExp): Locator => page.getByRole('menuitem', { name });
const keep = (name: string) => page.screenshot({ path: join(pictures, `connections-${name}.png`) });
const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');

const violations = () => violationsOf(page);

test('a query is typed with proposals, becomes chips, says what is wrong, and is taken away again', async () => {
  await field().focus();
  await page.keyboard.type('por');
  await page.getByRole('option', { name: 'port:' }).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByRole('option', { name: `port:${ports.source}` }).waitFor();
  await page.keyboard.type('x');
  await page.getByRole('alert').filter({ hasText: 'neither a port nor a range' }).waitFor();
  await keep('wrong');
  expect(await violations()).toEqual([]);
  await page.keyboard.press('Backspace');
  await page.keyboard.type(`${ports.source}`);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: `Change the filter port:${ports.source}` }).waitFor();
  await until('one row', async () => (await rows().count()) === 1);
  await page.keyboard.type('-host:one.test ');
  await page.getByRole('heading', { name: /^0 of [0-9]+ match$/ }).waitFor();
  await page.getByRole('button', { name: 'Remove the filter -host:one.test' }).click();
  await row('one.test').waitFor();
  await field().press('Escape');
  await until('all rows', async () => (await rows().count()) === 4);
});

test('the table goes by the keyboard, keeps the focus through updates, and shows what a row is made of', async () => {
  await row('three.test').click();
  await page.keyboard.press('End');
  expect(await focused()).toContain('one.test');
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowDown');
  const here = await focused();
  await connect(`later.test:${ports.banner}`);
  await row('later.test').waitFor();
  expect((await focused()).slice(0, 20)).toBe(here.slice(0, 20));
  await row('two.test').click();
  await page.keyboard.press('Enter');
  const inside = page.getByRole('complementary', { name: 'Details of the connection' });
  await inside.getByText('No rule: the profile Work decides by itself.').waitFor();
  await inside.getByText('by the proxy, as part of connecting').waitFor();
  expect(await inside.getByText(/^[0-9]+ ms$/).count()).toBeGreaterThan(0);
  await keep('inspector');
  await page.keyboard.press('Escape');
  await inside.waitFor({ state: 'detached' });
  expect(await focused()).toContain('two.test');
  await tab('Closed').click();
  await row('tracker.ads.test').first().dblclick();
  await inside.locator('.sentence').filter({ hasText: 'python3 to .ads.test' }).waitFor();
  await inside.getByText('What went wrong').waitFor();
  await inside.getByRole('button', { name: 'Close the details' }).click();
  await tab('Active').click();
});

test('groups have heads with sums and fold; a pause holds the picture and counts what waits', async () => {
  await page.getByRole('button', { name: 'Group: None' }).click();
  await page.getByRole('menuitemradio', { name: 'Host' }).click();
  const head = page.getByRole('row', { name: /^one\.test 2 connections/ });
  await head.waitFor();
  await keep('groups');
  await head.click();
  await until('the group to be folded', async () => (await row('one.test').count()) === 0);
  await page.keyboard.press('ArrowRight');
  await until('it to be open', async () => (await row('one.test').count()) === 2);
  await page.getByRole('button', { name: 'Group: Host' }).click();
  await page.getByRole('menuitemradio', { name: 'None' }).click();
  await row('two.test').click();
  await page.keyboard.press('Space');
  await connect(`unseen.test:${ports.banner}`);
  await page.getByRole('button', { name: /^Resume \([0-9]+ updates? waits?\)$/ }).waitFor();
  expect(await row('unseen.test').count()).toBe(0);
  await page.keyboard.press('Space');
  await row('unseen.test').waitFor();
});

test('rows are chosen with Shift and Ctrl, copied, turned into a query and a rule, and closed', async () => {
  await app.says(/connected unseen/);
  await row('unseen.test').click();
  await row('later.test').click({ modifiers: ['Control'] });
  await until(
    'two to be chosen',
    async () => (await page.locator('.row[aria-selected="true"]').count()) === 2,
  );
  await page.keyboard.press('Shift+F10');
  await menuItem('Copy').waitFor();
  await keep('menu');
  expect(await violations()).toEqual([]);
  await menuItem('Copy').press('ArrowRight');
  await menuItem('As filter').press('Enter');
  await page.getByText('Copied 2 connections').waitFor();
  const copied = await window.inMain(({ clipboard }) => clipboard.readText());
  expect(copied).toBe(`app:python3 host:later.test,unseen.test port:${ports.banner} proto:tcp`);
  await row('two.test').click({ button: 'right' });
  await menuItem('Exclude').press('ArrowRight');
  await menuItem('-host:two.test').press('Enter');
  await until('it to be gone', async () => (await row('two.test').count()) === 0);
  await field().press('Escape');
  await row('later.test').click();
  await page.keyboard.press('Delete');
  await app.says(/ended later\.test/);
  await until('it to be among those that are over', async () => (await row('later.test').count()) === 0);
  await row('unseen.test').click({ button: 'right' });
  await menuItem('Make a rule…').click();
  const editor = page.getByRole('dialog');
  await editor.getByText('unseen.test').first().waitFor();
  await page.keyboard.press('Escape');
  await editor.waitFor({ state: 'detached' });
  await page.getByRole('heading', { level: 1, name: 'Rules' }).waitFor();
});

test('closing all that are shown asks where they are many', async () => {
  for (let number = 1; number <= 11; number += 1) await connect(`m${number}.many.test:${ports.banner}`);
  await field().fill('.many.test');
  const close = page.getByRole('button', { name: 'Close 11 shown' });
  await close.click();
  await page.getByRole('dialog', { name: 'Close 11 connections?' }).waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await close.click();
  await page.getByRole('button', { name: 'Close 11', exact: true }).click();
  await app.says(/ended m11\.many/);
  await page.getByRole('heading', { name: /^0 of [0-9]+ match$/ }).waitFor();
  await field().press('Escape');
});

test('columns are sorted, resized and hidden by keyboard, and are so in the next window', async () => {
  const head = (name: string) => page.getByRole('columnheader', { name });
  await row('two.test').click();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowUp');
  for (let to = 0; to < 2; to += 1) await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await until('an order', async () => (await head('Host').getAttribute('aria-sort')) === 'ascending');
  const before = (await head('App').boundingBox())?.width ?? 0;
  await page.keyboard.press('ArrowLeft');
  for (let to = 0; to < 3; to += 1) await page.keyboard.press('Shift+ArrowRight');
  await until('a wider column', async () => ((await head('App').boundingBox())?.width ?? 0) === before + 48);
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Shift+F10');
  await menuItem('Hide this column').click();
  await head('Port').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('menuitemcheckbox', { name: 'Process' }).click();
  await keep('columns');
  await page.keyboard.press('Escape');
  await head('Process').waitFor();
  await until('it to be kept', () =>
    page.evaluate(async () => {
      const answer = await (globalThis as never as { culvert: WindowApi }).culvert.calls['window.start']({});
      const columns = answer.ok ? answer.value.preferences.connections.columns : [];
      return columns.some(({ name, isHidden }) => name === 'process' && !isHidden);
    }),
  );
  expect(window.complaints).toEqual([]);
  await window[Symbol.asyncDispose]();
  window = owned.use(await desktop.open());
  ({ page } = window);
  await page.keyboard.press('Control+3');
  await row('two.test').waitFor();
  expect(await head('Host').getAttribute('aria-sort')).toBe('ascending');
  expect((await head('App').boundingBox())?.width).toBe(before + 48);
  expect([await head('Port').count(), await head('Process').count()]).toEqual([0, 1]);
});

test('axe finds nothing, in any look and language', { timeout: 60_000 }, async () => {
  const looks = [
    { theme: 'light', contrast: 'system', language: 'en' },
    { theme: 'dark', contrast: 'system', language: 'zh-CN' },
    { theme: 'light', contrast: 'more', language: 'en' },
  ] as const;
  for (const look of looks) {
    await page.evaluate(async (wanted) => {
      await (globalThis as never as { culvert: WindowApi }).culvert.calls['preferences.set'](wanted);
    }, look);
    await page.reload();
    await page.getByRole('radio').nth(2).click();
    await rows().first().waitFor();
    await page
      .getByRole('button')
      .filter({ hasText: /Group|分组/ })
      .click();
    await page.getByRole('menuitemradio').nth(1).click();
    await page.getByRole('combobox').fill('host:*.test ');
    await rows().first().click();
    await page.keyboard.press('Enter');
    await page.getByRole('complementary').waitFor();
    await keep(Object.values(look).join('-'));
    expect(await violations()).toEqual([]);
    await page
      .getByRole('button')
      .filter({ hasText: /Group|分组/ })
      .click();
    await page.getByRole('menuitemradio').nth(0).click();
  }
});
