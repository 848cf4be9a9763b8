/** The past in the real window: what a real lane moved through a real proxy, drawn, counted, selected and saved. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repository } from '../world/artefact.ts';
import { Owned } from '../world/owned.ts';
import { until } from '../world/until.ts';
import { Desktop, type OpenWindow } from './desktop.ts';

/** Pictures for people to look at; nothing is compared with them. */
const pictures = join(repository, 'dist/test/pictures');
const owned = new Owned();
let desktop: Desktop;
let window: OpenWindow;
/** When the first app had moved all that it was to move. */
let movedAt: number;

beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  desktop = owned.use(await Desktop.create());
  const proxy = await desktop.world.proxy('mirror');
  const run = (script: string) => desktop.product.spawn(['bash', '-c', script], { proxy: proxy.url });
  // One app moves much before there is a window, another one little all the time.
  const early = desktop.product.spawn(['python3', '-c', downloads, '3', '4000000', '1'], {
    proxy: proxy.url,
  });
  await early.says(/done/);
  movedAt = Date.now();
  run('while :; do curl -s http://example.test/bytes/300000 -o /dev/null; sleep 0.3; done');
  window = owned.use(await desktop.open());
  await window.page.keyboard.press('Control+4');
  await window.page.getByRole('slider').waitFor({ timeout: 15_000 }).catch(async (error: unknown) => {
    await keep('failed');
    throw new Error(`${String(error)} ${window.complaints.join('\n')}`);
  });
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
const bytesOf = async (selector: string) =>
  Number(await window.page.locator(selector).first().getAttribute('data-bytes'));
const chooseRange = (name: string) => window.page.getByRole('radio', { name, exact: true }).click();

test('a window that is opened late shows what was moved before, as ink and as figures', async () => {
  const { page } = window;
  await until('the early bytes', async () => (await bytesOf('.total-down')) > 12_000_000);
  await page.getByRole('listitem').filter({ hasText: 'python3' }).first().waitFor();
  await page.getByText('example.test').waitFor();
  const ink = await page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('.uplot canvas');
    const context = canvas?.getContext('2d');
    if (canvas === null || context == null) return 0;
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let coloured = 0;
    for (let at = 0; at < data.length; at += 4) {
      const [red = 0, green = 0, blue = 0, alpha = 0] = data.slice(at, at + 4);
      if (alpha > 0 && Math.max(red, green, blue) - Math.min(red, green, blue) > 40) coloured += 1;
    }
    return coloured;
  });
  expect(ink).toBeGreaterThan(500);
  await keep('first');
});
