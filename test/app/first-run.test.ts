/** The first run in the real window: from an empty configuration to an app that goes through a real proxy. */
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { probe } from '../system/reports.ts';
import { writeConfig } from '../system/settings.ts';
import { repository } from '../world/artefact.ts';
import { describePackets } from '../world/capture.ts';
import { Owned } from '../world/owned.ts';
import type { Proxy } from '../world/proxies.ts';
import { Desktop, type OpenWindow } from './desktop.ts';

const user = 'culvert-a';
/** Pictures for people to look at; nothing is compared with them. */
const pictures = join(repository, 'dist/test/pictures');
const looks = ['light', 'dark'] as const;

const owned = new Owned();
let desktop: Desktop;
/** Asks for a sign-in. */
let proxy: Proxy;
let window: OpenWindow;

beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  desktop = owned.use(await Desktop.create());
  proxy = await desktop.world.proxy('dante', { signIn: true });
  writeConfig(desktop.world, { probe });
  const entries = '.local/share/applications';
  put(
    `${entries}/surveyor.desktop`,
    '[Desktop Entry]\nType=Application\nName=Surveyor\nExec=/bin/sleep 1000\n',
  );
  window = owned.use(await desktop.open({ showsFirstRun: true }));
});
afterAll(async () => {
  await owned[Symbol.asyncDispose]();
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

const link = () => window.page.getByLabel('Paste a proxy link or type host:port');
const button = (name: string) => window.page.getByRole('button', { name, exact: true });
const title = (name: string) => window.page.getByRole('heading', { level: 1, name });

/** Looks at what is shown, in light and dark: pictures for people, and nothing that axe finds. */
async function isFine(name: string): Promise<void> {
  const { page } = window;
  for (const look of looks) {
    await page.emulateMedia({ colorScheme: look });
    await page.screenshot({ path: join(pictures, `first-run-${name}-${look}.png`) });
    const { violations } = await new AxeBuilder({ page })
      .setLegacyMode(true)
      .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
      .analyze();
    const found = violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, any }) => `${look} ${id} ${target.join(' ')} ${any[0]?.message ?? ''}`),
    );
    expect(found).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: null });
}

test('a window without profiles begins with it, and Escape leaves it for good', async () => {
  const { page } = window;
  await page.evaluate(() => {
    location.hash = '';
  });
  await page.reload();
  await title('Where should traffic go?').waitFor();
  expect(await link().evaluate((input) => input === document.activeElement)).toBe(true);
  await page.getByText('Nothing was found').waitFor();
  await isFine('empty');
  await page.keyboard.press('Escape');
  await title('Apps').waitFor();
  await page.reload();
  await title('Apps').waitFor();
  await page.getByText('No proxy yet').waitFor();
  await page.keyboard.press('Control+k');
  await page.keyboard.type('add a proxy');
  await page.keyboard.press('Enter');
  await title('Where should traffic go?').waitFor();
});

test('a link is understood while it is typed, and tested line by line when it is', async () => {
  const { page } = window;
  await link().pressSequentially('socks5://');
  await page.getByText('Not a proxy yet: the host is missing.').waitFor();
  await link().fill(`socks5://${proxy.user}:wrong@${proxy.address}:${proxy.port}#Work`);
  await page.getByText(`signs in as ${proxy.user}`).waitFor();
  await button('Test').click();
  await page.getByText('The proxy does not work as it is.').waitFor();
  await isFine('refused');
  await link().fill(`${proxy.url}#Work`);
  await page.getByText(`${proxy.address}:${proxy.port}`).waitFor();
  await page.evaluate(() => {
    const log: string[] = [];
    Object.assign(globalThis, { linesSeen: log });
    new MutationObserver(() => {
      log.push(String(document.querySelectorAll('[role="log"] li').length));
    }).observe(document.body, { childList: true, subtree: true });
  });
  await link().press('Enter');
  await page.getByText('The proxy works.').waitFor({ timeout: 15_000 });
  const stages = await page.getByRole('log').locator('strong').allTextContents();
  expect(stages).toEqual(expect.arrayContaining(['Reachable', 'Sign-in', 'Web request', 'UDP', 'DNS']));
  // One after the other, not all at the end.
  const seen = await page.evaluate(() => (globalThis as never as { linesSeen: string[] }).linesSeen);
  expect(new Set(seen).size).toBeGreaterThan(2);
  await isFine('tested');
});

test('the profile is saved, isolation is seen to work, and an app opens through it', async () => {
  const { page } = window;
  await using capture = await desktop.world.capture();
  await button('Continue').click();
  await title('Open an app').waitFor();
  await page.getByText('Isolation works on this computer, without a password.').waitFor();
  const kept = readFileSync(join(desktop.world.users[user].home, '.config/culvert/culvert.json'), 'utf8');
  expect(JSON.parse(kept)).toMatchObject({
    defaultProfile: 'work',
    profiles: [{ id: 'work', name: 'Work' }],
  });
  expect(kept).not.toContain(proxy.password);
  await page.getByRole('list', { name: 'Apps to open' }).getByRole('listitem').first().waitFor();
  await isFine('apps');
  await page.getByRole('searchbox', { name: 'Search apps' }).fill('survey');
  await button('Surveyor').click();
  const sheet = page.getByRole('dialog');
  await sheet.getByRole('heading', { name: 'Surveyor now goes through Work' }).waitFor({ timeout: 20_000 });
  await sheet.getByText('DNS through the proxy').waitFor({ timeout: 15_000 });
  expect(await sheet.getByRole('status').textContent()).toMatch(
    /^Exit (203\.0\.113\.5|2001:db8:1::5) · DNS through the proxy · no leaks$/,
  );
  await isFine('opened');
  await sheet.getByRole('button', { name: 'Create launcher' }).click();
  await sheet.getByRole('button', { name: 'Launcher created' }).waitFor();
  await sheet.getByRole('button', { name: 'Done' }).click();
  await title('Running').waitFor();
  await page.getByText('Protected').first().waitFor();
  await desktop.world.must([desktop.product.culvert, 'stop', '--all', '--force'], { user });
  const leaks = await capture.leaks([...proxy.exceptions, ...window.exceptions]);
  // Its relay for UDP has a port of its own.
  const others = leaks.filter(({ source, destination }) => ![source, destination].includes(proxy.address));
  expect(describePackets(others)).toBe('');
});

test('the page complains of nothing', () => {
  expect(window.complaints).toEqual([]);
});
