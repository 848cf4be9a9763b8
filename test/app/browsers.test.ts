/**
 * Real browsers opened from the real window while they are open outside: asked about, opened beside with a profile of
 * their own, closed and reopened. What goes out is seen at the proxy, and at the host's own resolver as the control;
 * what a page is made of is seen among the connections and in the traffic.
 */
import { chmodSync, mkdirSync, writeFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { put } from '../system/app-stage.ts';
import { serverOf, writeConfig } from '../system/settings.ts';
import { host as address } from '../world/addresses.ts';
import { repository } from '../world/artefact.ts';
import { Owned } from '../world/owned.ts';
import type { Proxy } from '../world/proxies.ts';
import { until } from '../world/until.ts';
import { Desktop, type OpenWindow } from './desktop.ts';

const user = 'culvert-a';
/** Pictures for people to look at; nothing is compared with them. */
const pictures = join(repository, 'dist/test/pictures');
/** A page whose parts come from three hosts, one of them blocked by a rule, and which goes on asking for more. */
const atlas = `<!doctype html><meta charset="utf-8"><title>Atlas</title><h1>Atlas</h1><script>
const part = (kind, host, path) => {
  const made = document.body.appendChild(document.createElement(kind));
  made.src = 'http://' + host + '.' + location.hostname + path;
  setTimeout(() => made.remove(), 900);
};
part('script', 'ads', '/files/ad.js');
setInterval(() => part('img', 'pictures', '/files/map.svg?' + Date.now()), 1000);
setInterval(() => fetch('/bytes/300000').then((answer) => answer.arrayBuffer()), 250);
</script>`;
/** A browser takes its time on a machine that does other things besides. */
const browserMs = 60_000;

const owned = new Owned();
let desktop: Desktop;
let proxy: Proxy;
let window: OpenWindow;

beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  desktop = owned.use(await Desktop.create());
  writeFileSync(join(desktop.world.www, 'atlas.html'), atlas);
  writeFileSync(join(desktop.world.www, 'map.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  proxy = owned.use(await desktop.world.proxy('microsocks'));
  writeConfig(desktop.world, {
    defaultProfile: 'work',
    profiles: [{ id: 'work', name: 'Work', chain: { servers: [serverOf(proxy)] } }],
    rules: [
      { id: 'maps', match: { to: ['pictures.*'] }, action: 'proxy' },
      { id: 'no-ads', match: { to: ['ads.*'] }, action: 'block' },
    ],
  });
  entry('fox', 'Fox', 'firefox-esr http://fox.example.test/files/atlas.html');
  entry('chrome', 'Chrome', 'chromium http://chrome.example.test/files/atlas.html');
  window = owned.use(await desktop.open());
  await showColumns('Process', 'Rule');
  await window.page.keyboard.press('Control+1');
});
afterEach(async () => {
  await culvert(['stop', '--all', '--force']).catch(() => undefined);
  await until('no lane', async () => !(await culvert(['ps'])).includes('Work'));
});
afterAll(async () => {
  await owned[Symbol.asyncDispose]();
});

function entry(id: string, name: string, exec: string): void {
  const text = `[Desktop Entry]\nType=Application\nName=${name}\nExec=${exec}\n`;
  put(desktop.world, `.local/share/applications/${id}.desktop`, text);
}

const culvert = (args: readonly string[]) => desktop.world.must([desktop.product.culvert, ...args], { user });
const dialog = () => window.page.getByRole('dialog');
const proxied = (name: string) => proxy.process.stderr.split(`connected to ${name}:80`).length - 1;

/** Names of the hosts that the world's host asked for itself, outside of any lane. */
async function askedByHost(): Promise<string[]> {
  const seen = await desktop.world.internet.seen();
  return seen
    .filter(({ peer, port }) => peer === address.v4 && port === 53)
    .map(({ asked = '' }) => asked.split(' ').at(-1) ?? '');
}

async function click(name: string): Promise<void> {
  await window.page.keyboard.press('Control+1');
  await window.page.getByRole('button', { name, exact: true }).click();
}

/** Has the table of connections show these as well, in a window that is wide enough for them. */
async function showColumns(...names: readonly string[]): Promise<void> {
  const { page } = window;
  await window.inMain(({ BrowserWindow }) => {
    BrowserWindow.getAllWindows()[0]?.setSize(1360, 760);
  });
  await page.keyboard.press('Control+3');
  await page.getByRole('button', { name: 'Columns' }).click();
  for (const name of names) await page.getByRole('menuitemcheckbox', { name, exact: true }).click();
  await page.keyboard.press('Escape');
}

/** What the table says of a connection to this host: a text for each of the columns. */
async function rowOf(host: string): Promise<Record<string, string>> {
  const row = window.page.locator('.flows .row').filter({ hasText: host }).first();
  await row.waitFor();
  return row.evaluate((element) =>
    Object.fromEntries([...element.children].map((cell) => [cell.classList[1] ?? '', cell.textContent])),
  );
}

/** The parts of its page are connections of its process, each with its figures, its way and the rule that decided. */
async function seeConnections(name: string, program: string, site: string): Promise<void> {
  const { page } = window;
  await page.keyboard.press('Control+3');
  await page.getByRole('radio', { name: /^All / }).click();
  await page.getByRole('combobox', { name: 'Filter connections' }).fill(`host:*${site} `);
  const row = (host: string) => rowOf(`${host}${site}`);
  await until('its process', async () => (await row('pictures.'))['process'] === program);
  expect(await row('pictures.')).toMatchObject({
    ...{ state: 'Open', app: name, host: `pictures.${site}`, port: '80', profile: 'Work', rule: 'maps' },
    down: expect.stringMatching(/^(?!0\s).*\s(B|kB)$/) as string,
  });
  expect(await row('ads.')).toMatchObject({ state: 'Refused', rule: 'no-ads' });
  await page.getByRole('combobox', { name: 'Filter connections' }).press('Escape');
  await page.getByRole('combobox', { name: 'Filter connections' }).fill(`host:${site} >1MB `);
  expect(await row('')).toMatchObject({
    app: name,
    process: program,
    rule: '',
    down: expect.stringMatching(/MB$/) as string,
  });
  await page.getByRole('combobox', { name: 'Filter connections' }).press('Escape');
  await page.getByRole('combobox', { name: 'Filter connections' }).fill(`host:*${site} `);
  await page
    .locator('.flows .row')
    .filter({ hasText: `pictures.${site}` })
    .first()
    .dblclick();
  const inside = page.getByRole('complementary', { name: 'Details of the connection' });
  await inside.locator('.sentence').filter({ hasText: 'pictures.*' }).waitFor();
  await inside.getByText(proxy.url).waitFor();
  await page.screenshot({ path: join(pictures, `browsers-${name}-connections.png`) });
  await page.keyboard.press('Escape');
  await page.getByRole('combobox', { name: 'Filter connections' }).press('Escape');
}

/** The graph goes on with what it moves. */
async function seeTraffic(name: string, site: string): Promise<void> {
  const { page } = window;
  await page.keyboard.press('Control+4');
  await page.getByRole('radio', { name: '1 min', exact: true }).click();
  await page.getByTitle(`Show or hide ${name}`).waitFor();
  await page.getByRole('region', { name: 'Top hosts' }).getByText(site, { exact: true }).waitFor();
  const now = () =>
    page.evaluate(() => ({
      bytes: Number(document.querySelector('.total-down')?.getAttribute('data-bytes')),
      drawn: document.querySelector<HTMLCanvasElement>('.uplot canvas')?.toDataURL(),
    }));
  const before = await now();
  expect(before.bytes).toBeGreaterThan(300_000);
  await until('more', async () => {
    const { bytes, drawn } = await now();
    return bytes > before.bytes + 300_000 && drawn !== before.drawn;
  });
  await page.screenshot({ path: join(pictures, `browsers-${name}-traffic.png`) });
}

/** Its card says so, and nobody but the kernel is believed: the lane is one with processes in it. */
async function seeProtected(name: string): Promise<void> {
  await window.page.keyboard.press('Control+2');
  const card = window.page.getByRole('listitem').filter({ hasText: name }).first();
  await card.getByText('Protected').waitFor({ timeout: browserMs });
}

test.each([
  ['Fox', 'firefox-esr', 'fox.example.test'],
  ['Chrome', 'chromium', 'chrome.example.test'],
])(
  '%s that is open outside is asked about, opened beside, and closed and reopened',
  async (name, program, page) => {
    const outside = desktop.world.spawn([program, `http://outside.${page}/`], {
      user,
      env: { DISPLAY: desktop.display },
    });
    await until('its page', async () => (await askedByHost()).includes(`outside.${page}`), browserMs);
    await click(name);
    await dialog().getByText(`${name} is already open`).waitFor();
    await dialog().getByText('outside of an isolated network').waitFor();
    expect(await dialog().getByRole('button', { name: 'Open anyway' }).count()).toBe(0);
    expect(await culvert(['ps'])).not.toContain(name);

    await dialog().getByRole('button', { name: 'Use a separate profile' }).click();
    await until('its page through the proxy', () => proxied(page) > 0, browserMs);
    await seeProtected(name);
    await seeConnections(name, program, page);
    await seeTraffic(name, page);
    expect(outside.hasEnded).toBe(false);
    await culvert(['stop', '--all', '--force']);
    await until('no lane', async () => !(await culvert(['ps'])).includes(name));

    const before = proxied(page);
    await click(name);
    await dialog().getByRole('button', { name: 'Close and reopen' }).click();
    await outside.ended;
    await until('its page through the proxy once more', () => proxied(page) > before, browserMs);
    await seeProtected(name);
    expect(await askedByHost()).not.toContain(page);
    expect(proxied(`outside.${page}`)).toBe(0);
  },
  180_000,
);

test('an app that need not hand over can be opened anyway, and is on a lane then', async () => {
  const napper = put(desktop.world, 'bin/napper', '', 0o755);
  writeFileSync(napper, readFileSync('/usr/bin/sleep'));
  chmodSync(napper, 0o755);
  entry('napper', 'Napper', `${napper} 1000`);
  const outside = desktop.world.spawn([napper, '1000'], { user });
  await window.page.evaluate(() => globalThis.dispatchEvent(new Event('focus')));
  await click('Napper');
  await dialog().getByText('It may take over what is opened now').waitFor();
  await dialog().getByRole('button', { name: 'Open anyway' }).click();
  await seeProtected('Napper');
  expect(outside.hasEnded).toBe(false);
  await outside.end();
});
