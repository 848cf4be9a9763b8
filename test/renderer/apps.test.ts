// @vitest-environment happy-dom
/** The screen of apps and what is asked on the way to one, over a main that is made from the contract. */
import { flushPromises, mount } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import { defineComponent, h } from 'vue';
import { beforeEach, expect, test, vi } from 'vitest';
import type { AppView, InstanceView } from '../../electron/shared/app-protocol.ts';
import { iconAddress, iconAsked } from '../../electron/shared/contract.ts';
import { CulvertError } from '../../electron/shared/failure.ts';
import { arrange, columnsFor, stepTo } from '../../renderer/app-grid.ts';
import { droppedPaths } from '../../renderer/dropped.ts';
import LauncherList from '../../renderer/components/LauncherList.vue';
import OpeningQuestion from '../../renderer/components/OpeningQuestion.vue';
import { i18n } from '../../renderer/i18n.ts';
import { makeRouter } from '../../renderer/router.ts';
import { useApps } from '../../renderer/stores/apps.ts';
import { useKeptApps } from '../../renderer/stores/kept-apps.ts';
import { useNotices } from '../../renderer/stores/notices.ts';
import { useOpening } from '../../renderer/stores/opening.ts';
import { startStores } from '../../renderer/stores/start.ts';
import { useTaking } from '../../renderer/stores/taking.ts';
import AppsView from '../../renderer/views/AppsView.vue';
import { app, configOf, FakeMain, overviewOf } from './fake-main.ts';

const instance: InstanceView = {
  ...{ kind: 'firefox', pid: 77, startTicks: '5', place: 'outside', certainty: 'certain' },
  ways: ['close-and-reopen', 'separate-profile'],
};

beforeEach(() => {
  setActivePinia(createPinia());
  document.body.innerHTML = '<main id="content"></main>';
});

/** The window's own engine is there. */
async function start(main: FakeMain): Promise<void> {
  await startStores();
  const overview = overviewOf();
  main.tell('overview', { ...overview, engines: overview.engines.map((one) => ({ ...one, isOwn: true })) });
  await flushPromises();
}

/** The screen with what the window's frame shows above it. */
const Screen = defineComponent(() => () => [h(AppsView), h(OpeningQuestion), h(LauncherList)]);

async function show() {
  const screen = mount(Screen, { global: { plugins: [i18n, makeRouter()] }, attachTo: '#content' });
  await flushPromises();
  return screen;
}

const asked = (main: FakeMain, name: string) =>
  main.asked.filter((one) => one.name === name).map(({ params }) => params);

test('without an engine the screen says why, and offers to start it', async () => {
  const main = new FakeMain();
  await startStores();
  main.tell('overview', {
    ...overviewOf(),
    engines: [],
    own: { state: 'failed', failure: { code: 'engine-unreachable' } },
  });
  const screen = await show();
  expect(screen.text()).toContain('The engine is not running');
  await screen.get('.button.main').trigger('click');
  expect(asked(main, 'engine.start')).toHaveLength(1);
});

test('a computer without apps, a search without a match, and no profile yet each have their words', async () => {
  const main = new FakeMain({ 'config.read': () => configOf([]) });
  await start(main);
  const screen = await show();
  expect(screen.text()).toContain('No apps were found');
  expect(screen.text()).toContain('culvert profile add');
  await screen.get('input[type="search"]').setValue('zz');
  await flushPromises();
  expect(screen.text()).toContain('No app matches “zz”');
});

test('a failure to list the apps is shown, and trying again mends it', async () => {
  let isGood = false;
  const main = new FakeMain({
    'app.list': () => {
      if (!isGood) throw new CulvertError('internal');
      return [app('one')];
    },
  });
  await start(main);
  const screen = await show();
  expect(screen.text()).toContain('The apps could not be listed');
  isGood = true;
  await screen.get('.button.main').trigger('click');
  await flushPromises();
  expect(screen.text()).not.toContain('could not be listed');
});

test('of two searches only the later one counts, whichever is answered first', async () => {
  const answers = new Map<string, (found: AppView[]) => void>();
  const main = new FakeMain({
    'app.list': ({ search }) =>
      search === undefined ? [] : new Promise((resolve) => answers.set(search, resolve)),
  });
  await start(main);
  const apps = useApps();
  apps.find('a');
  apps.find('ab');
  answers.get('ab')?.([app('ab')]);
  await flushPromises();
  answers.get('a')?.([app('a')]);
  await flushPromises();
  expect(apps.shown.map(({ id }) => id)).toEqual(['ab']);
});

test('an app without a profile is opened only once one was chosen', async () => {
  const main = new FakeMain({ 'config.read': () => configOf([]) });
  await start(main);
  await useOpening().open(app('one'));
  expect(asked(main, 'app.open')).toEqual([]);
  await useOpening().again(app('one'), { app: 'one', profile: 'none' });
  expect(asked(main, 'app.open')).toEqual([{ app: 'one', profile: 'none' }]);
});

test('an instance outside is closed and the app opened again; one that stays is said to stay', async () => {
  let isClosed = false;
  const main = new FakeMain({
    'app.open': () => {
      if (!isClosed) throw new CulvertError('app-running-outside');
      return { lanes: ['7-1'] };
    },
    'app.instance': () => instance,
    'app.close': () => ({ isClosed }),
  });
  await start(main);
  const opening = useOpening();
  await opening.open(app('one'), { action: 'new' });
  await opening.closeAndReopen();
  expect(opening.question).toMatchObject({ kind: 'running', state: 'still-open' });
  isClosed = true;
  await opening.closeAndReopen();
  expect(opening.question).toBeUndefined();
  expect(asked(main, 'app.close')).toEqual(Array.from({ length: 2 }, () => ({ pid: 77, startTicks: '5' })));
  expect(asked(main, 'app.open')).toEqual([
    { app: 'one', action: 'new' },
    { app: 'one', action: 'new' },
  ]);
});

test('a cancelled question opens nothing, even when the instance has closed by then', async () => {
  let close: (value: { isClosed: boolean }) => void = () => undefined;
  const main = new FakeMain({
    'app.open': () => {
      throw new CulvertError('app-running-outside');
    },
    'app.instance': () => instance,
    'app.close': () =>
      new Promise((resolve) => {
        close = resolve;
      }),
  });
  await start(main);
  const opening = useOpening();
  await opening.open(app('one'));
  const closing = opening.closeAndReopen();
  opening.dismiss();
  await vi.waitFor(() => {
    expect(asked(main, 'app.close')).toHaveLength(1);
  });
  close({ isClosed: true });
  await closing;
  expect(asked(main, 'app.open')).toHaveLength(1);
});

test('an entry from elsewhere is neither opened nor added before it is trusted', async () => {
  const mark = 'a'.repeat(64);
  const main = new FakeMain({
    'app.target': () => ({
      kind: 'entry',
      app: app('/tmp/x.desktop'),
      needsTrust: true,
      command: ['x'],
      mark,
    }),
  });
  await start(main);
  await useTaking().take('/tmp/x.desktop', 'add');
  expect(useOpening().question).toMatchObject({ kind: 'trust' });
  expect(useKeptApps().isPinned('/tmp/x.desktop')).toBe(false);
  await useTaking().trust();
  expect(asked(main, 'app.trust')).toEqual([{ path: '/tmp/x.desktop', mark }]);
  expect(asked(main, 'preferences.set')).toEqual([{ pinnedApps: ['/tmp/x.desktop'] }]);
  expect(asked(main, 'app.open')).toEqual([]);
});

test('what became of an app after it was opened is told', async () => {
  const main = new FakeMain();
  await start(main);
  main.tell('notice', { at: 1, lane: '7-1', app: 'x', name: 'X', failure: { code: 'app-failed' } });
  expect(useNotices().shown.map(({ failure }) => failure?.code)).toEqual(['app-failed']);
});

test('pinned apps come first in their order, hidden ones not at all; a search keeps its own order', () => {
  const apps = ['a', 'b', 'c', 'd'].map((id) => app(id));
  const order = (change: object) =>
    arrange(apps, { pinned: ['d', 'b'], hidden: ['c'], showsHidden: false, isSearch: false, ...change })
      .map(({ id }) => id)
      .join('');
  expect(order({})).toBe('dba');
  expect(order({ showsHidden: true })).toBe('dbac');
  expect(order({ isSearch: true })).toBe('abd');
});

test('arrow keys stay within the grid', () => {
  const layout = { count: 7, columns: 3, rowsShown: 2 };
  expect(columnsFor(100)).toBe(1);
  expect(columnsFor(844)).toBe(3);
  expect([stepTo('ArrowDown', 1, layout), stepTo('ArrowDown', 5, layout)]).toEqual([4, 6]);
  expect([stepTo('ArrowUp', 1, layout), stepTo('End', 1, layout), stepTo('x', 1, layout)]).toEqual([
    0,
    6,
    undefined,
  ]);
});

test('an icon’s address leads back to its app, whatever that is called, and no other address does', () => {
  for (const id of ['firefox', '/opt/a b/ü?#%.desktop', '../index.html']) {
    const address = new URL(iconAddress(id, 44, 2), 'app://culvert/index.html');
    expect(iconAsked(address)).toEqual({ app: id, size: 44, scale: 2 });
  }
  for (const path of ['/icon/', '/icon/a?size=5000', '/icon/a?size=x', '/icon/%', '/index.html'])
    expect(iconAsked(new URL(path, 'app://culvert/'))).toBeUndefined();
});

test('dropped files are taken by their paths, else addresses of a list are, and comments are not', () => {
  const transfer = (files: File[], list: string) =>
    ({ files, getData: () => list }) as unknown as DataTransfer;
  const pathOf = (file: File) => file.name;
  expect(droppedPaths(transfer([new File([], '/a')], 'file:///b'), pathOf)).toEqual(['/a']);
  expect(droppedPaths(transfer([], '#c\r\nfile:///b\r\n'), pathOf)).toEqual(['file:///b']);
});

test('launchers are listed and removed, and one whose profile was deleted says so', async () => {
  let all = ['work', 'gone'].map((profile) => ({
    ...{ id: `x.${profile}`, file: `/x.${profile}`, name: `Surveyor (${profile})`, app: 'surveyor', profile },
  }));
  const main = new FakeMain({
    'launcher.list': () => all,
    'launcher.remove': ({ id }) => {
      all = all.filter((launcher) => launcher.id !== id);
      return {};
    },
  });
  await start(main);
  const screen = await show();
  const button = screen.findAll('button').find((one) => one.text() === 'Launchers…');
  await button?.trigger('click');
  await flushPromises();
  const dialog = () => document.querySelector('[role="dialog"]')?.textContent ?? '';
  expect(dialog()).toContain('Surveyor (work)');
  expect(dialog()).toContain('its profile “gone” was deleted');
  document.querySelector<HTMLElement>('[aria-label="Remove the launcher Surveyor (gone)"]')?.click();
  await flushPromises();
  expect(asked(main, 'launcher.remove')).toEqual([{ id: 'x.gone' }]);
  expect(dialog()).not.toContain('deleted');
  expect(useNotices().shown.at(-1)?.text).toContain('“Surveyor (gone)”');
  document.querySelector<HTMLElement>('[aria-label="Remove the launcher Surveyor (work)"]')?.click();
  await flushPromises();
  expect(dialog()).toContain('There are no launchers yet.');
});
