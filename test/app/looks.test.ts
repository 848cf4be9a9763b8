/**
 * What the real window is like to use, on every screen that the sidebar leads to: without a mouse, to a screen reader,
 * in each of its looks and languages, with longer words, enlarged, and in the smallest window.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WindowApi, WindowParams } from '../../electron/shared/contract.ts';
import { install, put } from '../system/app-stage.ts';
import { serverOf, writeConfig } from '../system/settings.ts';
import { repository } from '../world/artefact.ts';
import { Owned } from '../world/owned.ts';
import { violationsOf } from './axe.ts';
import { Desktop, type OpenWindow } from './desktop.ts';
import { cutOff, enlarge, hardToReach, lengthen, tabStops } from './page-probes.ts';

/** Pictures for people to look at; nothing is compared with them. */
const pictures = join(repository, 'dist/test/pictures');
const looks = [
  { name: 'light', theme: 'light', contrast: 'system' },
  { name: 'dark', theme: 'dark', contrast: 'system' },
  { name: 'high contrast', theme: 'light', contrast: 'more' },
  { name: 'dark high contrast', theme: 'dark', contrast: 'more' },
] as const;

const owned = new Owned();
let desktop: Desktop;
let window: OpenWindow;
/** The names of the screens, as the sidebar has them. */
let screens: string[];

beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  desktop = owned.use(await Desktop.create());
  const { world, product } = desktop;
  const proxy = await world.proxy('mirror');
  const servers = [serverOf(proxy), { ...serverOf(proxy, 's2'), host: '203.0.113.9', port: 8080 }];
  writeConfig(world, {
    defaultProfile: 'work',
    profiles: [
      { id: 'work', name: 'Work', colour: '#3a6ea5', chain: { servers: servers.slice(0, 1) } },
      { id: 'travel', name: 'Travel, by way of the office', chain: { mode: 'strict', servers } },
      { id: 'gone', name: 'Gone', chain: { servers: servers.slice(0, 1) } },
      { id: 'home', name: 'Home', colour: '#2e7d32', action: 'direct' },
    ],
    rules: [
      { id: 'intranet', match: { to: ['*.corp.example', '10.0.0.0/8'] }, action: 'direct' },
      { id: 'ads', match: { to: ['ads.example.test'] }, action: 'block' },
    ],
    apps: { surveyor: 'travel' },
  });
  install(world, 'surveyor', put(world, 'bin/surveyor', '#!/bin/sh\nexec sleep 1000\n', 0o755));
  for (const profile of ['work', 'gone'])
    await world.must([product.culvert, 'launcher', 'create', 'surveyor', '-p', profile], {
      user: 'culvert-a',
    });
  await world.must([product.culvert, 'profile', 'rm', '--force', 'gone'], { user: 'culvert-a' });
  window = owned.use(await desktop.open());
  const busy = `while :; do curl -s --limit-rate 50k http://example.test/bytes/99999999 >/dev/null; done &
    while :; do curl -s http://example.test/; curl -s http://ads.example.test/; sleep 0.4; done`;
  product.spawn(['bash', '-c', busy], { profile: 'work' });
  product.spawn(['sleep', '1000'], { profile: 'none' });
  await window.page.getByRole('button', { name: 'Details of bash' }).waitFor({ timeout: 15_000 });
  await window.page.getByRole('button', { name: 'Details of sleep' }).waitFor();
  const addresses = await window.page
    .locator('nav a')
    .evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''));
  screens = addresses.map((address) => address.replace('#/', ''));
  expect(screens).toHaveLength(7);
});
afterAll(async () => {
  await owned[Symbol.asyncDispose]();
});

const keep = (name: string) =>
  window.page.screenshot({ path: join(pictures, `${name.replaceAll(' ', '-')}.png`) });

const violations = () => violationsOf(window.page);

/** The same of a page that is enlarged, of which Playwright takes a part only. */
async function keepWhole(name: string): Promise<void> {
  const png = await window.inMain(async ({ BrowserWindow }) =>
    (await BrowserWindow.getAllWindows()[0]?.webContents.capturePage())?.toPNG().toString('base64'),
  );
  writeFileSync(join(pictures, `${name.replaceAll(' ', '-')}.png`), Buffer.from(png ?? '', 'base64'));
}

/** Has the window look so, as after its next start. */
async function choose(change: WindowParams<'preferences.set'>): Promise<void> {
  const { page } = window;
  await page.evaluate(async (wanted) => {
    const { culvert } = globalThis as unknown as { culvert: WindowApi };
    await culvert.calls['preferences.set'](wanted);
  }, change);
  await page.reload();
  await page.locator('main h1').waitFor();
}

/** Goes to a screen by its number, and waits until it shows what there is to be shown. */
async function show(screen: string): Promise<void> {
  const { page } = window;
  await page.keyboard.press(`Control+${screens.indexOf(screen) + 1}`);
  await page.locator(`a[href="#/${screen}"][aria-current="page"]`).waitFor({ state: 'attached' });
  await page.locator('main h1').waitFor();
  if (screen === 'apps') await page.getByRole('gridcell').first().waitFor();
  if (screen === 'connections') await page.getByRole('row').nth(1).waitFor();
  if (screen === 'running') {
    const closed = page.locator('main li [aria-expanded="false"][aria-controls]');
    if ((await closed.count()) > 0) await closed.first().click();
    await page.locator('main dl').first().waitFor();
  }
}

/** What else there is to be seen, each by the way that leads there. */
const layers: Readonly<Record<string, () => Promise<void>>> = {
  palette: () => window.page.keyboard.press('Control+k'),
  shortcuts: () => window.page.keyboard.press('F1'),
  launchers: async () => {
    await show('apps');
    await window.page.getByRole('button', { name: 'Launchers…' }).click();
    await window.page.getByRole('dialog').getByText('The App (Work)').waitFor();
  },
  'app menu': async () => {
    await show('apps');
    await window.page.getByRole('button', { name: 'More for The App' }).click();
  },
  'new launcher': async () => {
    await show('apps');
    await window.page.getByRole('button', { name: 'More for The App' }).click();
    await window.page.getByRole('menuitem', { name: 'Create launcher…' }).click();
  },
  'lane menu': async () => {
    await show('running');
    await window.page.getByRole('button', { name: 'More for bash' }).click();
  },
  'lane profile': async () => {
    await show('running');
    await window.page.getByRole('button', { name: /^bash uses/ }).click();
  },
};

describe.each(looks)('in $name', ({ name, theme, contrast }) => {
  test('axe finds nothing on any screen', async () => {
    await choose({ theme, contrast, language: 'en' });
    const isDark = await window.page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches);
    expect(isDark).toBe(theme === 'dark');
    for (const screen of screens) {
      await show(screen);
      await keep(`${name} ${screen}`);
      expect(await violations(), screen).toEqual([]);
    }
  });

  test.skipIf(name === 'dark high contrast')('axe finds nothing in what opens above a screen', async () => {
    await choose({ theme, contrast, language: 'en' });
    for (const [layer, open] of Object.entries(layers)) {
      await open();
      const shown = window.page.locator('[role="dialog"], [role="menu"]').first();
      await shown.waitFor();
      await keep(`${name} ${layer}`);
      expect(await violations(), layer).toEqual([]);
      await window.page.keyboard.press('Escape');
      await shown.waitFor({ state: 'detached' });
    }
  });
});

describe.each(['light', 'dark'] as const)('in Chinese and %s', (theme) => {
  test('the window speaks it on every screen', async () => {
    await choose({ theme, contrast: 'system', language: 'zh-CN' });
    for (const screen of screens) {
      await show(screen);
      const { lang, title } = await window.page.evaluate(() => ({
        lang: document.documentElement.lang,
        title: document.querySelector('main h1')?.textContent ?? '',
      }));
      expect([lang, title]).toEqual(['zh-CN', expect.stringMatching(/^\p{Script=Han}+$/u)]);
      await keep(`Chinese ${theme} ${screen}`);
      if (theme === 'dark') continue;
      expect(await window.page.evaluate(cutOff), screen).toEqual([]);
      expect(await violations(), screen).toEqual([]);
    }
  });
});

test('words that are 40 % longer are cut off nowhere', async () => {
  await choose({ theme: 'light', contrast: 'system', language: 'en' });
  for (const screen of screens) {
    await show(screen);
    await window.page.evaluate(lengthen);
    await keep(`longer ${screen}`);
    expect(await window.page.evaluate(cutOff), screen).toEqual([]);
    // The page made anew has its own words again.
    await window.page.reload();
    await window.page.locator('main h1').waitFor();
  }
});

test('enlarged to 200 %, everything on every screen is within reach, without scrolling sideways', async () => {
  await choose({ theme: 'light', contrast: 'system', language: 'en' });
  await enlarge(window, 2);
  try {
    for (const language of ['en', 'zh-CN'] as const) {
      await choose({ language });
      for (const screen of screens) {
        await show(screen);
        await keepWhole(`enlarged ${language} ${screen}`);
        expect(await window.page.evaluate(hardToReach), screen).toEqual([]);
        if (language === 'en') expect(await violations(), screen).toEqual([]);
      }
    }
  } finally {
    await enlarge(window, 1);
  }
});

test('everything on a screen is reached by Tab, and shows that it is', async () => {
  await choose({ theme: 'light', contrast: 'system', language: 'en' });
  for (const screen of screens) {
    await show(screen);
    await window.page.locator('main').evaluate((main: HTMLElement) => {
      main.focus();
    });
    const wanted = new Set(await window.page.evaluate(tabStops));
    const most = wanted.size + 40;
    for (let presses = 0; presses < most && wanted.size > 0; presses += 1) {
      await window.page.keyboard.press('Tab');
      const focused = await window.page.evaluate(() => {
        const element = document.activeElement;
        if (element === null || element === document.body) return undefined;
        const style = getComputedStyle(element);
        const isSeen = style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) >= 2;
        const stop = element.closest<HTMLElement>('[data-stop]');
        return { stop: stop?.dataset['stop'] ?? '', isSeen, what: element.outerHTML.slice(0, 160) };
      });
      if (focused === undefined) continue;
      expect(focused.isSeen, focused.what).toBe(true);
      wanted.delete(focused.stop);
    }
    expect([...wanted], screen).toEqual([]);
  }
});

test('the keyboard alone leads from screen to screen, to the search, through the palette and back', async () => {
  const { page } = window;
  await choose({ theme: 'light', contrast: 'system', language: 'en' });
  await show('connections');
  await page.keyboard.press('Control+f');
  await page.keyboard.type('no such app');
  await page.getByRole('row').nth(1).waitFor({ state: 'detached' });
  await page.keyboard.press('Escape');
  await page.getByRole('row').nth(1).waitFor();
  await page.keyboard.press('F6');
  expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-current'))).toBe('page');
  await page.keyboard.press('F6');
  expect(await page.evaluate(() => document.activeElement?.closest('main') !== null)).toBe(true);
  await page.keyboard.press('Control+k');
  await page.keyboard.type('go running');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Running' }).waitFor();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('Control+,');
  await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor();
});

test('nothing is lost in the smallest window', async () => {
  await choose({ theme: 'light', contrast: 'system', language: 'en' });
  await window.inMain(({ BrowserWindow }) => {
    BrowserWindow.getAllWindows()[0]?.setSize(720, 520);
  });
  for (const language of ['en', 'zh-CN'] as const) {
    await choose({ language });
    for (const screen of screens) {
      await show(screen);
      await keep(`small ${language} ${screen}`);
      expect(await window.page.evaluate(hardToReach), screen).toEqual([]);
      if (language === 'en') expect(await violations(), screen).toEqual([]);
    }
  }
});

test('with reduced motion nothing moves', async () => {
  const longest = () =>
    window.page.evaluate(() =>
      Math.max(
        ...[...document.querySelectorAll('*')].map((element) =>
          Number.parseFloat(getComputedStyle(element).transitionDuration),
        ),
      ),
    );
  await choose({ motion: 'reduce' });
  for (const screen of screens) {
    await show(screen);
    expect(await longest(), screen).toBe(0);
  }
  await choose({ motion: 'system' });
  await expect.poll(longest).toBeGreaterThan(0);
});
