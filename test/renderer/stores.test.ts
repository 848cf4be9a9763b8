// @vitest-environment happy-dom
/** What the stores make of what main tells. */
import { createPinia, setActivePinia } from 'pinia';
import { beforeEach, expect, test } from 'vitest';
import { keptSamples, useTraffic } from '../../renderer/stores/traffic.ts';
import { FakeMain } from './fake-main.ts';

beforeEach(() => {
  new FakeMain();
  setActivePinia(createPinia());
});

test('rates are bytes a second between two events, and a minute of them is kept', () => {
  const traffic = useTraffic();
  for (let second = 0; second <= keptSamples + 5; second += 1) {
    const figures = { id: '7-1', bytesUp: second * 100, bytesDown: second * 3000, flowsOpen: 1 };
    traffic.add({ at: second * 2000, lanes: [figures] });
  }
  expect(traffic.samplesOf('7-1')).toHaveLength(keptSamples);
  expect(traffic.rates('7-1')).toEqual({ up: 50, down: 1500 });
  traffic.keepOnly([]);
  expect(traffic.rates()).toEqual({ up: 0, down: 0 });
});
