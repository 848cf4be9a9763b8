/** What the real window is like to use: without a mouse, to a screen reader, in each of its looks and languages. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repository } from '../world/artefact.ts';
import { Owned } from '../world/owned.ts';
import { Desktop, type OpenWindow } from './desktop.ts';

/** Pictures for people to look at; nothing is compared with them. */
const pictures = join(repository, 'dist/test/pictures');
const screens = ['apps', 'running', 'connections', 'settings'] as const;
const looks = [
  { name: 'light', theme: 'light', contrast: 'system' },
  { name: 'dark', theme: 'dark', contrast: 'system' },
  { name: 'high contrast', theme: 'light', contrast: 'more' },
  { name: 'dark high contrast', theme: 'dark', contrast: 'more' },
] as const;

const owned = new Owned();
let desktop: Desktop;
let window: OpenWindow;

beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  desktop = owned.use(await Desktop.create());
  const proxy = await desktop.world.proxy('mirror');
  window = owned.use(await desktop.open());
  const busy = 'exec 3<>/dev/tcp/198.51.100.80/80; while :; do curl -s http://example.test/; sleep 0.4; done';
  desktop.product.spawn(['bash', '-c', busy], { proxy: proxy.url });
  await window.page.getByRole('button', { name: 'Details of bash' }).click({ timeout: 15_000 });
  await window.page.getByText('One connection').or(window.page.getByText('2 connections')).first().waitFor();
});
afterAll(async () => {
  await owned[Symbol.asyncDispose]();
});

const keep = (name: string) =>
  window.page.screenshot({ path: join(pictures, `${name.replaceAll(' ', '-')}.png`) });
/** What axe finds, as rule and place. */
async function violations(): Promise<string[]> {
  const { violations: found } = await new AxeBuilder({ page: window.page })
    .setLegacyMode(true)
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ target, any }) => `${id} ${target.join(' ')} ${any[0]?.message ?? ''}`),
  );
}

async function choose(theme: string, contrast: string, language = 'English'): Promise<void> {
  const { page } = window;
  await page.keyboard.press('Control+,');
  const group = page.getByRole('radiogroup');
  await group.nth(0).getByRole('radio').nth(['system', 'light', 'dark'].indexOf(theme)).click();
  await group.nth(1).getByRole('radio').nth(['system', 'more'].indexOf(contrast)).click();
  await group.nth(3).getByRole('radio', { name: language }).click();
  const isDark = await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches);
  expect(isDark).toBe(theme === 'dark');
}

describe.each(looks)('in $name', ({ name, theme, contrast }) => {
  test('axe finds nothing on any screen', async () => {
    await choose(theme, contrast);
    for (const [index, screen] of screens.entries()) {
      await window.page.keyboard.press(`Control+${index + 1}`);
      await window.page.locator(`a[href="#/${screen}"][aria-current="page"]`).waitFor();
      if (screen === 'apps') await window.page.getByRole('gridcell').first().waitFor();
      if (screen === 'connections') await window.page.getByRole('row').nth(1).waitFor();
      await keep(`${name} ${screen}`);
      expect(await violations()).toEqual([]);
    }
  });

  test('axe finds nothing in the palette, the list of shortcuts and a menu', async () => {
    await choose(theme, contrast);
    for (const key of ['Control+k', 'F1']) {
      await window.page.keyboard.press(key);
      await window.page.getByRole('dialog').waitFor();
      await keep(`${name} ${key}`);
      expect(await violations()).toEqual([]);
      await window.page.keyboard.press('Escape');
      await window.page.getByRole('dialog').waitFor({ state: 'detached' });
    }
    await window.page.keyboard.press('Control+2');
    await window.page.getByRole('button', { name: 'More for bash' }).click();
    await window.page.getByRole('menuitem').first().waitFor();
    expect(await violations()).toEqual([]);
    await window.page.keyboard.press('Escape');
  });
});

test('everything on a screen is reached by Tab, and shows that it is', async () => {
  await choose('light', 'system');
  for (const index of screens.keys()) {
    await window.page.keyboard.press(`Control+${index + 1}`);
    await window.page.getByRole('heading', { level: 1 }).waitFor();
    const wanted = await window.page.evaluate(
      () =>
        document.querySelectorAll(
          'a[href], button:not(:disabled, [role="radio"], [tabindex="-1"]), input, [role="radiogroup"], [role="row"][tabindex="0"]',
        ).length,
    );
    const reached = new Set<string>();
    for (let presses = 0; presses < wanted + 4; presses += 1) {
      await window.page.keyboard.press('Tab');
      const focused = await window.page.evaluate(() => {
        const element = document.activeElement;
        if (element === null || element === document.body) return undefined;
        const style = getComputedStyle(element);
        const isSeen = style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) >= 2;
        const all = [...document.querySelectorAll('*')];
        const place = element.closest('[role="radiogroup"]') ?? element;
        return { place: all.indexOf(place), isSeen, what: element.outerHTML.slice(0, 120) };
      });
      if (focused === undefined) continue;
      expect(focused.isSeen, focused.what).toBe(true);
      reached.add(String(focused.place));
    }
    expect(reached.size).toBe(wanted);
  }
});

test('the keyboard alone leads from screen to screen, to the search, through the palette and back', async () => {
  const { page } = window;
  await choose('light', 'system');
  await page.keyboard.press('Control+3');
  await page.getByRole('heading', { level: 1, name: 'Connections' }).waitFor();
  await page.keyboard.press('Control+f');
  await page.keyboard.type('no such app');
  await page.getByRole('heading', { name: /^0 of [0-9]+ match$/ }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('row').nth(1).waitFor();
  await page.keyboard.press('F6');
  expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-current'))).toBe('page');
  await page.keyboard.press('Control+k');
  await page.keyboard.type('go running');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Running' }).waitFor();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('Control+,');
  await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor();
});

test('the window speaks Chinese from the first screen on', async () => {
  await choose('light', 'system', '简体中文');
  for (const [index, title] of ['应用', '正在运行', '连接', '设置'].entries()) {
    await window.page.keyboard.press(`Control+${index + 1}`);
    await window.page.getByRole('heading', { level: 1, name: title }).waitFor();
    expect(await window.page.evaluate(() => document.documentElement.lang)).toBe('zh-CN');
    await keep(`Chinese ${screens[index] ?? ''}`);
    expect(await violations()).toEqual([]);
  }
  await window.page.keyboard.press('Control+,');
  await window.page.getByRole('radio', { name: 'English' }).click();
});

test('nothing is lost in the smallest window', async () => {
  await window.app.evaluate(({ BrowserWindow }) => {
    BrowserWindow.getAllWindows()[0]?.setSize(720, 520);
  });
  for (const [index, screen] of screens.entries()) {
    await window.page.keyboard.press(`Control+${index + 1}`);
    await window.page.getByRole('heading', { level: 1 }).waitFor();
    await keep(`small ${screen}`);
    const overflow = await window.page.evaluate(() => {
      const content = document.querySelector('main');
      return (content?.scrollWidth ?? 0) - (content?.clientWidth ?? 0);
    });
    expect(overflow).toBeLessThanOrEqual(0);
    expect(await violations()).toEqual([]);
  }
});

test('with reduced motion nothing moves', async () => {
  await window.page.keyboard.press('Control+,');
  await window.page.getByRole('radiogroup').nth(2).getByRole('radio').nth(1).click();
  const longest = () =>
    window.page.evaluate(() =>
      Math.max(
        ...[...document.querySelectorAll('*')].map((element) =>
          Number.parseFloat(getComputedStyle(element).transitionDuration),
        ),
      ),
    );
  await expect.poll(longest).toBe(0);
  await window.page.getByRole('radiogroup').nth(2).getByRole('radio').nth(0).click();
  await expect.poll(longest).toBeGreaterThan(0);
});
