// @vitest-environment happy-dom
/** The screen of running apps over a main that is made from the contract. */
import { flushPromises, mount } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ShownLane } from '../../electron/shared/contract.ts';
import { CulvertError } from '../../electron/shared/failure.ts';
import { i18n } from '../../renderer/i18n.ts';
import { makeRouter } from '../../renderer/router.ts';
import { patienceMs } from '../../renderer/stores/lane-actions.ts';
import { startStores } from '../../renderer/stores/start.ts';
import RunningView from '../../renderer/views/RunningView.vue';
import { FakeMain, lane, overviewOf } from './fake-main.ts';

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

test('an app that is gone leaves the screen to its empty state', async () => {
  const main = new FakeMain();
  const screen = await show(main, [lane()]);
  main.tell('overview', overviewOf());
  await flushPromises();
  expect(screen.text()).toContain('Nothing runs through Culvert yet');
});
