/** The first run in the real window: from an empty configuration to an app that goes through a real proxy. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { put } from '../system/app-stage.ts';
import { polkitAnswers, startPolkit } from '../system/polkit.ts';
import { probe } from '../system/reports.ts';
import { writeConfig } from '../system/settings.ts';
import { host } from '../world/addresses.ts';
import { repository } from '../world/artefact.ts';
import { describePackets } from '../world/capture.ts';
import { Owned } from '../world/owned.ts';
import type { Proxy } from '../world/proxies.ts';
import type { World } from '../world/world.ts';
import { violationsOf } from './axe.ts';
import { Desktop, type OpenWindow } from './desktop.ts';
import { PermissionAgent } from './permission-agent.ts';

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
  put(
    desktop.world,
    '.local/share/applications/surveyor.desktop',
    '[Desktop Entry]\nType=Application\nName=Surveyor\nExec=/bin/sleep 1000\n',
  );
  window = owned.use(await desktop.open({ showsFirstRun: true }));
});
afterAll(async () => {
  await owned[Symbol.asyncDispose]();
});

/** The process that starts pkexec. */
function engineOf(world: World): number {
  const line = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  const found = world.pids().find((pid) => line(pid).includes('engine.cjs'));
  if (found === undefined) throw new Error('the window has no engine');
  return found;
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
    expect(await violationsOf(page), look).toEqual([]);
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

test('a proxy that listens on this computer is found, and tested at a click', async () => {
  const { page } = window;
  await using here = await desktop.world.proxy('microsocks', { at: 'host', port: 1080 });
  await page.reload();
  const found = page.getByRole('region', { name: 'Found on this computer' }).getByRole('button');
  await found.filter({ hasText: 'Local SOCKS port' }).filter({ hasText: '127.0.0.1:1080' }).click();
  await page.getByText(/^The proxy (works|can be used; .*)\.$/).waitFor({ timeout: 15_000 });
  expect(await link().inputValue()).toContain(`socks5://127.0.0.1:${here.port}`);
  await page
    .getByRole('log')
    .getByText(new RegExp(`others see (${host.v4}|${host.v6})$`))
    .waitFor();
  await isFine('found');
});

describe('where user namespaces are not allowed', () => {
  const allow = () => button('Allow (asks for your password once)');
  let agent: PermissionAgent;

  beforeAll(async () => {
    const { world } = desktop;
    await world.shell('mount --bind /bin/false /usr/bin/unshare');
    // A wrong password costs two seconds otherwise.
    const pam = 'auth required pam_unix.so nodelay\naccount required pam_unix.so\n';
    writeFileSync(world.path('/etc/pam.d/polkit-1'), pam);
    polkitAnswers(world, user, 'polkit.Result.AUTH_SELF');
    await startPolkit(world);
    agent = owned.use(await PermissionAgent.start(world, engineOf(world)));
  });
  afterAll(async () => {
    await desktop.world.shell('umount /usr/bin/unshare');
    await desktop.world.must([desktop.product.culvert, 'profile', 'rm', '--force', 'first'], { user });
  });

  test('a proxy that is pasted and refuses is saved anyway, and the next step says what is missing', async () => {
    const { page } = window;
    await link().fill('');
    const refusing = `socks5://${proxy.user}:wrong@${proxy.address}:${proxy.port}#First`;
    await window.inMain(({ clipboard }, text) => clipboard.writeText(text), `${refusing}\n`);
    await button('Paste').click();
    await page.getByText(`signs in as ${proxy.user}`).waitFor();
    await page.getByText('The proxy does not work as it is.').waitFor();
    const lines = page.getByRole('log').getByRole('listitem');
    await lines.filter({ hasText: 'Reachable' }).getByText('Good', { exact: true }).waitFor();
    await lines.filter({ hasText: 'Sign-in' }).getByText('Failed', { exact: true }).waitFor();
    await lines.filter({ hasText: 'the proxy refused the sign-in' }).waitFor();
    await isFine('refused');
    await button('Save anyway').click();
    await title('Isolated networks').waitFor();
    await page.getByText('Culvert needs to be allowed once.').waitFor();
    await page.getByRole('alert').getByText('This system does not let ordinary users').waitFor();
    await isFine('isolation');
  });

  test('the password dialog that is closed, and the wrong password, each have a sentence of their own', async () => {
    const { page } = window;
    await allow().click();
    expect(await agent.asked()).toBe('org.freedesktop.policykit.exec');
    await button('Waiting for the password…').waitFor();
    await agent.dismiss();
    await page.getByRole('alert').getByText('The password dialog was closed.').waitFor();
    await allow().click();
    await agent.asked();
    expect(await agent.answer('wrong')).toBe(false);
    await page.getByRole('alert').getByText('or the password was wrong.').waitFor();
    await isFine('permission-refused');
  });

  test('the right password is all that is needed, and the window says which way is used', async () => {
    const { page } = window;
    await allow().click();
    await agent.asked();
    expect(await agent.answer(desktop.world.users[user].password)).toBe(true);
    await title('Open an app').waitFor();
    await page.getByText('with the permission of an administrator').waitFor();
    await button('Finish later').click();
    await page.keyboard.press('Control+,');
    await page.getByText('Works with the permission of an administrator. Tried just now.').waitFor();
    await page.keyboard.press('Control+k');
    await page.keyboard.type('add a proxy');
    await page.keyboard.press('Enter');
    await title('Where should traffic go?').waitFor();
  });
});

test('a link is understood while it is typed, and tested line by line when it is', async () => {
  const { page } = window;
  await link().pressSequentially('socks5://');
  await page.getByText('Not a proxy yet: the host is missing.').waitFor();
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
