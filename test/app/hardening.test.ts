/**
 * Electron's security checklist (its documentation, "Checklist: Security recommendations"), item by item, in the
 * real window; and that the window has no network at all (S39 to S45).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pageOrigin, pagePolicy } from '../../electron/main/page-policy.ts';
import { windowCallNames, windowEventNames, type WindowApi } from '../../electron/shared/contract.ts';
import { repository } from '../world/artefact.ts';
import type { Capture } from '../world/capture.ts';
import { Owned } from '../world/owned.ts';
import { Desktop, type OpenWindow } from './desktop.ts';

const owned = new Owned();
let desktop: Desktop;
let capture: Capture;
let window: OpenWindow;

beforeAll(async () => {
  desktop = owned.use(await Desktop.create());
  capture = await desktop.world.capture();
  window = owned.use(await desktop.open());
});
afterAll(async () => {
  await owned[Symbol.asyncDispose]();
});

const preferences = () =>
  window.inMain(({ BrowserWindow }) => {
    const contents = BrowserWindow.getAllWindows()[0]?.webContents as unknown as {
      getLastWebPreferences(): Record<string, unknown>;
    };
    return contents.getLastWebPreferences();
  });
const source = (folder: string) =>
  readdirSync(join(repository, folder))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(repository, folder, name), 'utf8'))
    .join('\n');

describe('the checklist', () => {
  test('1, 18: only the page’s own files are loaded, from a scheme of their own', async () => {
    expect(window.page.url()).toMatch(new RegExp(`^${pageOrigin}/index.html`));
    await window.page.reload();
    await window.page.getByRole('heading', { level: 1 }).waitFor();
    expect(window.requests.filter((url) => !url.startsWith(`${pageOrigin}/`))).toEqual([]);
    expect(window.requests.length).toBeGreaterThan(1);
  });

  test('2, 3, 4: the page has no Node, its own context, and the kernel’s sandbox', async () => {
    expect(await preferences()).toMatchObject({
      nodeIntegration: false,
      nodeIntegrationInSubFrames: false,
      contextIsolation: true,
      sandbox: true,
    });
    expect((await preferences())['nodeIntegrationInWorker'] ?? false).toBe(false);
    const reach = () =>
      ['require', 'process', 'module', 'Buffer', 'global'].filter((name) => name in globalThis);
    expect(await window.page.evaluate(reach)).toEqual([]);
    const pid = await window.inMain(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows()[0]?.webContents.getOSProcessId(),
    );
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    expect(status).toMatch(/^Seccomp:\s+2$/m);
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(status).toMatch(/^CapEff:\s+0+$/m);
  });

  test('5: nothing is permitted', async () => {
    const asked = await window.page.evaluate(async () => {
      const names = ['geolocation', 'notifications', 'camera', 'microphone', 'clipboard-read', 'midi'];
      const states = await Promise.all(
        names.map(
          async (name) => (await navigator.permissions.query({ name: name as PermissionName })).state,
        ),
      );
      const media = await navigator.mediaDevices.getUserMedia({ audio: true }).then(
        () => 'granted',
        () => 'denied',
      );
      return [...states, media, await Notification.requestPermission()];
    });
    expect(new Set(asked)).toEqual(new Set(['denied']));
  });

  test('6, 8, 9, 10, 11: no guard is taken down, nothing experimental is on, there are no webviews', async () => {
    expect(await preferences()).toMatchObject({
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      webviewTag: false,
    });
    expect((await preferences())['enableBlinkFeatures'] ?? '').toBe('');
    const html = readFileSync(join(repository, 'dist/renderer/index.html'), 'utf8');
    expect(html).not.toMatch(/webview|allowpopups/);
  });

  test('7: the page’s policy lets no string become code and no request leave', async () => {
    const policy = await window.inMain(async ({ session }, url) => {
      const response = await session.defaultSession.fetch(url, { bypassCustomProtocolHandlers: false });
      return response.headers.get('content-security-policy');
    }, `${pageOrigin}/index.html`);
    expect(policy).toBe(pagePolicy);
    const refused = await window.page.evaluate(async () => {
      const violations: string[] = [];
      document.addEventListener('securitypolicyviolation', (event) =>
        violations.push(event.effectiveDirective),
      );
      const script = document.createElement('script');
      const tries = [
        () => fetch('https://198.51.100.80/'),
        () => new WebSocket('wss://198.51.100.80/'),
        () => (document.body.appendChild(document.createElement('img')).src = 'https://198.51.100.80/a.png'),
        () => (document.body.appendChild(document.createElement('iframe')).src = 'https://198.51.100.80/'),
        () => {
          script.textContent = 'globalThis.wasRun = true';
          document.body.append(script);
        },
      ];
      for (const attempt of tries)
        await Promise.resolve()
          .then(attempt)
          .catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 200));
      for (const added of document.body.querySelectorAll(':scope > :is(img, iframe, script)')) added.remove();
      return { violations, wasRun: 'wasRun' in globalThis };
    });
    expect(refused.wasRun).toBe(false);
    expect(refused.violations).toEqual(expect.arrayContaining(['connect-src', 'img-src', 'frame-src']));
  });

  test('12: not even a page that may have others within itself is given one', async () => {
    expect(await window.page.evaluate(() => customElements.get('webview') === undefined)).toBe(true);
    const attached = await window.inMain(async ({ BrowserWindow, webContents }) => {
      const other = new BrowserWindow({ show: false, webPreferences: { webviewTag: true, sandbox: true } });
      try {
        const asked = new Promise<boolean>((resolve) => {
          other.webContents.on('will-attach-webview', (event) => {
            resolve(event.defaultPrevented);
          });
        });
        await other.loadURL('about:blank').catch(() => undefined);
        await other.webContents.executeJavaScript(
          `document.body.appendChild(document.createElement('webview')).src = 'about:blank'; 0`,
        );
        const isPrevented = await asked;
        const guests = webContents.getAllWebContents().filter((one) => one.getType() === 'webview');
        return { isPrevented, guests: guests.length };
      } finally {
        other.destroy();
      }
    });
    expect(attached).toEqual({ isPrevented: true, guests: 0 });
  });

  test('13: the page cannot be led elsewhere', async () => {
    for (const address of [
      'https://198.51.100.80/',
      'file:///etc/passwd',
      'data:text/html,x',
      `${pageOrigin}/x`,
    ]) {
      await window.page.evaluate((to) => {
        location.href = to;
      }, address);
    }
    const state = await window.page.evaluate(() => [location.href, document.querySelectorAll('h1').length]);
    expect(state).toEqual([`${pageOrigin}/index.html#/running`, 1]);
    // Playwright waits for the end of navigations that never began, until the page is a new one.
    await window.page.reload();
  });

  test('14: the page cannot open windows', async () => {
    expect(await window.page.evaluate(() => globalThis.open('https://198.51.100.80/') === null)).toBe(true);
    expect(await window.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1);
  });

  test('15, S22: nothing is opened outside, and the window never starts itself again', () => {
    const main = source('electron/main').replaceAll(/\/\*\*[\s\S]*?\*\//g, '');
    expect(main).toContain('BrowserWindow');
    expect(main).not.toMatch(/\bshell\b|openExternal|relaunch/);
  });

  test('16: the Electron that is packaged is a supported one', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>;
    };
    // Majors that get fixes are the newest three: 45, 44 and 43 in November 2026.
    expect(Number.parseInt(devDependencies['electron'] ?? '', 10)).toBeGreaterThanOrEqual(43);
  });

  test('17: a call from another page is refused', async () => {
    const preload = join(desktop.product.dir, 'preload.cjs');
    const answer = await window.inMain(async ({ BrowserWindow }, path) => {
      const other = new BrowserWindow({ show: false, webPreferences: { preload: path, sandbox: true } });
      try {
        await other.loadURL('about:blank').catch(() => undefined);
        return (await other.webContents.executeJavaScript(
          `window.culvert.calls['lane.stop']({ lane: '1-1' })`,
        )) as unknown;
      } finally {
        other.destroy();
      }
    }, preload);
    expect(answer).toMatchObject({ ok: false, failure: { code: 'peer-refused' } });
  });

  test('19: what a package’s Electron is burnt with lets nobody in beside the window', () => {
    const [, fuses] =
      /^export const fuses = \{$(.*?)^\};$/ms.exec(
        readFileSync(join(repository, 'build/electron-builder.js'), 'utf8'),
      ) ?? [];
    for (const fuse of [
      'enableNodeOptionsEnvironmentVariable: false',
      'enableNodeCliInspectArguments: false',
      'onlyLoadAppFromAsar: true',
      'grantFileProtocolExtraPrivileges: false',
    ])
      expect(fuses).toContain(`  ${fuse},\n`);
  });

  test('20: the page is given the functions of the contract and nothing else', async () => {
    const given = await window.page.evaluate(() => ({
      top: Object.keys((globalThis as unknown as { culvert: WindowApi }).culvert),
      calls: Object.keys((globalThis as unknown as { culvert: WindowApi }).culvert.calls),
      events: Object.keys((globalThis as unknown as { culvert: WindowApi }).culvert.events),
    }));
    expect(given).toEqual({
      top: ['calls', 'events', 'files'],
      calls: windowCallNames,
      events: windowEventNames,
    });
  });
});

test('a call whose parameters are not as they should be is refused', async () => {
  const answers = await window.page.evaluate(async () => {
    const stop = (globalThis as unknown as { culvert: WindowApi }).culvert.calls['lane.stop'] as (
      params: unknown,
    ) => Promise<unknown>;
    return Promise.all([stop(undefined), stop({}), stop({ lane: 7 }), stop({ lane: '1-1', also: 1 })]);
  });
  for (const answer of answers) expect(answer).toMatchObject({ ok: false, failure: { code: 'bad-message' } });
});

test('what the page asks for that is not one of its files is not found', async () => {
  const statuses = await window.inMain(async ({ session }, origin) => {
    const paths = ['/', '/../main.cjs', '/%2e%2e/main.cjs', '/assets', '/package.json'];
    return Promise.all(
      paths.map(async (path) => (await session.defaultSession.fetch(`${origin}${path}`)).status),
    );
  }, pageOrigin);
  expect(new Set(statuses)).toEqual(new Set([404]));
});

test('in all its life the window sent no packet, and a packet would have been seen', async () => {
  const sent = await capture.leaks(window.exceptions);
  expect(
    sent.map(({ proto, destination, destinationPort }) => [proto, destination, destinationPort]),
  ).toEqual([]);
  await desktop.world.run(['curl', '-s', '-o', '/dev/null', 'http://198.51.100.80/'], { user: 'culvert-a' });
  expect((await capture.leaks(window.exceptions)).length).toBeGreaterThan(0);
});
