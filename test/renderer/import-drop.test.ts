// @vitest-environment happy-dom
/** Files of other programs that are let go over the screen of apps: they open the import, whatever the target. */
import { flushPromises, mount } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import { defineComponent, h } from 'vue';
import { beforeEach, expect, test } from 'vitest';
import type { WindowHandlers } from '../../electron/shared/contract.ts';
import ImportQuestion from '../../renderer/components/profiles/ImportQuestion.vue';
import OpeningQuestion from '../../renderer/components/OpeningQuestion.vue';
import { i18n } from '../../renderer/i18n.ts';
import { makeRouter } from '../../renderer/router.ts';
import { startStores } from '../../renderer/stores/start.ts';
import AppsView from '../../renderer/views/AppsView.vue';
import { FakeMain, overviewOf, work } from './fake-main.ts';

beforeEach(() => {
  setActivePinia(createPinia());
  document.body.innerHTML = '<main id="content"></main>';
});

const path = '/home/me/proxychains.conf';
const answers: Partial<WindowHandlers> = {
  'app.target': (asked) => ({ kind: 'import', path: asked.path }),
  'file.choose': () => path,
  'profile.import': () => ({
    ...{ kind: 'proxychains', profiles: [work], rules: 0, passwords: 1 },
    lines: [
      { line: 2, status: 'taken', text: 'strict_chain' },
      { line: 7, status: 'invalid', text: 'a socks5 proxy', reason: 'the port is missing' },
    ],
  }),
};

/** The screen with what the window's frame shows above it. */
async function show(handlers: Partial<WindowHandlers> = {}) {
  const main = new FakeMain({ ...answers, ...handlers });
  await startStores();
  const overview = overviewOf();
  main.tell('overview', { ...overview, engines: overview.engines.map((one) => ({ ...one, isOwn: true })) });
  const router = makeRouter();
  const Screen = defineComponent(() => () => [h(AppsView), h(OpeningQuestion), h(ImportQuestion)]);
  mount(Screen, { global: { plugins: [i18n, router] }, attachTo: '#content' });
  await flushPromises();
  const asked = () => main.asked.filter(({ name }) => name === 'profile.import').map(({ params }) => params);
  return { main, router, asked };
}

/** A drag with these files, from where it is first seen to where it is let go. */
async function drop(names: readonly string[], purpose: 'open' | 'add'): Promise<void> {
  const files = names.map((name) => new File([], name));
  const dataTransfer = { types: ['Files'], files, dropEffect: 'none', getData: () => '' };
  const send = (type: string, target: EventTarget | null) =>
    target?.dispatchEvent(
      Object.assign(new Event(type, { bubbles: true, cancelable: true }), { dataTransfer }),
    );
  send('dragenter', document.querySelector('main'));
  await flushPromises();
  const target = document.querySelector(`[data-purpose="${purpose}"]`);
  expect(target).not.toBeNull();
  send('dragover', target);
  send('drop', target);
  await flushPromises();
}

const dialog = () => document.querySelector('[role="dialog"]');
const rows = () => [...document.querySelectorAll('tbody tr')].map((row) => row.textContent);

test.each(['open', 'add'] as const)('over “%s” shows what would become of each line', async (purpose) => {
  const { asked } = await show();
  await drop([path], purpose);
  expect(asked()).toEqual([{ from: { kind: 'file', path }, isTrial: true }]);
  expect(rows()).toEqual(['2Takenstrict_chain', '7Not understooda socks5 proxythe port is missing']);
  expect(dialog()?.textContent).toContain('This would bring one profile and one password.');
  expect(dialog()?.textContent).toContain(`culvert profile import ${path}`);
  expect(document.querySelector('[data-purpose]')).toBeNull();
});

test('what was chosen by the button does so too, and the profiles are shown once they are there', async () => {
  const { asked, router } = await show();
  const press = async (text: string) => {
    const found = [...document.querySelectorAll('button')].find((one) => one.textContent.includes(text));
    found?.click();
    await flushPromises();
  };
  await press('Open a file…');
  expect(rows()).toHaveLength(2);
  await press('Import one profile and one password');
  expect(asked()).toHaveLength(2);
  expect(dialog()?.textContent).toContain('Imported one profile and one password');
  await press('Close');
  await flushPromises();
  expect(router.currentRoute.value.name).toBe('profiles');
});

test('of several files the first is taken, and that is said', async () => {
  const { asked } = await show();
  await drop([path, '/home/me/clash.yaml'], 'open');
  expect(asked()).toEqual([{ from: { kind: 'file', path }, isTrial: true }]);
  const { useNotices } = await import('../../renderer/stores/notices.ts');
  expect(useNotices().shown.map(({ text }) => text)).toContain('Only the first file was taken.');
});
