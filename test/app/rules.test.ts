/** The screen of rules in the real window, over a lane whose connections the rules decide. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Language } from '../../electron/shared/contract.ts';
import type { Rule } from '../../electron/shared/profile.ts';
import { serverOf, writeConfig } from '../system/settings.ts';
import { internet } from '../world/addresses.ts';
import { repository } from '../world/artefact.ts';
import { Owned } from '../world/owned.ts';
import type { Proxy } from '../world/proxies.ts';
import type { Running } from '../world/running.ts';
import { until } from '../world/until.ts';
import { violationsOf } from './axe.ts';
import { Desktop, type OpenWindow } from './desktop.ts';

/** Pictures for people to look at; nothing is compared with them. */
const pictures = join(repository, 'dist/test/pictures');
/** Holds one connection open, and tries another one whenever it is told where to. */
const script = `exec 3<>/dev/tcp/${internet.web4}/80
while read -r host port; do
  if curl -s --max-time 5 "http://$host:$port/" >/dev/null; then echo "reached $host"; else echo "refused $host"; fi
done`;

const owned = new Owned();
let desktop: Desktop;
let proxy: Proxy;
let window: OpenWindow;
let lane: Running;

beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  desktop = owned.use(await Desktop.create());
  proxy = await desktop.world.proxy('mirror');
  write([]);
  lane = desktop.product.spawn(['bash', '-c', script], { profile: 'work' });
  owned.defer(() => lane.end());
  window = owned.use(await desktop.open());
  await window.page.getByText('One connection').waitFor();
});
afterAll(async () => {
  const complaints = [...window.complaints];
  await owned[Symbol.asyncDispose]();
  expect(complaints).toEqual([]);
});
beforeEach(async () => {
  await window.page.keyboard.press('Control+6');
  await window.page.getByRole('heading', { level: 1, name: 'Rules' }).waitFor();
});

function write(rules: readonly Rule[]): void {
  const work = { id: 'work', name: 'Work', colour: '#3a6ea5', chain: { servers: [serverOf(proxy)] } };
  const home = { id: 'home', name: 'Home', colour: '#7a4', chain: { servers: [serverOf(proxy)] } };
  writeConfig(desktop.world, {
    defaultProfile: 'work',
    profiles: [work, { ...home, colour: '#77aa44' }],
    rules,
  });
}

const rule = (id: string, to: string, more: Partial<Rule> = {}): Rule => ({
  ...{ id, match: { to: [to] }, action: 'block' },
  ...more,
});
const row = (text: string) =>
  window.page.getByRole('row').filter({ has: window.page.locator('button.edit', { hasText: text }) });
const dialog = () => window.page.getByRole('dialog');
const keep = (name: string) => window.page.screenshot({ path: join(pictures, `rules-${name}.png`) });
const ids = () => {
  const file = join(desktop.world.users['culvert-a'].home, '.config/culvert/culvert.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { rules: Rule[] }).rules.map(({ id }) => id);
};

const shownIds = () =>
  window.page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('[data-rule]')]
      .toSorted((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
      .map(({ dataset }) => dataset['rule'])
      .join(),
  );

/** What the lane says of one more connection. */
async function tries(host: string, port = 80): Promise<string> {
  const before = lane.stdout.length;
  lane.write(`${host} ${port}\n`);
  return until('the lane to have tried', () => {
    const [, said] = /^(reached|refused) /m.exec(lane.stdout.slice(before)) ?? [];
    return said;
  });
}

const violations = () => violationsOf(window.page);

test('a rule is written by keyboard, shows what it would do, and decides the next connection', async () => {
  const { page } = window;
  await page.getByRole('heading', { name: 'No rules yet' }).waitFor();
  expect(await tries(internet.web4)).toBe('reached');
  await page.getByRole('button', { name: 'New rule' }).focus();
  await page.keyboard.press('Enter');
  await dialog().waitFor();
  // The first field is that of the apps.
  await page.keyboard.press('Tab');
  await page.keyboard.type('198.51.100.0/33');
  await dialog().getByText('is no range of addresses').waitFor();
  await page.keyboard.press('Backspace');
  await page.keyboard.press('Backspace');
  await page.keyboard.type('24');
  await dialog().getByText('Would match 1 of 1 open connections, decides 1.').waitFor();
  await keep('editor');
  await page.keyboard.press('Tab');
  await page.keyboard.type('80');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  // A key is down for a moment: the arrow chooses while it is.
  await page.keyboard.press('ArrowRight', { delay: 60 });
  await dialog().getByText('Out beside the proxy').waitFor();
  await page.keyboard.press('ArrowRight', { delay: 60 });
  await dialog().getByText('The connection is refused at once.').waitFor();
  await dialog().getByRole('button', { name: 'Save' }).focus();
  await page.keyboard.press('Enter');
  await dialog().waitFor({ state: 'detached' });
  await row('198.51.100.0/24').getByText('No hits').waitFor();
  expect(await row('198.51.100.0/24').evaluate((element) => element === document.activeElement)).toBe(true);
  await until('the rule to be in force', async () => (await tries(internet.web4)) === 'refused');
  await row('198.51.100.0/24').getByText('One hit').waitFor();
  await row('198.51.100.0/24').getByText(/ ago$/).waitFor();
  // Off by the keyboard: it decides no more.
  await page.keyboard.press(' ');
  await row('198.51.100.0/24').getByText('Off', { exact: true }).waitFor();
  await until('the rule to be off', async () => (await tries(internet.web4)) === 'reached');
});

describe('rules in their order', () => {
  beforeEach(async () => {
    write([
      rule('narrow', 'a.corp.example', { note: 'The old server' }),
      rule('wide', '*.corp.example', { action: 'direct' }),
      rule('other', 'b.example'),
    ]);
    // What is shown of an earlier test has some of the same rules.
    await until('the rules to be shown', async () => (await shownIds()) === 'narrow,wide,other');
  });

  test('are moved by keys, told when one can never decide, and put back by the notice', async () => {
    const { page } = window;
    await row('*.corp.example').getByText('Leaves the proxy').waitFor();
    await row('*.corp.example').focus();
    await page.keyboard.press('Alt+ArrowUp');
    await row('a.corp.example')
      .getByText(/^Never decides/)
      .waitFor();
    expect(ids()).toEqual(['wide', 'narrow', 'other']);
    expect(await row('*.corp.example').evaluate((element) => element === document.activeElement)).toBe(true);
    await keep('shadowed');
    await page.getByRole('status').getByRole('button', { name: 'Undo' }).focus();
    await page.keyboard.press('Enter');
    await until('the order to be the old one', () => ids().join() === 'narrow,wide,other');
    await row('a.corp.example')
      .getByText(/^Never decides/)
      .waitFor({ state: 'detached' });
    await page.keyboard.press('Delete');
    await row('*.corp.example').waitFor({ state: 'detached' });
    expect(ids()).toEqual(['narrow', 'other']);
    await page.keyboard.press('Control+z');
    await until('the rule to be back', () => ids().length === 3);
    write([rule('narrow', 'a.corp.example'), rule('other', 'b.example')]);
    await row('*.corp.example').waitFor({ state: 'detached' });
  });

  test('are dragged by their grip, and found by typing', async () => {
    const { page } = window;
    const grip = row('b.example').locator('.grip');
    const [from, to] = [await grip.boundingBox(), await row('a.corp.example').boundingBox()];
    if (from === null || to === null) throw new Error('the rows are not seen');
    await page.mouse.move(from.x + 8, from.y + 8);
    await page.mouse.down();
    await page.mouse.move(from.x + 8, to.y + 40, { steps: 4 });
    await page.mouse.move(from.x + 8, to.y + 10, { steps: 4 });
    await page.mouse.up();
    await until('the rule to be first', () => ids().join() === 'other,narrow,wide');
    await page.keyboard.press('Control+f');
    await page.keyboard.type('old server');
    await row('b.example').waitFor({ state: 'detached' });
    await row('a.corp.example').waitFor();
    await page.keyboard.press('Escape');
  });

  test('say what they would do to a destination', async () => {
    const { page } = window;
    await page.getByRole('button', { name: 'Test a destination…' }).click();
    await page.keyboard.type('x.corp.example:443');
    await page.keyboard.press('Enter');
    await dialog().getByText('It would go out directly, beside the proxy.').waitFor();
    await dialog().getByText('Decided by:').waitFor();
    await keep('test');
    expect(await violations()).toEqual([]);
    await dialog().locator('.linked').first().click();
    expect(await row('*.corp.example').evaluate((element) => element === document.activeElement)).toBe(true);
  });
});

const looks = [
  { name: 'light', theme: 'light', contrast: 'system', language: 'en' },
  { name: 'dark Chinese', theme: 'dark', contrast: 'system', language: 'zh-CN' },
  { name: 'light Chinese', theme: 'light', contrast: 'system', language: 'zh-CN' },
  { name: 'dark', theme: 'dark', contrast: 'system', language: 'en' },
  { name: 'high contrast', theme: 'light', contrast: 'more', language: 'en' },
] as const;

test('axe finds nothing in any look, neither in the list nor in the editor', async () => {
  const { page } = window;
  const long = Array.from({ length: 6 }, (_, index) => `office-${index + 1}.corp.example`);
  write([
    rule('intranet', '10.0.0.0/8', { match: { apps: ['bash'], to: ['*.corp.example', '10.0.0.0/8'] } }),
    { id: 'office', match: { to: long, ports: ['443'], protocol: 'tcp' }, action: 'direct' },
    rule('web', internet.web4, { action: 'profile', profile: 'home', note: 'By another way' }),
    rule('hidden', 'x.corp.example', { match: { apps: ['bash'], to: ['x.corp.example'] } }),
    rule('idle', '*', { isOff: true }),
  ]);
  await row('*.corp.example').waitFor();
  for (const { name, theme, contrast, language } of looks) {
    await look(theme, contrast, language);
    await page.getByRole('gridcell').first().waitFor();
    await page.getByRole('row').nth(2).focus();
    await keep(name.replace(' ', '-'));
    if (language === 'en') expect(await violations()).toEqual([]);
    await page.getByRole('row').nth(2).focus();
    await page.keyboard.press('Enter');
    await dialog().locator('.preview li, .preview p').first().waitFor();
    await keep(`${name.replace(' ', '-')}-editor`);
    if (language === 'en') expect(await violations()).toEqual([]);
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
  }
  await look('light', 'system', 'en');
  await window.inMain(({ BrowserWindow }) => {
    BrowserWindow.getAllWindows()[0]?.setSize(720, 520);
  });
  await page.getByRole('row').nth(1).focus();
  await keep('small');
  await page.keyboard.press('Enter');
  await dialog().getByRole('button', { name: 'Save' }).waitFor();
  await keep('small-editor');
  await page.keyboard.press('Escape');
});

/** As the settings would have it, whatever they look like. */
async function look(theme: 'light' | 'dark', contrast: 'system' | 'more', language: Language): Promise<void> {
  await window.page.evaluate(
    async (change) => {
      interface Store {
        readonly set: (change: object) => Promise<void>;
      }
      interface Root extends Element {
        readonly __vue_app__: {
          readonly config: {
            readonly globalProperties: { readonly $pinia: { readonly _s: ReadonlyMap<string, Store> } };
          };
        };
      }
      const root = document.querySelector<Root>('#app');
      await root?.__vue_app__.config.globalProperties.$pinia._s.get('preferences')?.set(change);
    },
    { theme, contrast, language },
  );
  const heading = language === 'en' ? 'Rules' : '规则';
  await window.page.getByRole('heading', { level: 1, name: heading }).waitFor();
  const isDark = () => window.page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches);
  await until('the theme', async () => (await isDark()) === (theme === 'dark'));
}
