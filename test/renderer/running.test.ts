// @vitest-environment happy-dom
/** The screen of running apps over a main that is made from the contract. */
import { flushPromises, mount, type DOMWrapper } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import * as v from 'valibot';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { preferences, type ShownLane, type WindowHandlers } from '../../electron/shared/contract.ts';
import { CulvertError } from '../../electron/shared/failure.ts';
import { i18n } from '../../renderer/i18n.ts';
import { makeRouter } from '../../renderer/router.ts';
import { patienceMs } from '../../renderer/stores/lane-actions.ts';
import { useNotices } from '../../renderer/stores/notices.ts';
import { startStores } from '../../renderer/stores/start.ts';
import RunningView from '../../renderer/views/RunningView.vue';
import { configOf, FakeMain, lane, overviewOf, work } from './fake-main.ts';

beforeEach(() => {
  vi.useFakeTimers();
  setActivePinia(createPinia());
  document.body.innerHTML = '<main id="content"></main>';
});
afterEach(() => {
  vi.useRealTimers();
  document.body.innerHTML = '';
});

async function show(main: FakeMain, lanes: readonly ShownLane[]) {
  await startStores();
  const screen = mount(RunningView, {
    global: { plugins: [i18n, makeRouter()] },
    attachTo: '#content',
  });
  await flushPromises();
  main.tell('overview', overviewOf(lanes));
  await flushPromises();
  return screen;
}

test.each([
  [{ state: 'starting' }, 'Starting'],
  [{}, 'Protected'],
  [{ health: 'unknown' }, 'Protected'],
  [{ health: 'unreachable' }, 'Proxy unreachable: blocked'],
  [{ via: 'direct' }, 'Isolated, not proxied'],
  [{ via: 'blocked' }, 'No network'],
  [{ state: 'stopping' }, 'Stopping'],
  [{ state: 'failed' }, 'Did not start'],
] as [Partial<ShownLane>, string][])('a lane that is %o is called “%s”', async (change, words) => {
  const screen = await show(new FakeMain(), [lane(change)]);
  expect(screen.find('.badge').text()).toBe(words);
});

test('the picture of the last minute follows what is told', async () => {
  const main = new FakeMain();
  const screen = await show(main, [lane()]);
  const said = () => screen.get('canvas').attributes('aria-label');
  for (const second of [1, 2, 3]) {
    const figures = { id: '7-1', bytesUp: 0, bytesDown: second ** 4 * 1_000_000, flowsOpen: 1 };
    main.tell('traffic', { at: second * 1000, lanes: [figures] });
    await flushPromises();
    const highest = ['0 kB/s', '15 MB/s', '65 MB/s'][second - 1];
    expect(said()).toBe(`Last minute: highest ${highest} down, 0 kB/s up`);
  }
});

test('a lane whose engine does not answer is never called protected', async () => {
  const main = new FakeMain();
  const screen = await show(main, [lane()]);
  const overview = overviewOf([lane()]);
  main.tell('overview', {
    ...overview,
    engines: overview.engines.map((one) => ({ ...one, isAnswering: false })),
  });
  await flushPromises();
  expect(screen.find('.badge').text()).toBe('Not answering');
});

test('a proxy that is gone is explained: what, why, what to do, and that nothing went out', async () => {
  const trouble = { code: 'proxy-unreachable', detail: '203.0.113.7:1080' } as const;
  const text = (await show(new FakeMain(), [lane({ health: 'unreachable', trouble })])).text();
  expect(text).toContain("Can't reach the proxy.");
  expect(text).toContain('203.0.113.7:1080');
  expect(text).toContain('Nothing went out directly.');
});

test('a stop is asked for once, and force is offered after ten seconds', async () => {
  const main = new FakeMain();
  const screen = await show(main, [lane()]);
  await screen.get('[aria-label="Stop firefox"]').trigger('click');
  await screen.get('[aria-label="Stop firefox"]').trigger('click');
  await vi.advanceTimersByTimeAsync(patienceMs);
  await screen.get('[aria-label="Force firefox to stop"]').trigger('click');
  const stops = main.asked.filter(({ name }) => name === 'lane.stop').map(({ params }) => params);
  expect(stops).toEqual([{ lane: '7-1' }, { lane: '7-1', force: true }]);
});

test('a check shows each line that it found, and a check that could not be made says why', async () => {
  let isGood = true;
  const main = new FakeMain({
    'lane.check': () => {
      if (!isGood) throw new CulvertError('probe-unreachable');
      return {
        outcome: 'leak',
        exitAddress: '198.51.100.4',
        lines: [{ stage: 'ipv6', outcome: 'leak', text: 'IPv6 went out.', ms: 12 }],
      };
    },
  });
  const screen = await show(main, [lane()]);
  await screen.get('[aria-label="Check firefox"]').trigger('click');
  await flushPromises();
  expect(screen.text()).toContain('A leak was found');
  expect(screen.text()).toContain('198.51.100.4');
  expect(screen.text()).toContain('IPv6 went out.');
  isGood = false;
  await screen.get('[aria-label="Check firefox"]').trigger('click');
  await flushPromises();
  expect(screen.text()).toContain('The check could not be made.');
});

const withProfiles = (handlers: Partial<WindowHandlers> = {}) => {
  const overview = overviewOf();
  const main = new FakeMain({
    'config.read': () => configOf([work, { ...work, id: 'tor', name: 'Tor', letter: 'T' }]),
    'window.start': () => ({
      version: '0.1.0',
      preferences: v.parse(preferences, {}),
      systemLanguages: ['en'],
      overview: { ...overview, engines: overview.engines.map((one) => ({ ...one, isOwn: true })) },
    }),
    ...handlers,
  });
  return main;
};
const asked = (main: FakeMain, wanted: string) =>
  main.asked.filter(({ name }) => name === wanted).map(({ params }) => params);
const items = () => [...document.querySelectorAll<HTMLElement>('[role^="menuitem"]')];
const item = (text: string) => items().find(({ textContent }) => textContent.includes(text));

async function openMenu(button: Pick<DOMWrapper<Element>, 'trigger'>) {
  await button.trigger('keydown', { key: 'Enter' });
  await flushPromises();
  await vi.advanceTimersByTimeAsync(50);
}

test('a running app is given another profile, and how many connections that closed is said', async () => {
  const main = withProfiles({ 'lane.switch': () => ({ closed: 2 }) });
  const screen = await show(main, [lane()]);
  await openMenu(screen.get('[aria-label="firefox uses Work. Choose another profile"]'));
  expect(items().map(({ textContent }) => textContent.trim())).toEqual([
    'WWork',
    'TTor',
    'NNo network',
    'DDirect (isolated)',
    'Keep open connections',
    'Copy “switch” command',
  ]);
  expect(item('Work')?.getAttribute('aria-checked')).toBe('true');
  item('Tor')?.click();
  await flushPromises();
  expect(asked(main, 'lane.switch')).toEqual([{ lane: '7-1', profile: 'tor' }]);
  expect(useNotices().shown.at(-1)?.text).toBe('firefox now uses Tor. 2 open connections were closed.');
});

test('open connections can be kept, and the profile that it has is not given again', async () => {
  const main = withProfiles();
  const screen = await show(main, [lane()]);
  const button = screen.get('[aria-label="firefox uses Work. Choose another profile"]');
  await openMenu(button);
  item('Keep open')?.click();
  await flushPromises();
  item('Work')?.click();
  await flushPromises();
  await openMenu(button);
  item('Tor')?.click();
  await flushPromises();
  expect(asked(main, 'lane.switch')).toEqual([{ lane: '7-1', profile: 'tor', keep: true }]);
});

test('a switch that fails says why, and an app that is not running offers none', async () => {
  const main = withProfiles({
    'lane.switch': () => {
      throw new CulvertError('profile-unknown', { detail: 'tor' });
    },
  });
  const screen = await show(main, [lane(), lane({ id: '7-2', state: 'stopping' })]);
  expect(screen.findAll('[aria-label^="firefox uses"]')).toHaveLength(1);
  await openMenu(screen.get('[aria-label^="firefox uses"]'));
  item('Tor')?.click();
  await flushPromises();
  expect(useNotices().shown.at(-1)?.failure?.code).toBe('profile-unknown');
});

test('an app whose profile wants to be asked about a lost proxy asks once, and never offers a way past proxies', async () => {
  const main = withProfiles();
  const lost = lane({
    health: 'unreachable',
    trouble: { code: 'proxy-unreachable' },
    asks: true,
  });
  const screen = await show(main, [lost]);
  expect(screen.text()).toContain('“Work” doesn’t answer.');
  const other = screen.findAll('button').find((button) => button.text() === 'Use another proxy');
  if (other === undefined) throw new Error('no button');
  await openMenu(other);
  expect(items().map(({ textContent }) => textContent.trim())).toEqual([
    'TTor',
    'Keep open connections',
    'Copy “switch” command',
  ]);
  item('Tor')?.click();
  await flushPromises();
  expect(asked(main, 'lane.switch')).toEqual([{ lane: '7-1', profile: 'tor' }]);
  await screen
    .findAll('button')
    .find((button) => button.text() === 'Stay offline')
    ?.trigger('click');
  expect(screen.text()).not.toContain('“Work” doesn’t answer.');
  // Lost again after it had answered: that is another question.
  main.tell('overview', overviewOf([lane()]));
  main.tell('overview', overviewOf([lost]));
  await flushPromises();
  expect(screen.text()).toContain('“Work” doesn’t answer.');
});

test('what an app wrote is shown without the colours of a terminal, and an app of a terminal says where it writes', async () => {
  let text = 'one\n\u001b[31mred\u001b[0m two\r\n10 %\r20 %\n';
  const main = new FakeMain({ 'lane.log': () => ({ text }) });
  const screen = await show(main, [lane()]);
  await screen.get('[aria-label="Details of firefox"]').trigger('click');
  await flushPromises();
  expect(screen.findAll('[role="log"] p').map((line) => line.text())).toEqual(['one', 'red two', '20 %']);
  text = '';
  await vi.advanceTimersByTimeAsync(2000);
  await flushPromises();
  expect(screen.text()).toContain('It writes to the terminal');
});

test('the details of the app that somebody was led to are open', async () => {
  const main = new FakeMain();
  await startStores();
  const router = makeRouter();
  await router.push({ name: 'running', query: { app: 'firefox' } });
  const screen = mount(RunningView, { global: { plugins: [i18n, router] }, attachTo: '#content' });
  main.tell('overview', overviewOf([lane({ id: '7-1', app: 'other', name: 'other' }), lane({ id: '7-2' })]));
  await flushPromises();
  expect(screen.get('[aria-label="Details of firefox"]').attributes('aria-expanded')).toBe('true');
  expect(screen.get('[aria-label="Details of other"]').attributes('aria-expanded')).toBe('false');
});

test('an app that is gone leaves the screen to its empty state', async () => {
  const main = new FakeMain();
  const screen = await show(main, [lane()]);
  main.tell('overview', overviewOf());
  await flushPromises();
  expect(screen.text()).toContain('Nothing runs through Culvert yet');
});
