// @vitest-environment happy-dom
/** The palette's commands and the keys that work everywhere, over a main that is made from the contract. */
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AppView } from '../../electron/shared/app-protocol.ts';
import App from '../../renderer/App.vue';
import { i18n } from '../../renderer/i18n.ts';
import { makeRouter, screenNames } from '../../renderer/router.ts';
import { startStores } from '../../renderer/stores/start.ts';
import { app, configOf, FakeMain, lane, overviewOf, work } from './fake-main.ts';

let mounted: VueWrapper | undefined;

beforeEach(() => {
  setActivePinia(createPinia());
  location.hash = '';
  document.body.innerHTML = '<div id="app"></div>';
});
afterEach(() => {
  mounted?.unmount();
});

async function open(main: FakeMain) {
  await startStores();
  const overview = overviewOf([lane()]);
  main.tell('overview', { ...overview, engines: overview.engines.map((one) => ({ ...one, isOwn: true })) });
  const router = makeRouter();
  mounted = mount(App, { global: { plugins: [i18n, router] }, attachTo: '#app' });
  await flushPromises();
  return { router };
}

const press = async (key: string, init: KeyboardEventInit = {}) => {
  window.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...init }));
  await flushPromises();
};
const asked = (main: FakeMain, wanted: string) =>
  main.asked.filter(({ name }) => name === wanted).map(({ params }) => params);
const options = () => [...document.querySelectorAll<HTMLElement>('[role="option"]')];

async function type(text: string): Promise<string[]> {
  await press('k', { ctrlKey: true });
  const field = document.querySelector<HTMLInputElement>('[role="dialog"] input');
  if (field === null) throw new Error('no palette');
  field.value = text;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  await flushPromises();
  return options().map(({ textContent }) => textContent.trim());
}

const main = () =>
  new FakeMain({
    'app.list': () => [app('surveyor'), app('napper')],
    'config.read': () => configOf([work, { ...work, id: 'tor', name: 'Tor', letter: 'T' }]),
  });

test('the palette opens an installed app, switches a running one, and stops it', async () => {
  const fake = main();
  await open(fake);
  expect(await type('survey')).toEqual(['Open The surveyor']);
  options()[0]?.click();
  await flushPromises();
  expect(asked(fake, 'app.open')).toEqual([{ app: 'surveyor' }]);
  expect(await type('switch firefox tor')).toEqual(['Switch firefox to Tor']);
  options()[0]?.click();
  await flushPromises();
  expect(asked(fake, 'lane.switch')).toEqual([{ lane: '7-1', profile: 'tor' }]);
  expect(await type('stop firefox')).toEqual(['Stop firefox']);
  options()[0]?.click();
  await flushPromises();
  expect(asked(fake, 'lane.stop')).toEqual([{ lane: '7-1' }]);
});

test('an app that is found after it was typed is what Enter opens', async () => {
  let answer = (_apps: AppView[]): void => undefined;
  const fake = new FakeMain({
    'app.list': ({ search }) =>
      search === undefined ? new Promise<AppView[]>((resolve) => (answer = resolve)) : [],
  });
  await open(fake);
  expect(await type('surveyor')).toEqual([]);
  answer([app('surveyor')]);
  await flushPromises();
  await expect.poll(() => options()[0]?.dataset['highlighted']).toBe('');
  const field = document.querySelector('[role="dialog"] input');
  field?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
  await flushPromises();
  expect(asked(fake, 'app.open')).toEqual([{ app: 'surveyor' }]);
});

test('before anything is typed neither apps nor switches crowd out the screens', async () => {
  await open(main());
  const shown = await type('');
  expect(shown.filter((text) => text.startsWith('Go to'))).toHaveLength(screenNames.length);
  expect(shown.filter((text) => /^(Open The|Switch)/.test(text))).toEqual([]);
});

test('a question that an app from the palette comes to is asked on whatever screen is shown', async () => {
  const fake = new FakeMain({ 'app.list': () => [app('surveyor')], 'config.read': () => configOf([]) });
  const { router } = await open(fake);
  await router.push({ name: 'settings' });
  await type('surveyor');
  options()[0]?.click();
  await flushPromises();
  expect(document.querySelector('[role="dialog"]')?.textContent).toContain('Open The surveyor through…');
});

test('Ctrl+1 to Ctrl+7 lead to the seven screens whatever menus they have, and no other number anywhere', async () => {
  const fake = main();
  const { router } = await open(fake);
  fake.tell('overview', {
    ...overviewOf([lane(), lane({ id: '7-2' })]),
    engines: overviewOf().engines.map((one) => ({ ...one, isOwn: true })),
  });
  for (const [index, name] of [...screenNames, ...screenNames].entries()) {
    await press(String((index % screenNames.length) + 1), { ctrlKey: true });
    await expect.poll(() => router.currentRoute.value.name).toBe(name);
    expect(document.querySelector('main h1')?.textContent).toBe(i18n.global.t(`screen.${name}`));
  }
  await press('9', { ctrlKey: true });
  expect(router.currentRoute.value.name).toBe(screenNames.at(-1));
});

test('Ctrl+O lets a file be chosen on whatever screen is shown', async () => {
  const fake = main();
  const { router } = await open(fake);
  await router.push({ name: 'settings' });
  await press('o', { ctrlKey: true });
  expect(asked(fake, 'file.choose')).toHaveLength(1);
});
