// @vitest-environment happy-dom
/** The first run, over a main that is made from the contract. */
import { flushPromises, mount } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import * as v from 'valibot';
import { beforeEach, expect, test } from 'vitest';
import { preferences } from '../../electron/shared/contract.ts';
import { CulvertError } from '../../electron/shared/failure.ts';
import type { CheckLine, CheckReport } from '../../electron/shared/model.ts';
import type { ProxyView } from '../../electron/shared/profile-protocol.ts';
import App from '../../renderer/App.vue';
import { i18n } from '../../renderer/i18n.ts';
import { likelyApps } from '../../renderer/likely-apps.ts';
import { makeRouter } from '../../renderer/router.ts';
import { startStores } from '../../renderer/stores/start.ts';
import { app, configOf, FakeMain, lane, overviewOf, work } from './fake-main.ts';

const proxy: ProxyView = {
  ...{ kind: 'socks5', host: '203.0.113.5', port: 1080, hasPassword: true, user: 'me', name: 'Work' },
};
const reached: CheckLine = { stage: 'reach', outcome: 'ok', ms: 42, text: 'it takes connections' };
const good: CheckReport = { outcome: 'ok', exitAddress: '198.51.100.4', lines: [reached] };

beforeEach(() => {
  begin();
});

function begin(): void {
  setActivePinia(createPinia());
  document.body.innerHTML = '<div id="app"></div>';
  location.hash = '';
}

const own = (lanes = [lane()].slice(1)) => {
  const overview = overviewOf(lanes);
  return { ...overview, engines: overview.engines.map((one) => ({ ...one, isOwn: true })) };
};

/** The window as it is when its engine is there. */
async function open(handlers: ConstructorParameters<typeof FakeMain>[0] = {}) {
  const main = new FakeMain({ 'config.read': () => configOf([]), ...handlers });
  await startStores();
  const router = makeRouter();
  const page = mount(App, { global: { plugins: [i18n, router] }, attachTo: '#app' });
  await router.isReady();
  main.tell('overview', own());
  await flushPromises();
  const at = () => router.currentRoute.value.name;
  const press = async (name: string) => {
    const found = page.findAll('button').find((button) => button.text() === name);
    if (found === undefined) throw new Error(`no button “${name}” in: ${page.text()}`);
    await found.trigger('click');
    await flushPromises();
  };
  return { main, page, router, at, press };
}
const asked = (main: FakeMain, name: string) =>
  main.asked.filter((one) => one.name === name).map(({ params }) => params);

test('it is shown where there is no profile, and not where there is one or somebody has skipped it', async () => {
  expect((await open()).at()).toBe('first-run');
  begin();
  expect((await open({ 'config.read': () => configOf() })).at()).toBe('apps');
  begin();
  const skipped = await open({
    'window.start': () => ({
      ...{ version: '0.1.0', systemLanguages: ['en'], overview: overviewOf() },
      preferences: v.parse(preferences, { isFirstRunSkipped: true }),
    }),
  });
  expect(skipped.at()).toBe('apps');
});

test('whoever is elsewhere by then is left there', async () => {
  const main = new FakeMain({ 'config.read': () => configOf([]) });
  await startStores();
  const router = makeRouter();
  mount(App, { global: { plugins: [i18n, router] }, attachTo: '#app' });
  await router.push({ name: 'running' });
  await router.push({ name: 'apps' });
  main.tell('overview', own());
  await flushPromises();
  expect(router.currentRoute.value.name).toBe('apps');
});

test('Escape and the button leave it, and that is remembered', async () => {
  const { main, page, at, press, router } = await open();
  await press('Skip set-up');
  expect(at()).toBe('apps');
  expect(asked(main, 'preferences.set')).toEqual([{ isFirstRunSkipped: true }]);
  await router.push({ name: 'first-run' });
  await flushPromises();
  await page.get('input').trigger('keydown', { key: 'Escape' });
  await flushPromises();
  expect(at()).toBe('apps');
});

test('what is typed is understood as it comes, and dialled only when somebody says so', async () => {
  const { main, page, press } = await open({
    'proxy.read': ({ text }) => {
      if (text.length < 5) throw new CulvertError('proxy-url-invalid', { detail: 'the port is missing' });
      return [proxy];
    },
    'profile.test': () => good,
  });
  const input = page.get('input');
  expect(document.activeElement).toBe(input.element);
  await input.setValue('h');
  await flushPromises();
  expect(page.text()).toContain('Not a proxy yet: the port is missing.');
  await input.setValue('host:1080');
  await flushPromises();
  expect(page.text()).toContain('203.0.113.5:1080');
  expect(page.text()).toContain('signs in as me');
  expect(asked(main, 'profile.test')).toEqual([]);
  await press('Test');
  expect(asked(main, 'profile.test')).toEqual([
    { test: 'setup-1', of: { kind: 'links', links: 'host:1080' } },
  ]);
  expect(page.text()).toContain('The proxy works.');
});

test('the clipboard is read only on request, and what it has is tested at once, line by line', async () => {
  let done: (report: CheckReport) => void = () => undefined;
  const { main, page, press } = await open({
    'text.paste': () => ({ text: ' socks5://me:pw@203.0.113.5:1080\n' }),
    'proxy.read': () => [proxy],
    'profile.test': () => new Promise<CheckReport>((resolve) => (done = resolve)),
  });
  expect(asked(main, 'text.paste')).toEqual([]);
  await press('Paste');
  main.tell('testLine', { test: 'another', line: { ...reached, text: 'of another test' } });
  main.tell('testLine', { test: 'setup-1', line: reached });
  await flushPromises();
  expect(page.text()).toContain('Testing…');
  expect(page.text()).toContain('it takes connections');
  expect(page.text()).not.toContain('of another test');
  await page.get('input').setValue('socks5://other');
  await flushPromises();
  expect(asked(main, 'profile.endTest')).toEqual([{ test: 'setup-1' }]);
  done(good);
  await flushPromises();
  expect(page.text()).not.toContain('The proxy works.');
});

test('a found proxy that wants a password gets it before it is tested', async () => {
  const { user = '' } = proxy;
  const { main, page, press } = await open({
    'proxy.found': () => [
      {
        ...{ source: 'environment', where: 'ALL_PROXY', link: 'socks5://me@203.0.113.5:1080' },
        proxy: { ...proxy, hasPassword: false },
      },
    ],
    'proxy.read': () => [{ ...proxy, user, hasPassword: false }],
    'profile.test': () => good,
  });
  await page.get('.found').trigger('click');
  await flushPromises();
  expect(asked(main, 'profile.test')).toEqual([]);
  await page.get('input[type="password"]').setValue('p w@');
  await press('Test');
  expect(asked(main, 'profile.test')).toMatchObject([
    { of: { links: 'socks5://me:p%20w%40@203.0.113.5:1080#Work' } },
  ]);
});

test('a proxy that fails can be saved anyway; what is missing for isolation is asked for once', async () => {
  let isAllowed = false;
  const { main, page, press } = await open({
    'proxy.read': () => [proxy],
    'profile.test': () => ({
      outcome: 'failed',
      lines: [{ stage: 'reach', outcome: 'failed', text: 'nobody answers' }],
    }),
    'profile.add': () => work,
    'isolation.look': () => ({
      ...{ isProven: false, mode: 'privileged', failure: { code: 'userns-forbidden' } },
      command: 'echo 1 | sudo tee /x',
    }),
    'isolation.allow': () => {
      if (!isAllowed) throw new CulvertError('pkexec-dismissed');
      return { mode: 'privileged', isProven: true };
    },
  });
  await page.get('input').setValue('host:1080');
  await flushPromises();
  await press('Test');
  expect(page.text()).toContain('The proxy does not work as it is.');
  await press('Save anyway');
  expect(asked(main, 'profile.add')).toEqual([{ links: 'host:1080' }]);
  expect(page.text()).toContain('Culvert needs to be allowed once.');
  await press('Show me the command');
  expect(page.text()).toContain('echo 1 | sudo tee /x');
  await press('Allow (asks for your password once)');
  expect(page.get('h1').text()).toBe('Isolated networks');
  isAllowed = true;
  await press('Allow (asks for your password once)');
  expect(page.get('h1').text()).toBe('Open an app');
  expect(page.text()).toContain('with the permission of an administrator');
});

test('an app that is opened is said to go through the profile, with what the check found', async () => {
  const { main, page, press, at } = await open({
    'proxy.read': () => [proxy],
    'profile.test': () => good,
    'profile.add': () => work,
    'isolation.look': () => ({ mode: 'rootless', isProven: true }),
    'app.list': () => [app('notes'), app('firefox', { name: 'Firefox' })],
    'lane.check': () => ({
      ...good,
      lines: [reached, { stage: 'dns', outcome: 'ok', text: 'by the proxy' }],
    }),
  });
  await page.get('input').setValue('host:1080');
  await flushPromises();
  await press('Test');
  await press('Continue');
  expect(page.text()).toContain('Isolation works on this computer, without a password.');
  expect(page.findAll('.app').map((one) => one.text())).toEqual(['Firefox', 'The notes']);
  await press('Firefox');
  expect(asked(main, 'app.open')).toEqual([{ app: 'firefox', profile: 'work' }]);
  main.tell('overview', own([lane()]));
  await flushPromises();
  const sheet = document.querySelector('[role="dialog"]');
  expect(sheet?.textContent).toContain('Firefox now goes through Work');
  expect(sheet?.textContent).toContain('Exit 198.51.100.4 · DNS through the proxy · no leaks');
  const buttons = [...(sheet?.querySelectorAll('button') ?? [])];
  buttons.find((button) => button.textContent.includes('Create launcher'))?.click();
  await flushPromises();
  expect(asked(main, 'launcher.create')).toEqual([{ app: 'firefox', profile: 'work' }]);
  buttons.find((button) => button.textContent.trim() === 'Done')?.click();
  await flushPromises();
  expect(at()).toBe('running');
});

test('the likely apps come first, and the others follow as they are', () => {
  const apps = [
    ...[app('notes'), app('reader', { genericName: 'Mail Client' }), app('org.mozilla.firefox')],
    ...[app('surf', { keywords: ['browser'] }), app('zoo')],
  ];
  expect(likelyApps(apps, 4).map(({ id }) => id)).toEqual(['org.mozilla.firefox', 'surf', 'reader', 'notes']);
});
