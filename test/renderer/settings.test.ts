// @vitest-environment happy-dom
/** The settings over a main that is made from the contract: what each does, and what is said when it fails. */
import { flushPromises, mount } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import * as v from 'valibot';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { preferences, type WindowHandlers } from '../../electron/shared/contract.ts';
import { CulvertError } from '../../electron/shared/failure.ts';
import { i18n } from '../../renderer/i18n.ts';
import { makeRouter } from '../../renderer/router.ts';
import { startStores } from '../../renderer/stores/start.ts';
import SettingsView from '../../renderer/views/SettingsView.vue';
import { FakeMain } from './fake-main.ts';

beforeEach(() => {
  setActivePinia(createPinia());
  document.body.innerHTML = '<main id="content"></main>';
});
afterEach(() => {
  i18n.global.locale.value = 'en';
  document.body.innerHTML = '';
});

const answering: Partial<WindowHandlers> = {
  'autostart.read': () => ({ isOn: false }),
  'autostart.set': ({ isOn }) => ({ isOn }),
  'isolation.look': () => ({ mode: 'rootless', isProven: true }),
  'secrets.place': () => ({ place: 'keyring' }),
};

async function show(handlers: Partial<WindowHandlers> = {}) {
  const main = new FakeMain({ ...answering, ...handlers });
  await startStores();
  const screen = mount(SettingsView, { global: { plugins: [i18n, makeRouter()] }, attachTo: '#content' });
  await flushPromises();
  const button = (text: string) => screen.findAll('button').find((one) => one.text() === text);
  return { main, screen, button };
}

test('each part has a heading, and the index leads there', async () => {
  const { screen, button } = await show();
  expect(screen.findAll('h2').map((heading) => heading.text())).toEqual([
    ...['General', 'Appearance', 'Network', 'Privacy', 'Shortcuts', 'Advanced', 'About'],
  ]);
  await button('Advanced')?.trigger('click');
  expect(document.activeElement?.id).toBe('settings-advanced');
});

test('another language is asked for and spoken', async () => {
  const kept = v.parse(preferences, { language: 'zh-CN' });
  const { main, screen, button } = await show({ 'preferences.set': () => kept });
  await button('简体中文')?.trigger('click');
  await flushPromises();
  expect(main.asked).toContainEqual({ name: 'preferences.set', params: { language: 'zh-CN' } });
  expect(screen.find('h1').text()).toBe('设置');
});

test('isolation that is not there is explained, with the command and a way to allow it', async () => {
  let isAllowed = false;
  const { screen, button } = await show({
    'isolation.look': () => ({
      ...{ mode: 'privileged', isProven: false, command: 'sudo some thing' },
      failure: { code: 'userns-forbidden', detail: 'a switch is 0' },
    }),
    'isolation.allow': () => {
      if (!isAllowed) throw new CulvertError('pkexec-dismissed');
      return { mode: 'privileged', isProven: true };
    },
  });
  expect(screen.text()).toContain('a switch is 0');
  expect(screen.text()).not.toContain('sudo some thing');
  await button('Show me the command')?.trigger('click');
  expect(screen.text()).toContain('sudo some thing');
  await button('Allow (asks for your password once)')?.trigger('click');
  await flushPromises();
  expect(screen.text()).toContain('The password dialog was closed');
  isAllowed = true;
  await button('Allow (asks for your password once)')?.trigger('click');
  await flushPromises();
  expect(screen.text()).toContain('Works with the permission of an administrator.');
  expect(button('Allow (asks for your password once)')).toBeUndefined();
});

test('the doctor’s lines are called in the user’s language, with what to do', async () => {
  const { screen, button } = await show({
    doctor: () => [
      { id: 'nft', outcome: 'failed', what: 'nft', found: 'not found', todo: 'install nftables' },
      { id: 'newer', outcome: 'ok', what: 'something newer', found: 'fine' },
    ],
  });
  await button('Look')?.trigger('click');
  await flushPromises();
  expect(screen.text()).toContain('Something is missing');
  expect(screen.text()).toContain('nft (nftables) · missing');
  expect(screen.text()).toContain('install nftables');
  expect(screen.text()).toContain('something newer · all right');
});

test('what cannot be found out says why', async () => {
  const { screen } = await show({
    'secrets.place': () => {
      throw new CulvertError('engine-unreachable');
    },
  });
  expect(screen.text()).toContain('What Culvert sends');
  expect(screen.find('.failure').exists()).toBe(true);
});
