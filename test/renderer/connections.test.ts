// @vitest-environment happy-dom
/** The screen of connections over a main that is made from the contract. */
import { enableAutoUnmount, flushPromises, mount } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CulvertError } from '../../electron/shared/failure.ts';
import { makeBeat } from '../../renderer/beat.ts';
import { i18n } from '../../renderer/i18n.ts';
import { makeRouter } from '../../renderer/router.ts';
import { useFlowColumns } from '../../renderer/stores/flow-columns.ts';
import { useFlows } from '../../renderer/stores/flows.ts';
import { usePreferences } from '../../renderer/stores/preferences.ts';
import ConnectionsView from '../../renderer/views/ConnectionsView.vue';
import { FakeMain } from './fake-main.ts';
import { flow, told } from './flow-stage.ts';

enableAutoUnmount(afterEach);
beforeEach(() => {
  vi.useFakeTimers();
  setActivePinia(createPinia());
  document.body.innerHTML = '<main id="content"></main>';
});
afterEach(() => {
  vi.useRealTimers();
});

const asked = (main: FakeMain, name: string) =>
  main.asked.filter((one) => one.name === name).map(({ params }) => params);

async function show(main: FakeMain) {
  const screen = mount(ConnectionsView, {
    global: { plugins: [i18n, makeRouter()] },
    attachTo: '#content',
  });
  await flushPromises();
  main.tell(
    'flows',
    told([flow(1), flow(2), flow(3, { state: 'refused', closedAt: 4000 })], { isWhole: true }),
  );
  await vi.advanceTimersByTimeAsync(1000);
  return screen;
}

test('what is told is drawn once a second, however often it is told, and ages go on without it', async () => {
  const times: number[] = [];
  const beat = makeBeat(() => times.push(performance.now()), { leastMs: 900, mostMs: 1400 });
  const from = performance.now();
  beat.soon();
  expect(times).toEqual([]);
  beat.now();
  for (let ms = 0; ms < 3000; ms += 100) {
    beat.soon();
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(times.map((at) => at - from)).toEqual([0, 900, 1800, 2700]);
  await vi.advanceTimersByTimeAsync(2500);
  expect(times.map((at) => at - from).slice(4)).toEqual([3600, 5000]);
  beat.stop();
  beat.soon();
  await vi.advanceTimersByTimeAsync(5000);
  expect(times).toHaveLength(6);
});

test('tabs count, and a lost view says why and is tried again', async () => {
  let isGood = false;
  const main = new FakeMain({
    'flows.watch': () => {
      if (!isGood) throw new CulvertError('engine-unreachable');
      return {};
    },
  });
  const screen = await show(main);
  expect(screen.findAll('[role="radio"]').map((tab) => tab.text())).toEqual([
    'Active 2',
    'Closed 1',
    'All 3',
  ]);
  expect(screen.text()).toContain('The live view could not be opened');
  isGood = true;
  await screen.get('.button.main').trigger('click');
  await flushPromises();
  expect(screen.text()).not.toContain('could not be opened');
});

test('all that there is is drawn as soon as its last piece has come', async () => {
  const main = new FakeMain();
  const screen = mount(ConnectionsView, { global: { plugins: [i18n, makeRouter()] }, attachTo: '#content' });
  await flushPromises();
  const active = () => screen.findAll('[role="radio"]')[0]?.text();
  main.tell('flows', told([flow(1)], { isWhole: true, hasMore: true }));
  await flushPromises();
  expect(active()).toBe('Active 0');
  main.tell('flows', told([flow(2)], { isWhole: true }));
  await flushPromises();
  expect(active()).toBe('Active 2');
});

test('a paused picture stands still and counts what waits; going on shows it', async () => {
  const main = new FakeMain();
  await show(main);
  const flows = useFlows();
  flows.pause(true);
  main.tell('flows', told([flow(4)], { at: 2000, since: 1000 }));
  main.tell('flows', told([flow(1, { state: 'closed', closedAt: 3000 })], { at: 3000, since: 2000 }));
  await vi.advanceTimersByTimeAsync(3000);
  expect([flows.waiting, [...flows.rows()].map(({ flow: { id, state } }) => `${id} ${state}`)]).toEqual([
    2,
    ['1 open', '2 open', '3 refused'],
  ]);
  flows.pause(false);
  expect([...flows.rows()].map(({ flow: { id, state } }) => `${id} ${state}`)).toEqual([
    '2 open',
    '4 open',
    '3 refused',
    '1 closed',
  ]);
});

test('a hidden window hears nothing and draws nothing; shown again it asks anew', async () => {
  const main = new FakeMain();
  await show(main);
  const flows = useFlows();
  const visibility = vi.spyOn(document, 'visibilityState', 'get');
  visibility.mockReturnValue('hidden');
  document.dispatchEvent(new Event('visibilitychange'));
  const before = flows.drawn;
  main.tell('flows', told([flow(9)], { at: 2000 }));
  await vi.advanceTimersByTimeAsync(10_000);
  expect([flows.drawn === before, asked(main, 'flows.unwatch').length]).toEqual([true, 1]);
  visibility.mockReturnValue('visible');
  document.dispatchEvent(new Event('visibilitychange'));
  await flushPromises();
  expect(asked(main, 'flows.watch')).toHaveLength(2);
  visibility.mockRestore();
});

test('the columns are kept a moment after the last change, and as main has them from then on', async () => {
  const main = new FakeMain();
  usePreferences();
  const columns = useFlowColumns();
  for (const width of [110, 120, 130]) columns.resize('app', width);
  columns.sort('down');
  columns.group('app');
  await vi.advanceTimersByTimeAsync(1000);
  const [kept, ...more] = asked(main, 'preferences.set') as { connections: typeof columns.table }[];
  expect(more).toEqual([]);
  expect(kept?.connections).toMatchObject({
    sort: { column: 'down', isDescending: true },
    group: 'app',
  });
  expect(usePreferences().now.connections).toEqual(kept?.connections);
  expect(columns.shown.find(({ name }) => name === 'app')?.width).toBe(130);
});
