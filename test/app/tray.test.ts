/** The status icon, its menu and notices, as a desktop's panel on the session's bus sees them. */
import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Proxy } from '../world/proxies.ts';
import type { Running } from '../world/running.ts';
import { until } from '../world/until.ts';
import { install } from '../system/app-stage.ts';
import { serverOf, writeConfig } from '../system/settings.ts';
import { Desktop, type OpenWindow } from './desktop.ts';
import { StatusArea, type MenuEntry } from './status-area.ts';

let desktop: Desktop;
let proxy: Proxy;

beforeAll(async () => {
  desktop = await Desktop.create();
  proxy = await desktop.world.proxy('mirror');
  writeConfig(desktop.world, {
    profiles: [{ id: 'work', name: 'Work', chain: { servers: [serverOf(proxy)] } }],
  });
  install(desktop.world, 'napper', 'sleep 1000');
});
afterAll(async () => {
  await desktop[Symbol.asyncDispose]();
});

const inHome = (path: string) => join(desktop.world.users['culvert-a'].home, path);
/** Where it is written down that hiding the window was explained. */
const told = () => inHome('.local/state/culvert/told.json');

function runApp(): Running {
  return desktop.product.spawn(['bash', '-c', 'sleep 1000'], { profile: 'work' });
}

/** Boxes that main shows from now on are answered by their button of this number, and with their box ticked or not. */
async function answerNext(window: OpenWindow, button: number, isTicked = false): Promise<void> {
  await window.inMain(
    ({ dialog }, [response, checkboxChecked]) => {
      const shown: Electron.MessageBoxOptions[] = [];
      Object.assign(globalThis, { shown });
      dialog.showMessageBox = (...given: unknown[]) => {
        shown.push(given.at(-1) as Electron.MessageBoxOptions);
        return Promise.resolve({ response, checkboxChecked });
      };
    },
    [button, isTicked] as const,
  );
}

/** The boxes that were shown since then. */
const boxes = (window: OpenWindow) =>
  window.inMain(() => (globalThis as never as { shown: Electron.MessageBoxOptions[] }).shown);

function close(window: OpenWindow): Promise<void> {
  return window.inMain(({ BrowserWindow }) => {
    BrowserWindow.getAllWindows()[0]?.close();
  });
}

async function seeProtected({ page }: OpenWindow): Promise<void> {
  await page.getByRole('link', { name: 'Running' }).click();
  await page.getByText('Protected', { exact: true }).waitFor();
}

describe('on a desktop that shows status icons', () => {
  let panel: StatusArea;
  let window: OpenWindow;

  const open = () => desktop.open({ env: { DBUS_SESSION_BUS_ADDRESS: panel.address } });
  const has = (what: string, look: (entry: MenuEntry) => boolean, ...labels: readonly string[]) =>
    until(`${labels.join('/')} to be ${what}`, async () => {
      const entry = await panel.entry(...labels);
      return entry !== undefined && look(entry);
    });

  beforeEach(async () => {
    panel = await StatusArea.start(desktop.world);
    rmSync(inHome('.config/culvert/window.json'), { force: true });
    // The panel shows notices as well, and answers one question at a time: only one test wants to be told.
    const tell = `mkdir -p ${dirname(told())} && echo '{"wasTold":true}' > ${told()}`;
    await desktop.world.must(['sh', '-c', tell], { user: 'culvert-a' });
    window = await open();
    await until('the icon', async () => (await panel.icons()) > 0);
  });
  afterEach(async () => {
    await window[Symbol.asyncDispose]();
    await panel[Symbol.asyncDispose]();
    await until('everything to be gone', () => desktop.world.leftovers().length === 0, 10_000);
  });

  test('there is one icon, whose menu shows what runs and gives it another profile', async () => {
    await has('said', () => true, 'No running apps');
    const app = runApp();
    await has('shown', () => true, 'One app through its proxy');
    await has('checked', ({ isChecked }) => isChecked, 'bash · Work', 'Proxy');
    await has('checked', ({ isChecked, toggle }) => isChecked && toggle === 'radio', 'bash · Work', 'Work');
    await panel.click('bash · Work', 'No network');
    await has('shown', () => true, 'bash · No network');
    await panel.click('bash · No network', 'Work');
    await has('shown', () => true, 'bash · Work');
    await panel.click('bash · Work', 'Stop');
    expect((await app.ended).signal).toBe('SIGTERM');
    await has('said', () => true, 'No running apps');
    expect(await panel.icons()).toBe(1);
  });

  test('an app that was opened lately is opened again, and another profile becomes the default one', async () => {
    const { page } = window;
    await panel.click('Open App…');
    await page.getByRole('button', { name: 'The App', exact: true }).click();
    await page.getByText('Open The App through…').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Work', exact: true }).click();
    await has('shown', () => true, 'The App · Work');
    await panel.click('The App · Work', 'Stop');
    await has('said', () => true, 'No running apps');
    await has('shown', () => true, 'Recent', 'The App');
    // Without a default there is something to ask, which the window does.
    await close(window);
    await until('the window to be hidden', async () => !(await window.isVisible()));
    await has('shown', () => true, 'Recent', 'The App');
    await panel.click('Recent', 'The App');
    await until('the window to be shown', () => window.isVisible());
    await page.getByText('Open The App through…').waitFor();
    await page.keyboard.press('Escape');
    await has('chosen', ({ isChecked }) => isChecked, 'Default Profile', 'Ask Each Time');
    await panel.click('Default Profile', 'Work');
    await has('chosen', ({ isChecked }) => isChecked, 'Default Profile', 'Work');
    await panel.click('Recent', 'The App');
    await has('shown', () => true, 'The App · Work');
    await panel.click('The App · Work', 'Stop');
    await has('said', () => true, 'No running apps');
    await panel.click('Default Profile', 'Ask Each Time');
    await has('chosen', ({ isChecked }) => isChecked, 'Default Profile', 'Ask Each Time');
  });

  test('all traffic is blocked and let go again, and proxying is turned off only after a question', async () => {
    const app = runApp();
    await has('shown', () => true, 'bash · Work');
    await panel.click('Block All Traffic');
    await has('checked', ({ isChecked }) => isChecked, 'Block All Traffic');
    await has('shown', () => true, 'All traffic is blocked');
    await has('shown', () => true, 'bash · No network');
    await panel.click('Block All Traffic');
    await has('shown', () => true, 'bash · Work');
    await answerNext(window, 0);
    await panel.click('Proxying On');
    await has('checked still', ({ isChecked }) => isChecked, 'Proxying On');
    await has('shown', () => true, 'bash · Work');
    await answerNext(window, 1);
    await panel.click('Proxying On');
    await has('shown', () => true, '1 of 1 running apps not proxied');
    await has('not checked', ({ isChecked }) => !isChecked, 'Proxying On');
    await panel.click('Proxying On');
    await has('shown', () => true, 'One app through its proxy');
    app.kill();
    await app.ended;
  });

  test('a closed window is hidden, which is told once, and comes back from the icon and from a notice', async () => {
    rmSync(told());
    await close(window);
    await until('the window to be hidden', async () => !(await window.isVisible()));
    await until('a notice', async () => (await panel.notices()).length > 0);
    expect((await panel.notices())[0]?.title).toBe('Culvert keeps running');
    await panel.press();
    await until('the window to be shown', () => window.isVisible());
    await close(window);
    await until('the window to be hidden', async () => !(await window.isVisible()));
    await panel.click('Open Culvert');
    await until('the window to be shown', () => window.isVisible());
    await close(window);
    await until('the window to be hidden', async () => !(await window.isVisible()));
    await panel.click('Open App…');
    await window.page.getByRole('heading', { level: 1, name: 'Apps' }).waitFor();
    await panel.click('Settings');
    await window.page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor();
    expect(await window.isVisible()).toBe(true);
    expect(await panel.notices()).toHaveLength(1);
    expect(await panel.icons()).toBe(1);
  });

  test('the close button asks where that is wanted, keeps the answer, and quits; what runs goes on', async () => {
    const { page } = window;
    const choice = (what: string) =>
      page.getByRole('radiogroup', { name: 'Close button' }).getByRole('radio', { name: what });
    // What is shown as chosen is what main keeps.
    const isKept = (what: string) =>
      until('it to be kept', async () => (await choice(what).getAttribute('aria-checked')) === 'true');
    const means = async (what: string) => {
      await page.keyboard.press('Control+,');
      await choice(what).click();
      await isKept(what);
    };
    await means('Ask');
    await answerNext(window, 0, true);
    await close(window);
    await until('the question', async () => (await boxes(window)).length === 1);
    expect((await boxes(window))[0]).toMatchObject({
      message: 'Hide the window, or quit Culvert?',
      checkboxLabel: 'Do the same from now on',
      buttons: ['Cancel', 'Quit', 'Hide the window'],
    });
    expect(await window.isVisible()).toBe(true);
    await isKept('Ask');
    await answerNext(window, 2, true);
    await close(window);
    await until('the window to be hidden', async () => !(await window.isVisible()));
    expect(readFileSync(inHome('.config/culvert/window.json'), 'utf8')).toMatch(/"closeButton": *"hide"/);
    await panel.click('Open Culvert');
    await until('the window to be shown', () => window.isVisible());
    await isKept('Hide the window');
    await close(window);
    await until('the window to be hidden', async () => !(await window.isVisible()));
    expect(await boxes(window)).toHaveLength(1);
    await panel.click('Open Culvert');
    await until('the window to be shown', () => window.isVisible());
    await means('Quit');
    const app = runApp();
    await has('shown', () => true, 'bash · Work');
    const ended = new Promise((resolve) => window.app.process().once('exit', resolve));
    await close(window).catch(() => undefined);
    await ended;
    expect(app.hasEnded).toBe(false);
    app.kill();
    await app.ended;
  });

  test('a proxy that is lost and comes back is told while the window is hidden', async () => {
    const lost = await desktop.world.proxy('mirror');
    const app = desktop.product.spawn(
      ['bash', '-c', 'while :; do curl -s --max-time 2 http://example.test/; sleep 0.2; done'],
      { proxy: lost.url },
    );
    await has('shown', () => true, 'One app through its proxy');
    await close(window);
    await until('the window to be hidden', async () => !(await window.isVisible()));
    await lost[Symbol.asyncDispose]();
    const told = async (title: RegExp) => (await panel.notices()).some((notice) => title.test(notice.title));
    await until('its loss to be told', () => told(/^Can’t reach the proxy/), 20_000);
    await has('said', () => true, 'Proxy unreachable: blocked');
    await using _again = await desktop.world.proxy('mirror', { port: lost.port });
    await until('its return to be told', () => told(/answers again$/), 20_000);
    await has('shown', () => true, 'One app through its proxy');
    app.kill();
    await app.ended;
  });

  test('quitting asks about what runs, and can end it', async () => {
    const app = runApp();
    await has('shown', () => true, 'bash · Work');
    await answerNext(window, 0);
    await panel.click('Quit…');
    await has('there still', () => true, 'bash · Work');
    await answerNext(window, 2);
    const ended = new Promise((resolve) => window.app.process().once('exit', resolve));
    await panel.click('Quit…');
    expect((await app.ended).signal).toBe('SIGTERM');
    await ended;
  });
});

test('an icon appears when a panel comes that shows it', async () => {
  await using panel = await StatusArea.start(desktop.world, false);
  await using window = await desktop.open({ env: { DBUS_SESSION_BUS_ADDRESS: panel.address } });
  await window.page.getByRole('heading', { level: 1 }).waitFor();
  expect(await panel.icons()).toBe(0);
  await panel.arrive();
  await until('the icon', async () => (await panel.icons()) === 1);
});

test('where nothing shows icons, closing the window ends the program and leaves the apps running', async () => {
  await using panel = await StatusArea.start(desktop.world, false);
  const app = runApp();
  {
    await using window = await desktop.open({ env: { DBUS_SESSION_BUS_ADDRESS: panel.address } });
    await seeProtected(window);
    const ended = new Promise((resolve) => window.app.process().once('exit', resolve));
    await close(window).catch(() => undefined);
    await ended;
    expect(app.hasEnded).toBe(false);
  }
  await using window = await desktop.open({ env: { DBUS_SESSION_BUS_ADDRESS: panel.address } });
  await seeProtected(window);
  expect(await window.isVisible()).toBe(true);
  app.kill();
  await app.ended;
});
