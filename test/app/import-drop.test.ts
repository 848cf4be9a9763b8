/** Files of other programs, let go over the screen of apps in the real window: each opens the import with its table. */
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WindowApi } from '../../electron/shared/contract.ts';
import { repository } from '../world/artefact.ts';
import { describePackets, type Capture } from '../world/capture.ts';
import { Owned } from '../world/owned.ts';
import { violationsOf } from './axe.ts';
import { Desktop, type OpenWindow } from './desktop.ts';
import { dropOn } from './drop.ts';

const user = 'culvert-a';
/** Pictures for people to look at; nothing is compared with them. */
const pictures = join(repository, 'dist/test/pictures');

const files = {
  'proxychains.conf':
    'strict_chain\nproxy_dns\n[ProxyList]\nsocks5 192.0.2.1 1080\nsocks5 192.0.2.2\nraw x 1\n',
  'clash.yaml': [
    'proxies:',
    '- {name: Tokyo, type: socks5, server: 192.0.2.3, port: 1080}',
    '- {name: Oslo, type: vmess, server: 192.0.2.4, port: 443}',
    'rules:',
    '- GEOIP,CN,DIRECT',
    '- MATCH,Tokyo',
    '',
  ].join('\n'),
  'links.txt': 'socks5://192.0.2.5:1080#Lima\nss://YWJj@192.0.2.6:8388\n192.0.2.7:99999\n',
} as const;

const owned = new Owned();
let desktop: Desktop;
let capture: Capture;
let window: OpenWindow;

beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  desktop = owned.use(await Desktop.create());
  for (const [name, text] of Object.entries(files)) put(`Downloads/${name}`, text);
  capture = await desktop.world.capture();
  window = owned.use(await desktop.open());
  await window.page.keyboard.press('Control+1');
  await window.page.getByText('No proxy yet').waitFor();
});
afterAll(async () => {
  const leaks = await capture.leaks([...window.exceptions]);
  await owned[Symbol.asyncDispose]();
  expect(describePackets(leaks)).toBe('');
});

/** A file of the user's own, below the home directory. */
function put(path: string, content: string): void {
  const { home, uid, gid } = desktop.world.users[user];
  const file = join(home, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  chmodSync(file, 0o644);
  for (let at = file; at !== home; at = dirname(at)) chownSync(at, uid, gid);
}

const keep = (name: string) => window.page.screenshot({ path: join(pictures, `import-${name}.png`) });
const dialog = () => window.page.getByRole('dialog');
const row = (line: number) =>
  dialog()
    .getByRole('row')
    .filter({ has: window.page.getByRole('cell', { name: String(line), exact: true }) });

async function drop(name: keyof typeof files, purpose: 'open' | 'add'): Promise<void> {
  const { home } = desktop.world.users[user];
  await dropOn(window.page, `file://${home}/Downloads/${name}`, purpose);
  await dialog().getByRole('table').waitFor();
}

async function dismiss(): Promise<void> {
  await window.page.keyboard.press('Escape');
  await dialog().waitFor({ state: 'detached' });
}

test.each([
  ['proxychains.conf', 'open', [5, 'a socks5 proxy'], [6, 'raw is no proxy protocol']],
  [
    'clash.yaml',
    'add',
    [3, 'vmess is not a SOCKS or HTTP proxy'],
    [5, 'no list of the addresses of countries'],
  ],
  ['links.txt', 'open', [2, 'Shadowsocks is not a SOCKS or HTTP proxy'], [3, 'from 1 to 65535']],
] as const)('%s shows its table, with the reason of each line', async (name, purpose, one, other) => {
  await drop(name, purpose);
  for (const [line, words] of [one, other]) await row(line).getByText(words).waitFor();
  await dialog().getByText('This would bring', { exact: false }).waitFor();
  await keep(name.replace(/\..*/, ''));
  expect(await violationsOf(window.page)).toEqual([]);
  await dismiss();
});

test('what it shows is taken on demand, and the profiles are shown then', async () => {
  await drop('links.txt', 'open');
  await dialog().getByRole('button', { name: 'Import one profile' }).click();
  await dialog().getByText('Imported one profile').waitFor();
  await window.page.keyboard.press('Escape');
  await window.page.getByRole('heading', { level: 1, name: 'Profiles' }).waitFor();
  const { home } = desktop.world.users[user];
  const config = JSON.parse(readFileSync(join(home, '.config/culvert/culvert.json'), 'utf8')) as {
    profiles: unknown[];
  };
  expect(config.profiles).toMatchObject([{ name: 'Lima', chain: { servers: [{ host: '192.0.2.5' }] } }]);
});

test('in a Chinese window each reason is Chinese', async () => {
  const { page } = window;
  await page.evaluate(async () => {
    const { culvert } = globalThis as unknown as { culvert: WindowApi };
    await culvert.calls['preferences.set']({ language: 'zh-CN' });
  });
  await page.reload();
  await page.locator('main h1').waitFor();
  await page.keyboard.press('Control+1');
  await page.getByRole('heading', { level: 1, name: '应用' }).waitFor();
  await drop('clash.yaml', 'open');
  await row(3).getByText('代理 Oslo').waitFor();
  await row(3).getByText('vmess 不是 SOCKS 或 HTTP 代理').waitFor();
  await row(5).getByText('没有各国地址的列表').waitFor();
  const reasons = await dialog().locator('.reason').allTextContents();
  expect(reasons.filter((reason) => !/\p{Script=Han}/u.test(reason))).toEqual([]);
  await keep('chinese');
  expect(await violationsOf(page)).toEqual([]);
  await dismiss();
});
