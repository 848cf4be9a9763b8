/** The screen of profiles over a main that is made from the contract, with two profiles that its tests know. */
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import { parse } from 'valibot';
import type { ConfigView } from '../../electron/shared/app-protocol.ts';
import type { WindowHandlers } from '../../electron/shared/contract.ts';
import { config, headOf } from '../../electron/shared/profile.ts';
import ImportQuestion from '../../renderer/components/profiles/ImportQuestion.vue';
import { i18n } from '../../renderer/i18n.ts';
import { makeRouter } from '../../renderer/router.ts';
import { startStores } from '../../renderer/stores/start.ts';
import ProfilesView from '../../renderer/views/ProfilesView.vue';
import { FakeMain } from './fake-main.ts';

const server = (id: string, host: string) => ({ id, kind: 'socks5', host, port: 1080 });
export const two = [
  { id: 'work', name: 'Work', chain: { servers: [server('a', 'a.example'), server('b', 'b.example')] } },
  { id: 'home', name: 'Home', chain: { servers: [server('a', 'c.example')] } },
];

export function view(profiles: readonly object[] = two, more: Partial<ConfigView> = {}): ConfigView {
  const read = parse(config, {
    version: 1,
    profiles,
    ...(profiles.length > 0 ? { defaultProfile: 'work' } : {}),
  });
  return { config: read, profiles: read.profiles.map(headOf), ...more };
}
const quiet: Partial<WindowHandlers> = {
  'config.read': () => view(),
  'profile.uses': () => ({ isDefault: false, apps: [], rules: [], failovers: [], launchers: [] }),
  'profile.passwords': () => [{ server: 'a', place: 'keyring' }],
};

let screens: VueWrapper[] = [];

/** Before each test. */
export function clear(): void {
  for (const screen of screens) screen.unmount();
  screens = [];
  setActivePinia(createPinia());
  document.body.innerHTML = '<main id="content"></main>';
}

export async function show(handlers: Partial<WindowHandlers> = {}) {
  const main = new FakeMain({ ...quiet, ...handlers });
  await startStores();
  const router = makeRouter();
  await router.push('/profiles');
  const plugins = [i18n, router];
  const screen = mount(ProfilesView, { global: { plugins }, attachTo: '#content' });
  screens.push(screen, mount(ImportQuestion, { global: { plugins }, attachTo: document.body }));
  await flushPromises();
  return { main, screen, router };
}
export const asked = (main: FakeMain, name: string) =>
  main.asked.filter((one) => one.name === name).map(({ params }) => params);
export const input = (screen: VueWrapper, path: string) =>
  screen.get<HTMLInputElement>(`[data-path="${path}"]`);
const buttonIn = (place: ParentNode, text: string): HTMLElement => {
  const found = [...place.querySelectorAll('button')].find((one) => one.textContent.includes(text));
  if (found === undefined) throw new Error(`there is no button ${text}`);
  return found;
};
export async function press(text: string, place: ParentNode = document): Promise<void> {
  buttonIn(place, text).click();
  await flushPromises();
}
