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
