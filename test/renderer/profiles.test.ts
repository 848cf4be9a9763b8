// @vitest-environment happy-dom
/** The screen of profiles and what is asked on it, over a main that is made from the contract. */
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import { beforeEach, expect, test, vi } from 'vitest';
import { parse } from 'valibot';
import type { ConfigView } from '../../electron/shared/app-protocol.ts';
import type { WindowHandlers } from '../../electron/shared/contract.ts';
import { CulvertError } from '../../electron/shared/failure.ts';
import { config, headOf } from '../../electron/shared/profile.ts';
import ImportQuestion from '../../renderer/components/profiles/ImportQuestion.vue';
import { i18n } from '../../renderer/i18n.ts';
import { makeRouter } from '../../renderer/router.ts';
import { useNotices } from '../../renderer/stores/notices.ts';
import { useProfileDeeds } from '../../renderer/stores/profile-deeds.ts';
import { useProfileDrafts } from '../../renderer/stores/profile-drafts.ts';
import { useProfileImport } from '../../renderer/stores/profile-import.ts';
import { useProfileTests } from '../../renderer/stores/profile-tests.ts';
import { startStores } from '../../renderer/stores/start.ts';
import { useTaking } from '../../renderer/stores/taking.ts';
import ProfilesView from '../../renderer/views/ProfilesView.vue';
import { configOf, FakeMain, overviewOf } from './fake-main.ts';

const server = (id: string, host: string) => ({ id, kind: 'socks5', host, port: 1080 });
const two = [
  { id: 'work', name: 'Work', chain: { servers: [server('a', 'a.example'), server('b', 'b.example')] } },
  { id: 'home', name: 'Home', chain: { servers: [server('a', 'c.example')] } },
];

function view(profiles: readonly object[] = two, more: Partial<ConfigView> = {}): ConfigView {
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
beforeEach(() => {
  for (const screen of screens) screen.unmount();
  screens = [];
  setActivePinia(createPinia());
  document.body.innerHTML = '<main id="content"></main>';
});

async function show(handlers: Partial<WindowHandlers> = {}) {
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
const asked = (main: FakeMain, name: string) =>
  main.asked.filter((one) => one.name === name).map(({ params }) => params);
const input = (screen: VueWrapper, path: string) => screen.get<HTMLInputElement>(`[data-path="${path}"]`);
const buttonIn = (place: ParentNode, text: string): HTMLElement => {
  const found = [...place.querySelectorAll('button')].find((one) => one.textContent.includes(text));
  if (found === undefined) throw new Error(`there is no button ${text}`);
  return found;
};
async function press(text: string, place: ParentNode = document): Promise<void> {
  buttonIn(place, text).click();
  await flushPromises();
}

test('without a profile of one’s own the screen says how to come by one', async () => {
  const { screen } = await show({ 'config.read': () => configOf([]) });
  expect(screen.text()).toContain('Paste a proxy link anywhere on this screen');
  expect(screen.findAll('[data-profile]')).toHaveLength(2);
  await press('Add a server');
  expect(screen.text()).toContain('Not saved yet');
});

test('a configuration that cannot be read is said, and what was last read is shown', async () => {
  const problem = { code: 'config-invalid', detail: 'culvert.json:3:7 must be a number' } as const;
  const { screen } = await show({ 'config.read': () => view(two, { problem }) });
  expect(screen.text()).toContain('culvert.json:3:7 must be a number');
  expect(screen.text()).toContain('the last that could be read');
  expect(screen.findAll('[data-profile]')).toHaveLength(4);
});

test('until there is an answer it is waited for, and a failure can be tried again', async () => {
  let isGood = false;
  const { screen } = await show({
    'config.read': () => {
      if (!isGood) throw new CulvertError('engine-unreachable');
      return view();
    },
  });
  expect(screen.text()).toContain('The profiles could not be read');
  isGood = true;
  await press('Try again');
  expect(screen.text()).toContain('a.example');
});

test('without an engine the screen offers to start it', async () => {
  const { main, screen } = await show();
  const own = { state: 'failed', failure: { code: 'engine-unreachable' } } as const;
  main.tell('overview', { ...overviewOf(), engines: [], own });
  await flushPromises();
  expect(screen.text()).toContain('The engine is not running');
  await press('Start the engine');
  expect(asked(main, 'engine.start')).toHaveLength(1);
});

test('the default profile is shown first, and one that is built in says why it has no form', async () => {
  const { screen } = await show();
  expect(input(screen, 'name').element.value).toBe('Work');
  await screen.get('[data-profile="none"]').trigger('click');
  expect(screen.text()).toContain('built in and cannot be changed');
  expect(screen.find('[data-path]').exists()).toBe(false);
});

test('what is typed stays while one looks elsewhere, is saved with its passwords, and can be taken back', async () => {
  const { main, screen } = await show({ 'profile.save': ({ profile }) => headOf(profile) });
  await screen.get('[data-server="a"] [aria-expanded]').trigger('click');
  await input(screen, 'chain.servers.a.host').setValue('other.example');
  await input(screen, 'chain.servers.a.user').setValue('me');
  await screen.get('[data-server="a"] input[type="password"]').setValue('secret');
  await screen.get('[data-profile="home"]').trigger('click');
  expect(input(screen, 'name').element.value).toBe('Home');
  await screen.get('[data-profile="work"]').trigger('click');
  await press('Save');
  expect(asked(main, 'profile.save')).toMatchObject([
    {
      profile: { id: 'work', chain: { servers: [{ host: 'other.example' }, { host: 'b.example' }] } },
      passwords: [{ server: 'a', password: 'secret' }],
    },
  ]);
  await input(screen, 'name').setValue('Another');
  await press('Revert');
  expect(input(screen, 'name').element.value).toBe('Work');
});

test('a mistake is said as one types, and nothing is saved with it', async () => {
  const { main, screen } = await show();
  await screen.get('[data-server="a"] [aria-expanded]').trigger('click');
  const port = input(screen, 'chain.servers.a.port');
  await port.setValue('99999');
  expect(screen.text()).toContain('A number from 1 to 65535.');
  expect(port.attributes('aria-invalid')).toBe('true');
  await press('Save');
  expect(asked(main, 'profile.save')).toEqual([]);
  expect(document.activeElement).toBe(port.element);
});

test('what the engine has against a field is shown at it, and all else above the form', async () => {
  let detail = 'field egress: must be a name of an interface';
  const { screen } = await show({
    'profile.save': () => {
      throw new CulvertError('config-invalid', { detail });
    },
  });
  await input(screen, 'egress').setValue('wlan0');
  await press('Save');
  expect(screen.text()).toContain('Not taken: must be a name of an interface');
  expect(document.activeElement).toBe(input(screen, 'egress').element);
  expect(screen.find('[role="alert"]').exists()).toBe(false);
  detail = 'culvert.json:1:1 something else';
  await press('Save');
  expect(screen.get('[role="alert"]').text()).toContain('something else');
});

test('a profile that changes elsewhere is followed, but not over what was typed', async () => {
  const { main, screen } = await show();
  const renamed = (name: string) => view([{ ...two[0], name }, ...two.slice(1)]);
  main.tell('config', renamed('Elsewhere'));
  await flushPromises();
  expect(input(screen, 'name').element.value).toBe('Elsewhere');
  await input(screen, 'name').setValue('Mine');
  main.tell('config', renamed('Again'));
  await flushPromises();
  expect(input(screen, 'name').element.value).toBe('Mine');
  expect(screen.text()).toContain('was changed elsewhere');
});

test('Alt with an arrow moves a server, says so, and keeps the focus', async () => {
  const { screen } = await show();
  const first = screen.get<HTMLElement>('[data-server="a"] [aria-expanded]');
  first.element.focus();
  await first.trigger('keydown', { key: 'ArrowDown', altKey: true });
  await flushPromises();
  expect(screen.findAll('[data-server]').map((one) => one.attributes('data-server'))).toEqual(['b', 'a']);
  expect(screen.text()).toContain('Now number 2 of 2');
  expect(document.activeElement?.closest('[data-server]')?.getAttribute('data-server')).toBe('a');
});

test('leaving with changes asks; staying keeps them, discarding goes on', async () => {
  const { screen, router } = await show();
  await input(screen, 'name').setValue('Changed');
  await router.push('/rules');
  await flushPromises();
  expect(router.currentRoute.value.name).toBe('profiles');
  expect(document.body.textContent).toContain('Not saved yet: Changed.');
  await press('Stay here');
  expect(input(screen, 'name').element.value).toBe('Changed');
  await router.push('/rules');
  await flushPromises();
  await press('Discard', document.querySelector('[role="dialog"]') ?? document);
  await vi.waitFor(() => expect(router.currentRoute.value.name).toBe('rules'));
});

test('a test shows its lines as they come; what comes after it was cancelled is not shown', async () => {
  let finish: () => void = () => undefined;
  const line = { stage: 'reach', outcome: 'ok', ms: 12, text: 'it answers' } as const;
  const { main, screen } = await show({
    'profile.test': () =>
      new Promise((resolve) => {
        finish = () => resolve({ outcome: 'ok', exitAddress: '198.51.100.4', lines: [line] });
      }),
    'profile.endTest': () => ({}),
  });
  await press('Test', screen.get('.pane').element);
  const [{ test: id } = { test: '' }] = asked(main, 'profile.test') as { test: string }[];
  main.tell('testLine', { test: id, server: 'a', line });
  main.tell('testLine', { test: 'of another window', line: { ...line, text: 'not mine' } });
  await flushPromises();
  expect(screen.text()).toContain('it answers');
  expect(screen.text()).not.toContain('not mine');
  finish();
  await flushPromises();
  expect(screen.text()).toContain('Exit address 198.51.100.4');
  expect(screen.get('[data-profile="work"]').text()).toContain('12 ms');
  await press('Test', screen.get('.pane').element);
  await press('Cancel', screen.get('.test').element);
  finish();
  await flushPromises();
  expect(screen.text()).toContain('Cancelled');
  expect(asked(main, 'profile.endTest')).toHaveLength(1);
});

test('changes are tested as they stand, unsaved', async () => {
  const { main, screen } = await show({ 'profile.test': () => ({ outcome: 'ok', lines: [] }) });
  await input(screen, 'name').setValue('Changed');
  await press('Test', screen.get('.pane').element);
  expect(asked(main, 'profile.test')).toMatchObject([
    { of: { kind: 'draft', profile: { name: 'Changed' } } },
  ]);
});

test('all are tested, a few at a time, and sorted by what was measured', async () => {
  const times: Record<string, number> = { work: 90, home: 20 };
  const { screen } = await show({
    'profile.test': ({ of }) => {
      const ms = times[of.kind === 'profile' ? of.profile : ''] ?? 0;
      return { outcome: 'ok', lines: [{ stage: 'web', outcome: 'ok', ms, text: '' }] };
    },
  });
  await press('Test all');
  expect(useProfileTests().waiting).toEqual([]);
  await screen.get('[aria-label="Sort by latency"]').trigger('click');
  const order = screen.findAll('[data-profile]').map((one) => one.attributes('data-profile'));
  expect(order).toEqual(['home', 'work', 'none', 'direct']);
});

test('what is pasted beside the fields is tried first, and imported only then', async () => {
  const lines = [
    { line: 1, status: 'taken', text: 'Work: socks5://a.example:1080' },
    { line: 2, status: 'invalid', text: 'nonsense', reason: 'port missing' },
  ] as const;
  const { main, screen } = await show({
    'profile.import': () => ({
      ...{ kind: 'links', rules: 0, passwords: 0 },
      profiles: [{ ...headOf(view().config.profiles[0] ?? never()) }],
      lines: [...lines],
    }),
  });
  const paste = async (target: Element): Promise<void> => {
    const event = new Event('paste', { bubbles: true, cancelable: true });
    const clipboardData = {
      types: ['text/plain'],
      files: [],
      getData: (type: string) => (type === 'text/plain' ? 'socks5://a' : ''),
    };
    target.dispatchEvent(Object.assign(event, { clipboardData }));
    await flushPromises();
  };
  await paste(input(screen, 'name').element);
  expect(asked(main, 'profile.import')).toEqual([]);
  await paste(screen.element);
  expect(document.body.textContent).toContain('port missing');
  await press('Import one profile');
  expect(asked(main, 'profile.import').map((params) => (params as { isTrial: boolean }).isTrial)).toEqual([
    true,
    false,
  ]);
  expect(document.body.textContent).toContain('Imported one profile');
});

test('a text that is none of the kinds comes back with the reason, to be corrected', async () => {
  const { main } = await show({
    'profile.import': () => {
      throw new CulvertError('import-invalid', { detail: '20000 lines' });
    },
  });
  await useProfileImport().read({ kind: 'text', text: 'what is this' });
  await flushPromises();
  expect(document.body.textContent).toContain('20000 lines');
  expect(document.querySelector('textarea')?.value).toBe('what is this');
  await useProfileImport().read({ kind: 'text', text: 'x'.repeat(900_001) });
  expect(asked(main, 'profile.import')).toHaveLength(1);
  expect(useProfileImport().step?.kind).toBe('asked');
});

test('a dropped list goes to the import, from the apps too', async () => {
  const { main } = await show({
    'app.target': ({ path }) => ({ kind: 'import', path }),
    'profile.import': () => ({ kind: 'links', profiles: [], rules: 0, passwords: 0, lines: [] }),
  });
  await useTaking().take('/home/me/list.conf', 'open');
  await flushPromises();
  expect(asked(main, 'profile.import')).toEqual([
    { from: { kind: 'file', path: '/home/me/list.conf' }, isTrial: true },
  ]);
  expect(document.body.textContent).toContain('Nothing in it can be imported');
});

test('a profile in use is deleted only once its user has seen by what', async () => {
  const uses = {
    isDefault: true,
    apps: ['firefox'],
    rules: [],
    failovers: ['home'],
    launchers: ['Firefox (Work)'],
  };
  const { main } = await show({ 'profile.uses': () => uses, 'profile.remove': () => ({}) });
  await useProfileDeeds().askToRemove('work', 'Work');
  await flushPromises();
  const words = document.querySelector('[role="dialog"]')?.textContent ?? '';
  for (const said of [
    'Apps: firefox',
    'Takes over for: Home',
    'Launchers: Firefox (Work)',
    'it is the default',
  ])
    expect(words).toContain(said);
  expect(asked(main, 'profile.remove')).toEqual([]);
  await press('Delete', document.querySelector('[role="dialog"] footer') ?? document);
  expect(asked(main, 'profile.remove')).toEqual([{ profile: 'work', force: true }]);
});

test('an export is told by its name, never by its text', async () => {
  const { main } = await show({
    'profile.export': () => ({ text: 'socks5://me:secret@a.example', leftOut: ['Nothing'] }),
  });
  useProfileDeeds().question = { kind: 'export', id: 'work', name: 'Work' };
  await flushPromises();
  document.querySelector<HTMLElement>('[role="dialog"] input[type="checkbox"]')?.click();
  await press('Copy', document.querySelector('[role="dialog"] footer') ?? document);
  expect(asked(main, 'profile.export')).toEqual([
    { profiles: ['work'], format: 'links', withPasswords: true },
  ]);
  expect(asked(main, 'text.copy')).toEqual([{ text: 'socks5://me:secret@a.example' }]);
  const told = useNotices().shown.map(({ text }) => text ?? '');
  expect(told.join(' ')).not.toContain('secret');
  expect(told.join(' ')).toContain('Nothing');
});

test('a new profile that is thrown away leaves nothing behind', async () => {
  const { screen } = await show();
  await press('New profile');
  expect(screen.findAll('[data-profile]')).toHaveLength(5);
  await press('Discard');
  expect(screen.findAll('[data-profile]')).toHaveLength(4);
  expect(useProfileDrafts().changed).toEqual([]);
});

function never(): never {
  throw new Error('there is no profile');
}
