/** The screen of apps in the real window: what is installed is found, opened through a proxy, dropped and refused. */
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { WindowApi } from '../../electron/shared/contract.ts';
import { repository } from '../world/artefact.ts';
import { describePackets, type Capture } from '../world/capture.ts';
import { Owned } from '../world/owned.ts';
import type { Proxy } from '../world/proxies.ts';
import { greeting } from '../world/servers/web.ts';
import { until } from '../world/until.ts';
import { violationsOf } from './axe.ts';
import { Desktop, type OpenWindow } from './desktop.ts';
import { dropOn } from './drop.ts';

const user = 'culvert-a';
/** Pictures for people to look at; nothing is compared with them. */
const pictures = join(repository, 'dist/test/pictures');
const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><rect width="48" height="48" rx="12"
fill="#2b7de9"/><circle cx="24" cy="24" r="12" fill="none" stroke="#fff" stroke-width="4"/>
<path d="M12 24h24M24 12c8 8 8 16 0 24c-8-8-8-16 0-24" fill="none" stroke="#fff" stroke-width="2.5"/></svg>`;

const owned = new Owned();
let desktop: Desktop;
let proxy: Proxy;
let capture: Capture;
let window: OpenWindow;
let home: string;

beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  desktop = owned.use(await Desktop.create());
  proxy = await desktop.world.proxy('mirror');
  home = desktop.world.users[user].home;
  const fetcher = put(
    'bin/fetcher',
    '#!/bin/sh\ncurl -sS "$1" > "$HOME/new"\nmv "$HOME/new" "$HOME/page"\nexec sleep 1000\n',
    0o755,
  );
  const entries = '.local/share/applications';
  const names = 'Name=Surveyor\nName[zh_CN]=测量员\nGenericName=Page Reader\n';
  const action = 'Actions=again;\n\n[Desktop Action again]\nName=Read Again\n';
  put(
    `${entries}/surveyor.desktop`,
    `[Desktop Entry]\nType=Application\n${names}Icon=surveyor\nExec=${fetcher} http://example.test/\n${action}Exec=${fetcher} http://example.test/\n`,
  );
  put('.local/share/icons/hicolor/scalable/apps/surveyor.svg', icon);
  capture = await desktop.world.capture();
  window = owned.use(await desktop.open());
  await window.page.keyboard.press('Control+1');
  await card('Surveyor').waitFor();
});
afterEach(async () => {
  await culvert(['stop', '--all', '--force']).catch(() => undefined);
});
afterAll(async () => {
  const leaks = await capture.leaks([...proxy.exceptions, ...window.exceptions]);
  await owned[Symbol.asyncDispose]();
  expect(describePackets(leaks)).toBe('');
});

/** A file of the user's own, below the home directory. */
function put(path: string, content: string, mode = 0o644): string {
  const file = join(home, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  chmodSync(file, mode);
  const { uid, gid } = desktop.world.users[user];
  for (let at = file; at !== home; at = dirname(at)) chownSync(at, uid, gid);
  return file;
}

const culvert = (args: readonly string[]) => desktop.world.must([desktop.product.culvert, ...args], { user });
const card = (name: string) => window.page.getByRole('button', { name, exact: true });
const keep = (name: string) => window.page.screenshot({ path: join(pictures, `apps-${name}.png`) });
const dialog = () => window.page.getByRole('dialog');

const violations = () => violationsOf(window.page);

const drop = (address: string, purpose: 'open' | 'add') => dropOn(window.page, address, purpose);

test('before there is a profile an app asks for one, and a profile that is added is there at once', async () => {
  const { page } = window;
  await page.getByText('No proxy yet').waitFor();
  await card('Surveyor').click();
  await dialog().getByText('Open Surveyor through…').waitFor();
  await keep('profile');
  expect(await violations()).toEqual([]);
  await dialog().getByRole('button', { name: 'No network' }).click();
  await until('the lane to be there', async () => (await culvert(['ps'])).includes('Surveyor'));
  await culvert(['stop', '--all', '--force']);
  await culvert(['profile', 'add', '--name', 'Work', '--default', proxy.url]);
  await page.getByRole('gridcell').first().getByText('Work', { exact: true }).waitFor();
  expect(await page.getByText('No proxy yet').count()).toBe(0);
});

test('an icon is served as a picture that can do nothing, and what has none is empty', async () => {
  const answers = await window.inMain(async ({ session }) => {
    const ask = async (path: string) => {
      const response = await session.defaultSession.fetch(`app://culvert/icon/${path}`);
      const { status, headers } = response;
      return [status, headers.get('content-type'), headers.get('content-security-policy')];
    };
    return Promise.all(['surveyor?size=48', 'no-such-app', 'surveyor?size=9999', '%2fetc%2fpasswd'].map(ask));
  });
  const policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox";
  expect(answers[0]).toEqual([200, 'image/svg+xml', policy]);
  expect(answers.slice(1).map(([status]) => status)).toEqual([204, 404, 204]);
});

test('an installed app is shown with its icon, is found by typing, and opens through its profile', async () => {
  const { page } = window;
  await keep('all');
  await page.keyboard.press('Control+f');
  await page.keyboard.type('page read');
  await expect.poll(() => page.getByRole('gridcell').count()).toBe(1);
  const cell = page.getByRole('gridcell');
  await cell.getByText('Work', { exact: true }).waitFor();
  await expect
    .poll(() => cell.locator('img').evaluate((image) => (image as HTMLImageElement).naturalWidth))
    .toBeGreaterThan(0);
  await card('Surveyor').click();
  await cell.getByText('On', { exact: true }).waitFor();
  await keep('on');
  await until('the page to be there', () => existsSync(join(home, 'page')));
  expect(readFileSync(join(home, 'page'), 'utf8')).toBe(greeting);
  await page.keyboard.press('Control+2');
  const lane = page.getByRole('listitem').filter({ hasText: 'Surveyor' }).first();
  await lane.getByText('Protected').waitFor();
  await page.keyboard.press('Control+1');
  await page.getByRole('searchbox').fill('');
  expect(window.complaints).toEqual([]);
});

describe('the menu of an app', () => {
  test('opens by the right button, by Shift+F10 and by its button, and leads everywhere by the keyboard', async () => {
    const { page } = window;
    await card('Surveyor').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Open', exact: true }).waitFor();
    await keep('menu');
    expect(await violations()).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'More for Surveyor' }).click();
    await page.getByRole('menuitem', { name: 'Pin', exact: true }).click();
    await expect.poll(() => page.getByRole('gridcell').first().textContent()).toContain('Surveyor');
    await card('Surveyor').focus();
    await page.keyboard.press('Shift+F10');
    await page.getByRole('menuitem', { name: 'Always use' }).waitFor();
    await page.keyboard.type('alw');
    await page.keyboard.press('ArrowRight');
    await page.getByRole('menuitemradio', { name: 'The default (Work)' }).waitFor();
    await keep('always');
    expect(await violations()).toEqual([]);
    await page.getByRole('menuitemradio', { name: 'No network' }).click();
    await page.getByRole('gridcell').first().getByText('No network').waitFor();
    expect(await culvert(['app', 'ls'])).toContain('none');
  });

  test('opens an app once through another profile, and by one of its own actions', async () => {
    const { page } = window;
    await card('Surveyor').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Open through' }).hover();
    await page.getByRole('menuitem', { name: 'Work', exact: true }).click();
    await until('the lane to be there', async () => (await culvert(['ps'])).includes('Surveyor'));
    expect(await culvert(['ps'])).toContain(proxy.url);
    await culvert(['stop', '--all', '--force']);
    await culvert(['app', 'unbind', 'surveyor']);
    await page.getByRole('gridcell').first().getByText('Work').waitFor();
    await card('Surveyor').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Actions of Surveyor' }).hover();
    await page.getByRole('menuitem', { name: 'Read Again' }).click();
    await until('the lane to be there', async () => (await culvert(['ps'])).includes('Surveyor'));
  });

  test('makes a launcher of the desktop’s', async () => {
    const { page } = window;
    await card('Surveyor').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Create launcher…' }).click();
    await dialog().getByRole('combobox', { name: 'Profile' }).waitFor();
    await keep('launcher');
    expect(await violations()).toEqual([]);
    await dialog().getByRole('button', { name: 'Create launcher' }).click();
    await page.getByText('“Surveyor (Work)” is now in the menu of your desktop.').waitFor();
    expect(await culvert(['launcher', 'ls'])).toContain('Surveyor (Work)');
  });
});

describe('what is dropped', () => {
  test('shows its two targets, and axe finds nothing there', async () => {
    await window.page.evaluate(() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.setData('text/uri-list', 'file:///x');
      const init = { bubbles: true, cancelable: true, dataTransfer };
      document.querySelector('main')?.dispatchEvent(new DragEvent('dragenter', init));
    });
    await window.page.getByText('Open now through Work').waitFor();
    await keep('drop');
    expect(await violations()).toEqual([]);
    await window.page.evaluate(() => {
      document.body.dispatchEvent(new DragEvent('dragleave', { bubbles: true }));
    });
    await window.page.getByText('Open now through Work').waitFor({ state: 'detached' });
  });

  test('is opened only once its command has been seen and is trusted, if it is an entry from elsewhere', async () => {
    const file = put(
      'Downloads/found.desktop',
      '[Desktop Entry]\nType=Application\nName=Found\nExec=sleep 1000\n',
    );
    await drop(`file://${file}`, 'open');
    await dialog().getByText('sleep 1000').waitFor();
    await keep('trust');
    expect(await violations()).toEqual([]);
    expect(await culvert(['ps'])).not.toContain('Found');
    await dialog().getByRole('button', { name: 'Trust and open' }).click();
    await until('the lane to be there', async () => (await culvert(['ps'])).includes('Found'));
  });

  test('is kept among the apps, once a script may be run', async () => {
    const script = put('Downloads/tool', '#!/bin/sh\nexec sleep 1000\n');
    await drop(`file://${script}`, 'add');
    await keep('executable');
    await dialog().getByRole('button', { name: 'Allow and add' }).click();
    await card('tool').click();
    await until('the lane to be there', async () => (await culvert(['ps'])).includes('tool'));
  });

  test.each([
    ['Downloads/readme.pdf', '%PDF-1.7', 'It is a document.'],
    ['Downloads/setup.exe', 'MZ\0\0', 'It is a Windows program.'],
  ])('is refused with a sentence: %s', async (path, content, sentence) => {
    await drop(`file://${put(path, content)}`, 'open');
    await dialog().getByText(sentence).waitFor();
    await keep(`refused-${path.replace(/.*\W/, '')}`);
    expect(await violations()).toEqual([]);
    await window.page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
  });

  test('has the path of the file itself, and a button does the same without dragging', async () => {
    const script = put('Downloads/chosen', '#!/bin/sh\nexec sleep 1000\n', 0o755);
    const path = await window.page.evaluateHandle(() =>
      document.body.appendChild(document.createElement('input')),
    );
    await path.evaluate((input) => {
      input.type = 'file';
    });
    await path.asElement().setInputFiles(script);
    const told = await path.evaluate((input) => {
      const { culvert: api } = globalThis as unknown as { culvert: WindowApi };
      const found = api.files.pathOf(input.files?.[0]);
      input.remove();
      return found;
    });
    expect(told).toBe(script);
    await window.inMain(({ dialog: dialogs }, file) => {
      dialogs.showOpenDialog = () => Promise.resolve({ canceled: false, filePaths: [file] });
    }, script);
    await window.page.getByRole('button', { name: 'Open a file…' }).click();
    await until('the lane to be there', async () => (await culvert(['ps'])).includes('chosen'));
  });
});

test('an app that runs outside is not opened, until that one has been closed', async () => {
  const { page } = window;
  const nap = put('bin/napper', readFileSync('/usr/bin/sleep', 'latin1'), 0o755);
  writeFileSync(nap, readFileSync('/usr/bin/sleep'));
  put(
    '.local/share/applications/napper.desktop',
    `[Desktop Entry]\nType=Application\nName=Napper\nExec=${nap} 1000\n`,
  );
  const outside = desktop.world.spawn([nap, '1000'], { user });
  await page.evaluate(() => globalThis.dispatchEvent(new Event('focus')));
  await card('Napper').click();
  await dialog().getByText('Napper is already open').waitFor();
  await keep('running-outside');
  expect(await violations()).toEqual([]);
  expect(await culvert(['ps'])).not.toContain('Napper');
  await dialog().getByRole('button', { name: 'Close and reopen' }).click();
  expect((await outside.ended).signal).toBe('SIGTERM');
  await until('the lane to be there', async () => (await culvert(['ps'])).includes('Napper'));
});

test('arrow keys lead from card to card, and Enter in the search opens what fits best', async () => {
  const { page } = window;
  await page.keyboard.press('Control+f');
  await page.keyboard.press('ArrowDown');
  const first = await page.evaluate(() => document.activeElement?.getAttribute('aria-labelledby'));
  await page.keyboard.press('ArrowRight');
  expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-labelledby'))).not.toBe(first);
  await page.keyboard.press('Home');
  expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-labelledby'))).toBe(first);
  await page.keyboard.press('Control+f');
  await page.keyboard.type('surveyor');
  await page.getByRole('gridcell').nth(1).waitFor({ state: 'detached' });
  await page.keyboard.press('Enter');
  await until('the lane to be there', async () => (await culvert(['ps'])).includes('Surveyor'));
  await page.keyboard.press('Escape');
});

test('of many apps only those are made that are seen, and End leads to the last of them', async () => {
  const { page } = window;
  for (let index = 100; index < 600; index += 1)
    put(
      `.local/share/applications/many-${index}.desktop`,
      `[Desktop Entry]\nType=Application\nName=Zz ${index}\nExec=sleep 1000\n`,
    );
  await page.getByRole('searchbox').fill('');
  await page.evaluate(() => globalThis.dispatchEvent(new Event('focus')));
  await page.keyboard.press('Control+f');
  await expect
    .poll(async () => Number(await page.getByRole('grid').getAttribute('aria-rowcount')))
    .toBeGreaterThan(160);
  expect(await page.getByRole('gridcell').count()).toBeLessThan(60);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('End');
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.closest('[data-app]')?.getAttribute('data-app')))
    .toBe('many-599');
  expect(await page.getByRole('gridcell').count()).toBeLessThan(60);
});
