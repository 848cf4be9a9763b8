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

test('a window that is seen again has missed nothing: what is told of the past is told once', () => {
  const traffic = useTraffic();
  const at = (second: number) => ({
    at: second * 1000,
    lanes: [{ id: '7-1', bytesUp: 0, bytesDown: second * second * 10, flowsOpen: 1 }],
  });
  const seconds = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, index) => at(from + index));
  for (const event of seconds(0, 3)) traffic.add(event);
  traffic.addAll(seconds(0, 10));
  traffic.add(at(11));
  traffic.addAll(seconds(5, 11));
  expect(traffic.samplesOf('7-1').map(({ down }) => down)).toEqual([
    10, 30, 50, 70, 90, 110, 130, 150, 170, 190, 210,
  ]);
  expect(traffic.latest({ id: '7-1', bytesUp: 0, bytesDown: 0, flowsOpen: 0 }).bytesDown).toBe(1210);
  // An hour of nothing, and then a whole minute.
  traffic.addAll(seconds(3700, 3760));
  expect(traffic.samplesOf('7-1')).toHaveLength(keptSamples);
  expect(traffic.samplesOf('7-1')[0]?.at).toBe(3_701_000);
});
