/** The real window on a real lane: what it shows, what it does, and who outlives whom. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Proxy } from '../world/proxies.ts';
import type { Running } from '../world/running.ts';
import { until } from '../world/until.ts';
import { Desktop, type OpenWindow } from './desktop.ts';

let desktop: Desktop;
let proxy: Proxy;

beforeAll(async () => {
  desktop = await Desktop.create();
  proxy = await desktop.world.proxy('mirror');
});
afterAll(async () => {
  await desktop[Symbol.asyncDispose]();
});

/** An app on a lane of `culvert run`. */
function runApp(name: string, script = 'exec sleep 1000'): Running {
  return desktop.product.spawn(['bash', '-c', `${script} # ${name}`], { proxy: proxy.url });
}

const card = (window: OpenWindow, text: string) =>
  window.page.getByRole('listitem').filter({ hasText: text }).first();

describe('a window', () => {
  let window: OpenWindow;
  let stubborn: Running;
  /** What the screen itself is made of. */
  let before: number;

  beforeAll(async () => {
    before = desktop.world.leftovers().length;
    window = await desktop.open();
  });
  beforeEach(async () => {
    await window.page.keyboard.press('Control+2');
  });
  afterAll(async () => {
    await window[Symbol.asyncDispose]();
    await until('everything to be gone', () => desktop.world.leftovers().length <= before, 10_000);
  });

  test('shows a running app with its state, its processes and the figures of its network, and stops it', async () => {
    const { page } = window;
    await page.getByRole('heading', { name: 'Nothing runs through Culvert yet' }).waitFor();
    const app = runApp('first');
    const shown = card(window, '# first');
    await shown.getByText('Protected').waitFor();
    await shown.getByRole('button', { name: 'Details of bash' }).click();
    await shown.getByText('sleep 1000', { exact: true }).waitFor();
    await shown.getByText(proxy.url).first().waitFor();
    await shown.getByRole('button', { name: 'Stop bash' }).click();
    expect((await app.ended).signal).toBe('SIGTERM');
    await page.getByRole('heading', { name: 'Nothing runs through Culvert yet' }).waitFor();
    expect(window.complaints).toEqual([]);
  });

  test('asks an app to end that does not, and goes on showing it', async () => {
    stubborn = runApp('stubborn', "trap '' TERM; while :; do sleep 0.2; done");
    const shown = card(window, '# stubborn');
    await shown.getByRole('button', { name: 'Stop bash' }).click();
    await shown.getByText('Stopping…').waitFor();
  });

  test('shows the connections of an app as they come and go', async () => {
    const app = runApp('caller', 'exec 3<>/dev/tcp/198.51.100.80/80; sleep 1000');
    await card(window, '# caller').getByText('One connection').waitFor();
    await window.page.keyboard.press('Control+3');
    const row = window.page.getByRole('row').filter({ hasText: '198.51.100.80' });
    await row.getByText('Open', { exact: true }).waitFor();
    await row.click();
    await window.page.keyboard.press('Delete');
    await window.page.getByRole('radio', { name: /^Closed [1-9]/ }).click();
    await row.getByText('Closed', { exact: true }).waitFor();
    app.kill();
    await app.ended;
  });

  test('says within a second that an engine has fallen silent, and that it speaks again', async () => {
    const app = runApp('silent');
    const shown = card(window, '# silent');
    await shown.getByText('Protected').waitFor();
    await shown.getByRole('button', { name: 'Details of bash' }).click();
    const text = await shown.getByText(/of “culvert run”, process/).textContent();
    const engine = Number(/[0-9]+$/.exec(text ?? '')?.[0]);
    const inside = Number(
      await shown
        .getByRole('group', { name: 'Processes' })
        .getByText(/^[0-9]+$/)
        .textContent(),
    );
    process.kill(engine, 'SIGSTOP');
    await shown.getByText('Not answering').waitFor({ timeout: 1500 });
    process.kill(engine, 'SIGCONT');
    await shown.getByText('Protected').waitFor();
    process.kill(engine, 'SIGKILL');
    await shown.waitFor({ state: 'detached', timeout: 1500 });
    // An app outlives its engine, without a network.
    process.kill(inside, 'SIGKILL');
    await app.ended;
  });

  test('offers force to an app that has not ended within ten seconds, and ends it so', async () => {
    const shown = card(window, '# stubborn');
    await shown.getByRole('button', { name: 'Force bash to stop' }).click({ timeout: 20_000 });
    expect((await stubborn.ended).signal).toBe('SIGKILL');
  });

  test('comes back when its page crashes, and shows what runs', async () => {
    const app = runApp('survivor');
    await card(window, '# survivor').getByText('Protected').waitFor();
    const shows = () =>
      window.inMain(async ({ BrowserWindow }) => {
        const contents = BrowserWindow.getAllWindows()[0]?.webContents;
        if (contents === undefined || contents.isCrashed() || contents.isLoading()) return '';
        // A page that is going away answers nothing.
        const silence = new Promise((resolve) => setTimeout(resolve, 500, ''));
        return String(await Promise.race([contents.executeJavaScript('document.body.innerText'), silence]));
      });
    await window.inMain(({ BrowserWindow }) => {
      BrowserWindow.getAllWindows()[0]?.webContents.forcefullyCrashRenderer();
    });
    await until('the page to be back', async () => (await shows()).includes('# survivor'), 10_000);
    app.kill();
    await app.ended;
  });
});

test('an app goes on when the window is killed, and a new window shows it', async () => {
  const app = runApp('independent', 'while :; do curl -s http://example.test/ | wc -c; sleep 0.2; done');
  {
    const window = await desktop.open();
    await card(window, '# independent').getByText('Protected').waitFor();
    window.app.process().kill('SIGKILL');
    await window[Symbol.asyncDispose]().catch(() => undefined);
  }
  const before = app.stdout.length;
  await until('the app to go on', () => app.stdout.length > before);
  await using window = await desktop.open();
  await card(window, '# independent').getByText('Protected').waitFor();
  app.kill();
  await app.ended;
});

test('a second start shows the first window, which was started in the background, and ends', async () => {
  await using window = await desktop.open({ args: ['--background'] });
  expect(await window.isVisible()).toBe(false);
  expect((await desktop.again(['--background'])).code).toBe(0);
  expect(await window.isVisible()).toBe(false);
  expect((await desktop.again([])).code).toBe(0);
  await until('the window to be shown', () => window.isVisible());
  expect(await window.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1);
});

test('a window comes back where and how it was', async () => {
  {
    await using window = await desktop.open();
    await window.inMain(({ BrowserWindow }) => {
      BrowserWindow.getAllWindows()[0]?.setBounds({ x: 60, y: 40, width: 900, height: 600 });
    });
    await window.page.keyboard.press('Control+,');
    await window.page.getByRole('radio', { name: '简体中文' }).click();
    await window.page.getByRole('heading', { level: 1, name: '设置' }).waitFor();
  }
  await using window = await desktop.open();
  await window.page.getByRole('heading', { level: 1, name: '正在运行' }).waitFor();
  const bounds = await window.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.getBounds());
  expect(bounds).toMatchObject({ width: 900, height: 600 });
  await window.page.keyboard.press('Control+,');
  await window.page.getByRole('radio', { name: 'English' }).click();
  await window.page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor();
});
