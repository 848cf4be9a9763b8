// @vitest-environment happy-dom
/** What the stores make of what main tells. */
import { createPinia, setActivePinia } from 'pinia';
import { beforeEach, expect, test } from 'vitest';
import type { FlowView } from '../../electron/shared/model.ts';
import { selectFlows } from '../../renderer/flow-table.ts';
import { useFlows } from '../../renderer/stores/flows.ts';
import { keptSamples, useTraffic } from '../../renderer/stores/traffic.ts';
import { FakeMain } from './fake-main.ts';

let main: FakeMain;

beforeEach(() => {
  main = new FakeMain();
  setActivePinia(createPinia());
});

const flow = (id: number, change: Partial<FlowView> = {}): FlowView => ({
  id,
  lane: '7-1',
  proto: 'tcp',
  sourcePort: 40_000 + id,
  address: '198.51.100.80',
  port: 443,
  via: 'socks5://203.0.113.7:1080',
  state: 'open',
  bytesUp: 0,
  bytesDown: 0,
  openedAt: id,
  ...change,
});
const tell = (changed: FlowView[], isWhole = false) =>
  main.tell('flows', { of: 7, at: 1, isWhole, changed, counted: [] });

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

test('connections are followed while they are watched, stand still when paused, and then catch up', async () => {
  const flows = useFlows();
  await flows.watch();
  tell([flow(1), flow(2)], true);
  flows.pause(true);
  tell([flow(1, { state: 'closed' }), flow(3)]);
  expect([...flows.all.values()].map(({ id, state }) => [id, state])).toEqual([
    [1, 'open'],
    [2, 'open'],
  ]);
  flows.pause(false);
  expect([...flows.all.values()].map(({ id, state }) => [id, state])).toEqual([
    [1, 'closed'],
    [2, 'open'],
    [3, 'open'],
  ]);
  await flows.unwatch();
  tell([flow(4)]);
  expect(flows.all.size).toBe(3);
});

test('what an engine tells as all that it has replaces what was known of it, and nothing of other engines', async () => {
  const flows = useFlows();
  await flows.watch();
  tell([flow(1), flow(2)], true);
  main.tell('flows', { of: 8, at: 1, isWhole: true, changed: [flow(1, { lane: '8-1' })], counted: [] });
  tell([flow(3)], true);
  expect([...flows.all.keys()].toSorted()).toEqual(['7/3', '8/1']);
});

test('connections of a lane that is gone are over', async () => {
  const flows = useFlows();
  await flows.watch();
  tell([flow(1)], true);
  flows.keepOnly([]);
  expect(flows.all.get('7/1')?.state).toBe('closed');
});

test('a connection is found by every word that is typed, wherever it is', () => {
  const all = [flow(1, { host: 'www.example.test', process: 'curl' }), flow(2, { port: 80 })];
  const find = (text: string) =>
    selectFlows(all, { isClosed: false, find: text }, () => 'Firefox').map(({ id }) => id);
  expect(find('')).toEqual([2, 1]);
  expect(find('EXAMPLE curl')).toEqual([1]);
  expect(find('firefox 80')).toEqual([2, 1]);
  expect(find('firefox nothing')).toEqual([]);
});

test('10,000 connections that all change cost less than 30 ms', async () => {
  const flows = useFlows();
  await flows.watch();
  const many = (bytesUp: number) => Array.from({ length: 10_000 }, (_, id) => flow(id, { bytesUp }));
  tell(many(0), true);
  const event = { of: 7, at: 2, isWhole: false, changed: many(1), counted: [] };
  const took = [1, 2, 3].map(() => {
    const startedAt = performance.now();
    flows.take([event]);
    return performance.now() - startedAt;
  });
  expect(Math.min(...took)).toBeLessThan(30);
});
