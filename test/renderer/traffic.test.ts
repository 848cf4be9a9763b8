// @vitest-environment happy-dom
/** The screen of the past over a main that is made from the contract; the graph's own drawing is seen in test/app. */
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { nextTick } from 'vue';
import type { WindowHandlers, WindowValue } from '../../electron/shared/contract.ts';
import { CulvertError } from '../../electron/shared/failure.ts';
import { i18n } from '../../renderer/i18n.ts';
import { makeRouter } from '../../renderer/router.ts';
import HistorySetting from '../../renderer/components/settings/HistorySetting.vue';
import TrafficView from '../../renderer/views/TrafficView.vue';
import { FakeMain } from './fake-main.ts';

/** What was given to the graph, in order. */
const drawn = vi.hoisted(() => ({ data: [] as (number | null)[][][] }));
vi.mock('uplot', () => {
  class Plot {
    static readonly pxRatio = 1;
    static readonly paths = {};
    readonly over = document.createElement('div');
    readonly bbox = { height: 100 };
    constructor(_options: unknown, data: (number | null)[][]) {
      drawn.data.push(data);
    }
    setData(data: (number | null)[][]): void {
      drawn.data.push(data);
    }
    setSelect(): void {}
    setSize(): void {}
    setCursor(): void {}
    destroy(): void {}
    valToPos(value: number): number {
      return value;
    }
  }
  return { default: Plot };
});

const noon = Date.UTC(2026, 5, 1, 12);
const work = { id: 'work', name: 'Work', colour: '#3a6ea5', letter: 'W' };
const home = { id: 'home', name: 'Home', colour: '#a53a3a', letter: 'H' };

type View = WindowValue<'history.read'>;
/** Three seconds that are over, and one that is being filled. */
const view = (change: Partial<View> = {}): View => ({
  ...{ at: noon + 3500, from: noon, step: 1, since: noon - 60_000, gaps: [] },
  series: [
    { app: 'firefox', name: 'Firefox', profile: work, up: [100, 0, 300, 9], down: [1000, 0, 3000, 9] },
    { app: 'curl', name: 'curl', profile: home, up: [1, 0, 0, 0], down: [0, 20_000, 0, 0] },
  ],
  marks: [{ at: noon + 1500, kind: 'switch', app: 'curl', name: 'curl', profile: home }],
  ...change,
});

let screen: VueWrapper | undefined;
beforeEach(() => {
  vi.useFakeTimers({ now: noon });
  setActivePinia(createPinia());
  document.body.innerHTML = '<main id="content"></main>';
  drawn.data.length = 0;
});
afterEach(() => {
  screen?.unmount();
  screen = undefined;
  vi.useRealTimers();
  see(true);
});

function see(isVisible: boolean): void {
  Object.defineProperty(document, 'visibilityState', {
    value: isVisible ? 'visible' : 'hidden',
    configurable: true,
  });
  document.dispatchEvent(new Event('visibilitychange'));
}

const usual: Partial<WindowHandlers> = {
  'history.read': () => view(),
  'history.hosts': ({ from, to }) => ({
    ...{ from, to },
    hosts: [{ host: 'a.example', up: 1, down: 2, flows: 3 }],
  }),
  'history.state': () => ({ keep: 'off', hosts: false, bytes: 0 }),
};

async function show(handlers: Partial<WindowHandlers> = {}): Promise<[VueWrapper, FakeMain]> {
  const main = new FakeMain({ ...usual, ...handlers });
  screen = mount(TrafficView, { global: { plugins: [i18n, makeRouter()] }, attachTo: '#content' });
  await flushPromises();
  return [screen, main];
}
const asked = (main: FakeMain, name: string) => main.asked.filter((one) => one.name === name);
const figure = (of: VueWrapper, selector: string) => Number(of.get(selector).attributes('data-bytes'));
const press = (of: VueWrapper, key: string, shiftKey = false) =>
  of.get('[role="slider"]').trigger('keydown', { key, shiftKey });

test('shows who moved what, and that the picture is of full seconds only', async () => {
  const [of] = await show();
  expect([figure(of, '.total-down'), figure(of, '.total-up')]).toEqual([24_000, 401]);
  expect(of.get('[aria-label="Top apps"]').text()).toMatch(/curl.*20 kB.*Firefox.*4 kB/s);
  expect(of.get('[aria-label="Top hosts"]').text()).toContain('a.example');
  expect(of.get('[aria-label="What happened"]').text()).toContain('curl was switched to Home');
  const [times, ...columns] = drawn.data.at(-1) ?? [];
  expect(times).toEqual([0, 1, 2, 3].map((second) => noon / 1000 + second));
  // The largest line is on top of the other one, up is below zero.
  expect(columns[0]).toEqual([1000, 20_000, 3000, 3000]);
  expect(columns[1]).toEqual([1000, 0, 3000, 3000]);
  expect(columns[8]).toEqual([-101, -0, -300, -300]);
});

test('a part is selected with the keyboard, the lists follow, and Escape clears it', async () => {
  const [of, main] = await show();
  await press(of, 'Home');
  expect(of.get('[role="slider"]').attributes('aria-valuetext')).toMatch(/1 kB\/s down, 0\.1 kB\/s up\.$/);
  await press(of, 'ArrowRight', true);
  await flushPromises();
  expect(figure(of, '.total-down')).toBe(21_000);
  expect(asked(main, 'history.hosts').at(-1)?.params).toEqual({ from: noon, to: noon + 2000 });
  expect(of.get('[role="slider"]').attributes('aria-valuetext')).toContain('21 kB down');
  await press(of, 'ArrowLeft', true);
  expect(figure(of, '.total-down')).toBe(1000);
  await of
    .findAll('button')
    .find((button) => button.text() === 'End later')
    ?.trigger('click');
  expect(figure(of, '.total-down')).toBe(21_000);
  await press(of, 'Escape');
  expect(figure(of, '.total-down')).toBe(24_000);
  expect(of.get('[aria-label="What happened"]').text()).toContain('curl');
});

test('the table has the figures of the graph, and follows what is selected and hidden', async () => {
  const [of] = await show();
  await of
    .findAll('button')
    .find((button) => button.text() === 'Show as table')
    ?.trigger('click');
  const total = () =>
    of
      .findAll('.total td')
      .slice(0, 2)
      .map((cell) => Number(cell.attributes('data-bytes')));
  expect(total()).toEqual([24_000, 401]);
  expect(of.findAll('tbody tr')).toHaveLength(4);
  await press(of, 'Home', true);
  expect(of.findAll('tbody tr').length).toBe(4);
  await press(of, 'End');
  await press(of, 'End', true);
  expect(total()).toEqual([3000, 300]);
  await press(of, 'Escape');
  await of.get('[title="Show or hide curl"]').trigger('click');
  expect(total()).toEqual([4000, 400]);
  expect(drawn.data.at(-1)?.[1]).toEqual([null, null, null, null]);
  expect(of.get('[title="Show or hide curl"]').attributes('aria-pressed')).toBe('false');
});

test('by profile the lines are profiles, with their letters', async () => {
  const [of] = await show();
  await of
    .findAll('[role="radio"]')
    .find((radio) => radio.text() === 'By profile')
    ?.trigger('click');
  await flushPromises();
  expect(of.get('[aria-label="Top profiles"]').text()).toMatch(/^Top profilesH *Home.*W *Work/);
});

test('what is not known is no zero', async () => {
  const gap = { from: noon + 1000, to: noon + 2000 };
  const series = [{ app: 'a', name: 'a', profile: work, up: [1, 0, 1, 0], down: [5, 0, 5, 0] }];
  const [of] = await show({ 'history.read': () => view({ series, gaps: [gap] }) });
  expect(drawn.data.at(-1)?.[1]).toEqual([5, null, 5, 5]);
  await press(of, 'Home');
  await press(of, 'ArrowRight');
  expect(of.get('[role="slider"]').attributes('aria-valuetext')).toContain('not known');
  await of
    .findAll('button')
    .find((button) => button.text() === 'Show as table')
    ?.trigger('click');
  expect(of.get('tbody').text()).toContain('Not known');
});

test('a picture is asked for and drawn once a second, and neither while the window is hidden', async () => {
  const [, main] = await show();
  const count = () => [asked(main, 'history.read').length, drawn.data.length];
  const [reads = 0, draws = 0] = count();
  await vi.advanceTimersByTimeAsync(5000);
  expect(count()).toEqual([reads + 5, draws + 5]);
  see(false);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(count()).toEqual([reads + 5, draws + 5]);
  see(true);
  await flushPromises();
  await nextTick();
  expect(asked(main, 'history.read').length).toBe(reads + 6);
  expect(drawn.data.length).toBeGreaterThan(draws + 5);
});

test('another range is asked for in its own steps, and days only where they are kept', async () => {
  const [of, main] = await show();
  const radios = () => of.findAll('[role="radio"]').map((radio) => radio.text());
  expect(radios()).not.toContain('7 days');
  await of
    .findAll('[role="radio"]')
    .find((radio) => radio.text() === '24 h')
    ?.trigger('click');
  await flushPromises();
  expect(asked(main, 'history.read').at(-1)?.params).toEqual({ step: 60, seconds: 86_400 });
  of.unmount();
  screen = undefined;
  setActivePinia(createPinia());
  const [kept] = await show({ 'history.state': () => ({ keep: '7d', hosts: false, bytes: 1 }) });
  expect(kept.findAll('[role="radio"]').map((radio) => radio.text())).toContain('7 days');
});

test('saves the buckets of what is looked at, and says where', async () => {
  const [of, main] = await show({ 'file.save': () => '/home/me/traffic.csv' });
  await press(of, 'Home');
  await press(of, 'ArrowRight', true);
  await of
    .findAll('button')
    .find((button) => button.text() === 'Export CSV…')
    ?.trigger('click');
  await flushPromises();
  const { name, text } = asked(main, 'file.save')[0]?.params as { name: string; text: string };
  expect(name).toBe('culvert-traffic-2026-06-01.csv');
  expect(text.split('\r\n')).toEqual([
    'from,to,down (bytes),up (bytes),curl down (bytes),curl up (bytes),Firefox down (bytes),Firefox up (bytes)',
    '2026-06-01T12:00:00.000Z,2026-06-01T12:00:01.000Z,1000,101,0,1,1000,100',
    '2026-06-01T12:00:01.000Z,2026-06-01T12:00:02.000Z,20000,0,20000,0,0,0',
    '',
  ]);
});

test('says that there is nothing yet, that it is looking, and why it cannot show anything', async () => {
  const [of] = await show({ 'history.read': () => view({ series: [], marks: [] }) });
  expect(of.text()).toContain('Traffic appears here');
  of.unmount();
  screen = undefined;
  setActivePinia(createPinia());
  let isBroken = true;
  const [broken] = await show({
    'history.read': () => {
      if (isBroken) throw new CulvertError('engine-unreachable');
      return view();
    },
  });
  expect(broken.text()).toContain('The traffic cannot be shown');
  isBroken = false;
  await broken.get('button.button').trigger('click');
  await flushPromises();
  expect(figure(broken, '.total-down')).toBe(24_000);
});

test('what is kept on disk is chosen, and asked about before anything is removed', async () => {
  const main = new FakeMain({
    ...usual,
    'history.state': () => ({ keep: '7d', hosts: false, bytes: 5000 }),
    'history.keep': ({ keep = '7d', hosts = false }) => ({ keep, hosts, bytes: 0 }),
    'history.clear': () => ({}),
  });
  screen = mount(HistorySetting, { global: { plugins: [i18n, makeRouter()] }, attachTo: '#content' });
  await flushPromises();
  const choose = async (name: string): Promise<void> => {
    await screen
      ?.findAll('[role="radio"]')
      .find((radio) => radio.text() === name)
      ?.trigger('click');
    await flushPromises();
  };
  await choose('30 days');
  expect(asked(main, 'history.keep')[0]?.params).toEqual({ keep: '30d' });
  await screen.get('input').setValue(true);
  await flushPromises();
  expect(asked(main, 'history.keep')[1]?.params).toEqual({ hosts: true });
  screen.unmount();
  setActivePinia(createPinia());
  screen = mount(HistorySetting, { global: { plugins: [i18n, makeRouter()] }, attachTo: '#content' });
  await flushPromises();
  await choose('Off');
  expect(asked(main, 'history.keep')).toHaveLength(2);
  document.querySelector<HTMLElement>('[role="dialog"] .grave')?.click();
  await flushPromises();
  expect(asked(main, 'history.keep')[2]?.params).toEqual({ keep: 'off' });
});
