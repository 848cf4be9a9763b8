/** The past in the real window: what a real lane moved through a real proxy, drawn, counted, selected and saved. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repository } from '../world/artefact.ts';
import { Owned } from '../world/owned.ts';
import type { Proxy } from '../world/proxies.ts';
import { until } from '../world/until.ts';
import { violationsOf } from './axe.ts';
import { Desktop, type OpenWindow } from './desktop.ts';

/** Pictures for people to look at; nothing is compared with them. */
const pictures = join(repository, 'dist/test/pictures');
const owned = new Owned();
let desktop: Desktop;
let proxy: Proxy;
let window: OpenWindow;

beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  desktop = owned.use(await Desktop.create());
  proxy = await desktop.world.proxy('mirror');
  const run = (script: string) => desktop.product.spawn(['bash', '-c', script], { proxy: proxy.url });
  // One app moves much before there is a window, another one little all the time.
  const early = desktop.product.spawn(['python3', '-c', downloads, '3', '4000000', '1'], {
    proxy: proxy.url,
  });
  await early.says(/done/);
  run('while :; do curl -s http://example.test/bytes/300000 -o /dev/null; sleep 0.3; done');
  window = owned.use(await desktop.open());
  await window.page.keyboard.press('Control+4');
  await window.page.getByRole('slider').waitFor({ timeout: 15_000 });
});
afterAll(async () => {
  await owned[Symbol.asyncDispose]();
});

/** So many downloads of so many bytes with a pause between them; then it stays. */
const downloads = `
import sys, time, urllib.request
count, size, pause = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
for _ in range(count):
    urllib.request.urlopen('http://example.test/bytes/' + size).read()
    time.sleep(pause)
print('done', flush=True)
time.sleep(600)
`;

const keep = (name: string) =>
  window.page.screenshot({ path: join(pictures, `traffic-${name.replaceAll(' ', '-')}.png`) });
/** Figures of the screen in bytes, all of one moment. */
const bytesOf = (...selectors: string[]) =>
  window.page.evaluate(
    (all) => all.map((one) => Number(document.querySelector(one)?.getAttribute('data-bytes'))),
    selectors,
  );

/** How many pixels of the graph have a colour. */
const ink = () =>
  window.page.evaluate(() => {
    const graph = document.querySelector<HTMLCanvasElement>('.uplot canvas');
    if (graph === null) return 0;
    const copy = new OffscreenCanvas(graph.width, graph.height).getContext('2d', {
      willReadFrequently: true,
    });
    copy?.drawImage(graph, 0, 0);
    const data = copy?.getImageData(0, 0, graph.width, graph.height).data ?? [];
    let coloured = 0;
    for (let at = 0; at < data.length; at += 4) {
      const [red = 0, green = 0, blue = 0, alpha = 0] = data.slice(at, at + 4);
      if (alpha > 0 && Math.max(red, green, blue) - Math.min(red, green, blue) > 40) coloured += 1;
    }
    return coloured;
  });

test('a window that is opened late shows what was moved before, as ink and as figures', async () => {
  const { page } = window;
  await until('the early bytes', async () => ((await bytesOf('.total-down'))[0] ?? 0) > 12_000_000);
  await page.getByRole('listitem').filter({ hasText: 'python3' }).first().waitFor();
  await page.getByText('example.test').waitFor();
  await page.getByRole('radio', { name: '1 min', exact: true }).click();
  await until('ink', async () => (await ink()) > 500);
  await keep('first');
  // Lines that are hidden leave none, so what was counted are lines.
  for (const name of ['python3', 'bash']) await page.getByTitle(`Show or hide ${name}`).click();
  await until('no ink', async () => (await ink()) === 0);
  for (const name of ['python3', 'bash']) await page.getByTitle(`Show or hide ${name}`).click();
  await page.getByRole('radio', { name: '5 min', exact: true }).click();
  await page.getByRole('slider').waitFor();
});

test('a part is selected with the mouse and with the keyboard, and the figures are those of it', async () => {
  const { page } = window;
  const whole = (await bytesOf('.total-down'))[0] ?? 0;
  const box = await page.locator('.u-over').boundingBox();
  if (box === null) throw new Error('there is no graph');
  // The first half of the last five minutes was before all of it.
  await page.mouse.move(box.x + 5, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 3, box.y + 60, { steps: 5 });
  await page.mouse.up();
  await page.getByText(/^Selected: /).waitFor();
  expect(await bytesOf('.total-down')).toEqual([0]);
  await page.getByText('No app was started, stopped or switched in this time.').waitFor();
  await page.getByRole('button', { name: 'End later' }).click();
  await page.getByRole('button', { name: 'Clear selection' }).click();
  await until('the whole', async () => ((await bytesOf('.total-down'))[0] ?? 0) >= whole);
  const slider = page.getByRole('slider');
  await slider.focus();
  await page.keyboard.press('End');
  await page.keyboard.press('Shift+Home');
  await until('nearly the whole', async () => ((await bytesOf('.total-down'))[0] ?? 0) >= whole);
  expect(await slider.getAttribute('aria-valuetext')).toMatch(/Selected .*MB down/);
  await keep('selected');
  await page.keyboard.press('Escape');
  await page.getByText(/^Drag over the graph/).waitFor();
});

test('the table and the saved text have the same bytes as the graph', async () => {
  const { page } = window;
  await page.getByRole('button', { name: 'Show as table' }).click();
  await page.getByRole('slider').focus();
  await page.keyboard.press('End');
  await page.keyboard.press('Shift+Home');
  await page.getByText(/^Selected: /).waitFor();
  const [down = 0, up = 0, tableDown, tableUp] = await bytesOf(
    ...['.total-down', '.total-up', 'tr.total td:nth-of-type(1)', 'tr.total td:nth-of-type(2)'],
  );
  expect(down).toBeGreaterThan(12_000_000);
  expect([tableDown, tableUp]).toEqual([down, up]);
  await keep('table');
  const file = join(desktop.world.users['culvert-a'].home, 'traffic.csv');
  await window.inMain(({ dialog }, filePath) => {
    dialog.showSaveDialog = () => Promise.resolve({ canceled: false, filePath });
  }, file);
  await page.getByRole('button', { name: 'Export CSV…' }).click();
  await page.getByText(`Saved as ${file}`).waitFor();
  const [head = '', ...rows] = readFileSync(file, 'utf8').trim().split('\r\n');
  expect(head).toMatch(/^from,to,down \(bytes\),up \(bytes\),.*python3 down \(bytes\)/);
  const column = (index: number) => rows.reduce((sum, row) => sum + Number(row.split(',')[index]), 0);
  // What was selected last may have slid out of the picture by a second or two, and nothing was moved then.
  expect([column(2), column(3)]).toEqual([down, up]);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Hide table' }).click();
});

test('the graph is drawn once a second while it can be seen, and not at all while it cannot', async () => {
  const { page } = window;
  await page.evaluate(() => {
    const clear: (...where: number[]) => void = Reflect.get(CanvasRenderingContext2D.prototype, 'clearRect');
    CanvasRenderingContext2D.prototype.clearRect = function (...where) {
      document.documentElement.dataset['draws'] = String(
        Number(document.documentElement.dataset['draws'] ?? 0) + 1,
      );
      clear.apply(this, where);
    };
  });
  /** How often it is drawn in so many milliseconds, and how many of them it really were. */
  const draws = (ms: number) =>
    page.evaluate(async (wait) => {
      const { dataset } = document.documentElement;
      const [before, from] = [Number(dataset['draws'] ?? 0), performance.now()];
      await new Promise((resolve) => setTimeout(resolve, wait));
      return { count: Number(dataset['draws'] ?? 0) - before, ms: performance.now() - from };
    }, ms);
  const seen = await draws(4000);
  expect(seen.count).toBeGreaterThan(0);
  expect(seen.count).toBeLessThanOrEqual(Math.ceil(seen.ms / 1000) + 1);
  // Playwright has pages believe that they are always seen, even where their window is hidden.
  const see = (isSeen: boolean) =>
    page.evaluate(
      (state) => {
        Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      },
      isSeen ? 'visible' : 'hidden',
    );
  await see(false);
  expect((await draws(3000)).count).toBe(0);
  await see(true);
  await until('a new picture', async () => (await draws(500)).count > 0);
  await page.keyboard.press('Control+3');
  await page.getByRole('heading', { level: 1, name: 'Connections' }).waitFor();
  const hidden = await page.evaluate(() => document.querySelector('.uplot') === null);
  expect(hidden).toBe(true);
  await page.keyboard.press('Control+4');
});

const looks = [
  { name: 'light', theme: 'Light', contrast: 0 },
  { name: 'dark', theme: 'Dark', contrast: 0 },
  { name: 'high contrast', theme: 'Light', contrast: 1 },
] as const;

test.each(looks)('axe finds nothing in $name', async ({ name, theme, contrast }) => {
  const { page } = window;
  await page.keyboard.press('Control+,');
  await page.getByRole('radio', { name: theme, exact: true }).click();
  await page.getByRole('radiogroup', { name: 'Contrast' }).getByRole('radio').nth(contrast).click();
  await page.keyboard.press('Control+4');
  await page.getByRole('slider').waitFor();
  await page.getByRole('radio', { name: '1 min', exact: true }).click();
  await page.getByRole('listitem').filter({ hasText: 'bash' }).first().waitFor();
  await page.getByRole('button', { name: 'Show as table' }).click();
  expect(await violationsOf(page)).toEqual([]);
  await page.getByRole('button', { name: 'Hide table' }).click();
  await keep(name);
});

test('an app of an engine that has ended is still there once the past is kept on disk', async () => {
  const { page } = window;
  await page.keyboard.press('Control+,');
  await page.getByRole('radio', { name: '1 day', exact: true }).click();
  await page.getByText('Also keep the names of hosts').waitFor();
  await desktop.product.must(['curl', '-sS', 'http://example.test/bytes/700000', '-o', '/dev/null'], {
    proxy: proxy.url,
  });
  await page.keyboard.press('Control+4');
  await page.getByRole('radio', { name: '24 h', exact: true }).click();
  const top = page.getByRole('region', { name: 'Top apps' });
  await top
    .getByRole('listitem')
    .filter({ hasText: 'curl' })
    .getByText(/↓ 0\.7 MB|↓ 70[0-9] kB/)
    .waitFor();
  await page.getByText('curl ended').waitFor();
  await page.getByRole('radio', { name: '1 min', exact: true }).click();
});

test('speaks Chinese, by profile, in the smallest window, and its page has complained of nothing', async () => {
  const { page } = window;
  await page.keyboard.press('Control+,');
  await page.getByRole('radiogroup', { name: 'Contrast' }).getByRole('radio').nth(0).click();
  await page.getByRole('radio', { name: '简体中文' }).click();
  await keep('setting Chinese');
  await page.keyboard.press('Control+4');
  await page.getByRole('radio', { name: '按配置' }).click();
  await page.getByText('socks5://').first().waitFor();
  await keep('Chinese');
  await window.inMain(({ BrowserWindow }) => {
    BrowserWindow.getAllWindows()[0]?.setSize(720, 520);
  });
  await page.waitForFunction(() => innerWidth <= 720);
  const overflow = await page.evaluate(() => {
    const content = document.querySelector('main');
    return (content?.scrollWidth ?? 0) - (content?.clientWidth ?? 0);
  });
  expect(overflow).toBeLessThanOrEqual(0);
  await keep('small Chinese');
  expect(window.complaints).toEqual([]);
});
