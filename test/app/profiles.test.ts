/** The screen of profiles in the real window, with real proxies: pasted, edited by keyboard, tested, imported, deleted. */
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { config as configSchema, type Config, type Profile } from '../../electron/shared/profile.ts';
import { repository } from '../world/artefact.ts';
import { describePackets, type Capture } from '../world/capture.ts';
import { Owned } from '../world/owned.ts';
import type { Proxy } from '../world/proxies.ts';
import { until } from '../world/until.ts';
import { probe } from '../system/reports.ts';
import { writeConfig } from '../system/settings.ts';
import { violationsOf } from './axe.ts';
import { Desktop, type OpenWindow } from './desktop.ts';

const user = 'culvert-a';
/** Nobody listens there. */
const closedPort = 9;
/** Pictures for people to look at; nothing is compared with them. */
const pictures = join(repository, 'dist/test/pictures');

const owned = new Owned();
let desktop: Desktop;
/** Asks for a sign-in. */
let work: Proxy;
let home: Proxy;
let capture: Capture;
let window: OpenWindow;

beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  desktop = owned.use(await Desktop.create());
  work = await desktop.world.proxy('microsocks', { signIn: true });
  home = await desktop.world.proxy('microsocks');
  writeConfig(desktop.world, { probe });
  capture = await desktop.world.capture();
  window = owned.use(await desktop.open());
  await window.page.keyboard.press('Control+5');
  await window.page.getByText('No proxy yet').waitFor();
});
afterAll(async () => {
  const closed = { address: home.address, port: closedPort };
  const allowed = [closed, ...work.exceptions, ...home.exceptions, ...window.exceptions];
  const leaks = await capture.leaks(allowed);
  await owned[Symbol.asyncDispose]();
  expect(describePackets(leaks)).toBe('');
});

const culvert = (args: readonly string[]) => desktop.world.must([desktop.product.culvert, ...args], { user });
const keep = (name: string) => window.page.screenshot({ path: join(pictures, `profiles-${name}.png`) });
const dialog = () => window.page.getByRole('dialog');
const button = (name: string | RegExp) => window.page.getByRole('button', { name, exact: true });
const field = (name: string) => window.page.getByLabel(name, { exact: true });
const row = (name: string) =>
  window.page.locator('[data-profile]').filter({ has: window.page.getByText(name, { exact: true }) });

function configNow(): Config {
  const file = join(desktop.world.users[user].home, '.config/culvert/culvert.json');
  return v.parse(configSchema, JSON.parse(readFileSync(file, 'utf8')));
}
function profileNow(name: string): Profile {
  const found = configNow().profiles.find((profile) => profile.name === name);
  if (found === undefined) throw new Error(`there is no profile ${name}`);
  return found;
}

/** As Ctrl+V hands it over, where the focus is. */
async function paste(text: string): Promise<void> {
  await window.page.evaluate((given) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', given);
    const target = document.activeElement ?? document.body;
    target.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  }, text);
}

const violations = () => violationsOf(window.page);

async function choose(more: object): Promise<void> {
  await window.page.evaluate(async (change) => {
    type Api = { calls: { 'preferences.set': (change: object) => Promise<unknown> } };
    await (globalThis as unknown as { culvert: Api }).culvert.calls['preferences.set'](change);
  }, more);
}

test('a link that is pasted on the screen is tried, and then imported with its password', async () => {
  await keep('empty');
  expect(await violations()).toEqual([]);
  await paste(`${work.url}#Work`);
  await dialog().getByText('This would bring one profile and one password.').waitFor();
  expect(configNow().profiles).toEqual([]);
  await keep('import-one');
  expect(await violations()).toEqual([]);
  await dialog().getByRole('button', { name: 'Import one profile and one password' }).click();
  await dialog().getByText('Imported one profile and one password').waitFor();
  await window.page.keyboard.press('Escape');
  await row('Work').waitFor();
  expect(profileNow('Work').chain.servers).toMatchObject([{ host: work.address, user: work.user }]);
  expect(JSON.stringify(configNow())).not.toContain(work.password);
  await window.page.getByText('One is kept in a file that only you can read').waitFor();
});

test('the staged test shows its lines as they come, with the exit address, and the list has the time', async () => {
  const { page } = window;
  await button('Test').click();
  await page
    .getByRole('region', { name: 'Test' })
    .getByText(/Exit address /)
    .waitFor();
  const lines = page.getByRole('region', { name: 'Test' }).getByRole('listitem');
  await until('all its lines', async () => (await lines.count()) > 3);
  expect(await lines.first().textContent()).toContain('Reach');
  await row('Work').getByText(/ms$/).waitFor();
  await keep('tested');
  expect(await violations()).toEqual([]);
});

describe('by the keyboard alone', () => {
  test('a second server is added, moved to the front, and the chain saved', async () => {
    const { page } = window;
    await button('Add a server').focus();
    await page.keyboard.press('Enter');
    await page.keyboard.type(`${home.address}:1`);
    await page.getByText('A name or an address alone', { exact: false }).waitFor();
    for (let times = 0; times < 2; times += 1) await page.keyboard.press('Backspace');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Control+a');
    await page.keyboard.type(String(home.port));
    await page.keyboard.press('Alt+ArrowUp');
    await page.getByText('Now number 1 of 2').waitFor({ state: 'attached' });
    await page.getByRole('radio', { name: /^All that are alive/ }).focus();
    await page.keyboard.press('Space');
    await keep('chain');
    expect(await violations()).toEqual([]);
    await page.keyboard.press('Control+s');
    await page.getByText('“Work” is saved.', { exact: false }).waitFor();
    const { chain } = profileNow('Work');
    expect(chain.mode).toBe('dynamic');
    expect(chain.servers.map(({ port }) => port)).toEqual([home.port, work.port]);
  });

  test('what was typed stays while one looks elsewhere, and is asked about on the way out', async () => {
    const { page } = window;
    await field('Name').fill('Office');
    await row('Office').focus();
    await page.keyboard.press('End');
    await page.getByText('This profile is built in').waitFor();
    await keep('built-in');
    expect(await violations()).toEqual([]);
    await page.keyboard.press('Home');
    expect(await field('Name').inputValue()).toBe('Office');
    await page.keyboard.press('Control+1');
    await dialog().getByText('Save the changes first?').waitFor();
    await keep('leave');
    expect(await violations()).toEqual([]);
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Profiles');
    await page.keyboard.press('Control+1');
    await dialog().getByRole('button', { name: 'Discard' }).click();
    await page.getByRole('heading', { level: 1, name: 'Apps' }).waitFor();
    await page.keyboard.press('Control+5');
    expect(await field('Name').inputValue()).toBe('Work');
  });
});

test('servers change places by dragging, too', async () => {
  const { page } = window;
  const grips = page.locator('.grip');
  await grips.first().scrollIntoViewIfNeeded();
  const [from, to] = [await grips.first().boundingBox(), await grips.nth(1).boundingBox()];
  if (from === null || to === null) throw new Error('the servers are not seen');
  await page.mouse.move(from.x + 8, from.y + 8);
  await page.mouse.down();
  await page.mouse.move(from.x + 8, to.y + to.height * 2, { steps: 4 });
  await keep('dragged');
  await page.mouse.up();
  await page.getByText('Now number 2 of 2').waitFor({ state: 'attached' });
  await button('Revert').click();
  await button('Revert').waitFor({ state: 'detached' });
});

test('another colour and letter are saved, and shown in the list', async () => {
  const { page } = window;
  await page.getByRole('radio', { name: 'Red' }).click();
  await field('Letter').fill('A');
  await button('Save').click();
  await page.getByText('“Work” is saved.', { exact: false }).first().waitFor();
  await until('the colour to be saved', () => profileNow('Work').colour === '#c8553d');
  await row('Work').getByText('A', { exact: true }).waitFor();
});

test('a mistake is said at its field as one types, and Save leads to it', async () => {
  const { page } = window;
  await button('New profile').click();
  await page.keyboard.type('Mistake');
  await field('Address').fill(home.address);
  await field('Port').fill(String(closedPort));
  await button('Save').click();
  await page.getByText('“Mistake” is saved.', { exact: false }).waitFor();
  await field('Port').fill('');
  await page.getByText('A number from 1 to 65535.').waitFor();
  await button('Save').click();
  expect(await field('Port').evaluate((input) => input === document.activeElement)).toBe(true);
  await keep('mistake');
  expect(await violations()).toEqual([]);
  await button('Revert').click();
});

test('many lines are imported with a word on each, the bad one too, and all are tested and sorted', async () => {
  const { page } = window;
  await page.getByRole('heading', { level: 1 }).focus();
  const lines = [
    '# mine',
    `${home.url}#Home`,
    'socks5://proxy.example:99999',
    `${home.address}:${closedPort}:me:secret`,
    'vmess://nothing',
  ];
  await paste(lines.join('\n'));
  await dialog().getByText('This would bring 2 profiles and one password.').waitFor();
  expect(await dialog().locator('tr[data-status="invalid"], tr[data-status="skipped"]').count()).toBe(2);
  expect(await dialog().textContent()).not.toContain('secret');
  await keep('import-many');
  expect(await violations()).toEqual([]);
  await dialog()
    .getByRole('button', { name: /^Import 2 profiles/ })
    .click();
  await dialog()
    .getByText(/^Imported 2 profiles/)
    .waitFor();
  await dialog().getByRole('button', { name: 'Close' }).click();
  await button('Test all').click();
  await row('Home').getByText(/ms$/).waitFor();
  await button('Cancel the tests')
    .click({ timeout: 3000 })
    .catch(() => undefined);
  await button('Sort by latency').click();
  await keep('sorted');
  expect(await violations()).toEqual([]);
});

test('a file that is dropped is tried the same way, and can be left alone', async () => {
  const { page } = window;
  const { home: dir, uid, gid } = desktop.world.users[user];
  const file = join(dir, 'dropped.conf');
  writeFileSync(file, '[ProxyList]\nsocks5 192.0.2.20 1080\n');
  chownSync(file, uid, gid);
  await page.evaluate((uri) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.setData('text/uri-list', `${uri}\r\n`);
    const init = { bubbles: true, cancelable: true, dataTransfer };
    const main = document.querySelector('main');
    for (const kind of ['dragenter', 'drop']) main?.dispatchEvent(new DragEvent(kind, init));
  }, `file://${file}`);
  await dialog().getByText('This would bring one profile.').waitFor();
  await dialog().getByText(`culvert profile import ${file}`).waitFor();
  await page.keyboard.press('Escape');
  await dialog().waitFor({ state: 'detached' });
  expect(configNow().profiles).toHaveLength(4);
});

test('a profile is made the default one from its menu', async () => {
  const { page } = window;
  await row('Home').click();
  await button('More for Home').click();
  await keep('menu');
  expect(await violations()).toEqual([]);
  await page.getByRole('menuitem', { name: 'Make it the default' }).click();
  await row('Home').getByText('Default').waitFor({ state: 'attached' });
  expect(configNow().defaultProfile).toBe(profileNow('Home').id);
});

test('an export is saved with passwords only where that is ticked, for its user’s eyes alone', async () => {
  const { page } = window;
  const file = join(desktop.world.users[user].home, 'work.txt');
  await window.inMain(({ dialog: dialogs }, path) => {
    dialogs.showSaveDialog = () => Promise.resolve({ canceled: false, filePath: path });
  }, file);
  for (const withPasswords of [false, true]) {
    rmSync(file, { force: true });
    await row('Work').click();
    await button('More for Work').click();
    await page.getByRole('menuitem', { name: 'Export…' }).click();
    if (withPasswords) await dialog().getByRole('checkbox').check();
    await keep('export');
    expect(await violations()).toEqual([]);
    await dialog().getByRole('button', { name: 'Save to a file…' }).click();
    await until('the file to be there', () => existsSync(file));
    expect(readFileSync(file, 'utf8').includes(encodeURIComponent(work.password ?? ''))).toBe(withPasswords);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await dialog().waitFor({ state: 'detached' });
  }
});

test('a profile in use says by what, and goes only once that was seen', async () => {
  const { page } = window;
  await culvert(['app', 'bind', 'firefox', profileNow('Work').id]);
  await row('Work').click();
  await page.getByText('Apps: firefox').waitFor();
  await button('More for Work').click();
  await page.getByRole('menuitem', { name: 'Delete…' }).click();
  await dialog().getByText('Apps: firefox').waitFor();
  await keep('remove');
  expect(await violations()).toEqual([]);
  expect(profileNow('Work').name).toBe('Work');
  await dialog().getByRole('button', { name: 'Delete', exact: true }).click();
  await row('Work').waitFor({ state: 'detached' });
  expect(configNow().apps).toEqual({});
});

test.each([
  ['dark', 'system', 'en', 1100, 720],
  ['light', 'more', 'en', 1100, 720],
  ['dark', 'more', 'zh-CN', 1100, 720],
  ['light', 'system', 'zh-CN', 720, 520],
  ['dark', 'system', 'en', 720, 520],
  ['light', 'system', 'en', 550, 360],
] as const)(
  'in %s with the contrast “%s”, %s, %d × %d, axe finds nothing and nothing is cut off',
  async (theme, contrast, language, width, height) => {
    const { page } = window;
    await choose({ theme, language, contrast });
    // Below the smallest window it is one of twice the size at 200 %.
    const zoom = width < 720 ? 2 : 1;
    await window.inMain(
      ({ BrowserWindow }, [wide, high, factor]) => {
        const [shown] = BrowserWindow.getAllWindows();
        shown?.setContentSize(wide * factor, high * factor);
        shown?.webContents.setZoomFactor(factor);
      },
      [width, height, zoom] as const,
    );
    await page.reload();
    await page.locator('[data-server]').first().waitFor();
    await keep(`${theme}-${language}-${width}-${contrast}`);
    expect(await violations()).toEqual([]);
    const overflow = await page.evaluate(() =>
      ['main', '.master', '.detail-body'].map((name) => {
        const place = document.querySelector(name);
        return (place?.scrollWidth ?? 0) - (place?.clientWidth ?? 0);
      }),
    );
    expect(overflow).toEqual([0, 0, 0]);
  },
);
