/**
 * Real browsers opened from the real window while they are open outside: asked about, opened beside with a profile of
 * their own, closed and reopened. What goes out is seen at the proxy, and at the host's own resolver as the control.
 */
import { chmodSync, writeFileSync, readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { put } from '../system/app-stage.ts';
import { serverOf, writeConfig } from '../system/settings.ts';
import { host as address } from '../world/addresses.ts';
import { Owned } from '../world/owned.ts';
import type { Proxy } from '../world/proxies.ts';
import { until } from '../world/until.ts';
import { Desktop, type OpenWindow } from './desktop.ts';

const user = 'culvert-a';
/** A browser takes its time on a machine that does other things besides. */
const browserMs = 60_000;

const owned = new Owned();
let desktop: Desktop;
let proxy: Proxy;
let window: OpenWindow;

beforeAll(async () => {
  desktop = owned.use(await Desktop.create());
  proxy = owned.use(await desktop.world.proxy('microsocks'));
  writeConfig(desktop.world, {
    defaultProfile: 'work',
    profiles: [{ id: 'work', name: 'Work', chain: { servers: [serverOf(proxy)] } }],
  });
  entry('fox', 'Fox', 'firefox-esr http://fox.example.test/');
  entry('chrome', 'Chrome', 'chromium http://chrome.example.test/');
  window = owned.use(await desktop.open());
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
