/** The settings of the real window, and what they do: to the desktop, to the window, and in a text for others. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { appId } from '#shared/identity.ts';
import { install, put } from '../system/app-stage.ts';
import { probe, profileOf } from '../system/reports.ts';
import { serverOf, writeConfig } from '../system/settings.ts';
import { repository } from '../world/artefact.ts';
import { Owned } from '../world/owned.ts';
import type { Proxy } from '../world/proxies.ts';
import { until } from '../world/until.ts';
import { violationsOf } from './axe.ts';
import { Desktop, type OpenWindow } from './desktop.ts';

const pictures = join(repository, 'dist/test/pictures');
const owned = new Owned();
let desktop: Desktop;
let window: OpenWindow;
let proxy: Proxy;

beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  desktop = owned.use(await Desktop.create());
  proxy = await desktop.world.proxy('dante');
  writeConfig(desktop.world, {
    probe,
    defaultProfile: 'dante',
    profiles: [profileOf('dante', [serverOf(proxy)])],
  });
  window = owned.use(await desktop.open());
});
afterAll(async () => {
  await owned[Symbol.asyncDispose]();
});

const part = (name: string) => window.page.getByRole('region', { name, exact: true });
const choice = (group: string | RegExp, name: string) =>
  window.page.getByRole('radiogroup', { name: group }).getByRole('radio', { name, exact: true });

async function settings(): Promise<void> {
  await window.page.keyboard.press('Control+,');
  await window.page.locator('a[href="#/settings"][aria-current="page"]').waitFor({ state: 'attached' });
}

const violations = () => violationsOf(window.page);

const keep = (name: string) => window.page.screenshot({ path: join(pictures, `settings-${name}.png`) });

describe('general', () => {
  test('another language is spoken at once, by the window and in its title', async () => {
    await settings();
    await choice('Language', '简体中文').click();
    await window.page.getByRole('heading', { level: 1, name: '设置' }).waitFor();
    await part('网络').getByText('无需密码即可使用').waitFor();
    await keep('chinese');
    await choice('语言', 'English').click();
    await window.page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor();
  });

  test('starting with the session makes an entry that desktops take, and removes it', async () => {
    await settings();
    const entry = join(desktop.world.users['culvert-a'].home, '.config/autostart', `${appId}.desktop`);
    const start = window.page.getByRole('switch', { name: 'Start when you log in' });
    await start.click();
    await until('the entry', () => existsSync(entry));
    const exec = `Exec=${join(desktop.product.dir, 'bin/culvert')} gui --background`;
    expect(readFileSync(entry, 'utf8').split('\n')).toContain(exec);
    await desktop.world.must(['desktop-file-validate', entry]);
    expect(await start.getAttribute('aria-checked')).toBe('true');
    await start.click();
    await until('no entry', () => !existsSync(entry));
    expect(await start.getAttribute('aria-checked')).toBe('false');
  });
});

test('network says what was tried, and privacy where passwords are', async () => {
  await settings();
  await part('Network').getByText('Works without a password. Tried just now.').waitFor();
  await part('Network').getByText('open through “dante”').waitFor();
  await part('Privacy').getByText('In a file that only you can read').waitFor();
});

test('the doctor tells its lines, each with how it stands', async () => {
  await settings();
  await part('Advanced').getByRole('button', { name: 'Look', exact: true }).click();
  const lines = part('Advanced').getByRole('listitem');
  await lines.filter({ hasText: 'An isolated network · all right' }).waitFor({ timeout: 20_000 });
  expect(await lines.count()).toBeGreaterThan(12);
  await lines.first().scrollIntoViewIfNeeded();
  await keep('doctor');
  await choice('Language', '简体中文').click();
  const inChinese = part('高级').getByRole('listitem');
  await inChinese.filter({ hasText: '隔离网络 · 正常' }).waitFor();
  await inChinese.first().scrollIntoViewIfNeeded();
  await keep('doctor-chinese');
  // Paths are nobody's words.
  const others = await part('高级').locator('li [lang="en"]').allTextContents();
  expect(others.filter((text) => !text.startsWith('/'))).toEqual([]);
  await choice('语言', 'English').click();
});

test('the log is shown, and filtered by what is typed', async () => {
  await settings();
  await part('Advanced').getByRole('button', { name: 'Show the log…' }).click();
  const log = window.page.getByRole('region', { name: 'Lines of the log' });
  await log.getByText('engine.started').waitFor();
  await keep('log');
  await window.page.getByRole('searchbox').fill('helper.ready rootless');
  await until('only those', async () => {
    const lines = (await log.innerText()).trim().split('\n');
    return lines.length > 0 && lines.every((line) => line.includes('helper.ready'));
  });
  await window.page.keyboard.press('Escape');
});

/** What the page is answered when it asks main. */
function asked(call: string, params: string): Promise<unknown> {
  return window.page.evaluate(`window.culvert.calls[${call}](${params})`);
}

describe('with an app that runs through a proxy', () => {
  let lane: string;
  afterAll(async () => {
    await asked("'lane.stop'", `{ lane: '${lane}', force: true }`);
    await window.page.keyboard.press('Control+2');
    await window.page.getByRole('heading', { name: 'Nothing runs through Culvert yet' }).waitFor();
  });
  beforeAll(async () => {
    const visit = 'while :; do curl -s http://example.test/ >/dev/null; sleep 1; done';
    const script = put(desktop.world, 'visitor', `#!/bin/bash\n${visit}\n`, 0o755);
    install(desktop.world, 'visitor', script);
    const opened = await asked("'app.open'", "{ app: 'visitor' }");
    expect(opened).toMatchObject({ ok: true });
    lane = (opened as { value: { lanes: [string] } }).value.lanes[0];
    await window.page.keyboard.press('Control+2');
    await window.page.getByText('Protected', { exact: true }).waitFor();
  });

  test('a check is a sheet of lines that are all right, each with what it means', async () => {
    await window.page.keyboard.press('Control+2');
    await window.page.getByRole('button', { name: 'Check The App' }).click();
    const sheet = window.page.getByRole('dialog', { name: 'Check of The App' });
    await sheet.getByText('Exit address').or(sheet.getByText(/exit/i)).first().waitFor({ timeout: 20_000 });
    await sheet.getByText('The address that websites see.').waitFor();
    const outcomes = await sheet
      .getByRole('listitem')
      .evaluateAll((items) =>
        items.map((item) => item.querySelector('.outcome')?.getAttribute('data-outcome')),
      );
    expect(outcomes.length).toBeGreaterThanOrEqual(8);
    expect(new Set(outcomes)).toEqual(new Set(['ok']));
    await keep('check');
    expect(await violations()).toEqual([]);
    await sheet.getByRole('button', { name: 'Copy command' }).click();
    const copied = await window.inMain(({ clipboard }) => clipboard.readText());
    expect(copied).toMatch(/^culvert check \d+-\d+$/);
    await window.page.keyboard.press('Escape');
  });

  test('in Chinese the same sheet and the details of the app have no English line', async () => {
    const { page } = window;
    await settings();
    await choice('Language', '简体中文').click();
    await page.keyboard.press('Control+2');
    await page.getByRole('button', { name: '检查 The App' }).click();
    const sheet = page.getByRole('dialog', { name: '检查 The App' });
    await sheet.getByText('网站看到的地址。').waitFor({ timeout: 20_000 });
    await keep('check-chinese');
    const lines = await sheet.locator('.words > :first-child').allTextContents();
    expect(lines.length).toBeGreaterThanOrEqual(8);
    for (const line of lines) expect(line).toMatch(/\p{Script=Han}{2}/u);
    expect(await sheet.locator('[lang="en"]').allTextContents()).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByText('无需密码：内核允许您建立自己的隔离网络').waitFor();
    await keep('details-chinese');
    await settings();
    await choice('语言', 'English').click();
  });

  test('a text for a report is seen before it is saved, without the host that was visited', async () => {
    await settings();
    await part('Advanced').getByRole('button', { name: 'Make a report…' }).click();
    const text = window.page.getByRole('region', { name: 'Text of the report' });
    await text.waitFor({ timeout: 20_000 });
    const redacted = await text.innerText();
    expect(redacted).toContain('## Doctor');
    for (const name of ['example.test', proxy.address, 'culvert-a']) expect(redacted).not.toContain(name);
    await window.page.getByText(/^\d+ names and addresses were taken out\.$/).waitFor();
    await keep('report');
    expect(await violations()).toEqual([]);
    await window.page.getByRole('checkbox').check();
    await window.page.getByText('Whoever reads this learns where your apps go.').waitFor({ timeout: 20_000 });
    expect(await text.innerText()).toContain('example.test:80');
    const saved = join(desktop.world.users['culvert-a'].home, 'report.txt');
    await window.inMain(({ dialog }, filePath) => {
      dialog.showSaveDialog = () => Promise.resolve({ canceled: false, filePath });
    }, saved);
    await window.page.getByRole('checkbox').uncheck();
    await window.page.getByText(/were taken out/).waitFor({ timeout: 20_000 });
    await window.page.getByRole('button', { name: 'Save…' }).click();
    await until('the file', () => existsSync(saved));
    expect(readFileSync(saved, 'utf8')).toContain('## Configuration');
    expect(readFileSync(saved, 'utf8')).not.toContain('example.test');
    await window.page.keyboard.press('Escape');
  });
});

describe.each([
  ['light', 'As the desktop'],
  ['dark', 'As the desktop'],
  ['light', 'High'],
])('in %s with contrast %s', (theme, contrast) => {
  test('axe finds nothing in any part, and its pictures are kept', async () => {
    await settings();
    await choice('Theme', theme === 'light' ? 'Light' : 'Dark').click();
    await choice('Contrast', contrast).click();
    await part('Network').getByText('Works without a password').waitFor();
    for (const name of ['General', 'Network', 'Advanced']) {
      await window.page
        .getByRole('navigation', { name: 'Parts' })
        .getByRole('button', { name, exact: true })
        .click();
      await keep(`${theme}-${contrast === 'High' ? 'high-' : ''}${name.toLowerCase()}`);
    }
    expect(await violations()).toEqual([]);
  });
});
