import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FlowView } from '#shared/model.ts';
import { FlowFeed, maxFlows } from '../../electron/engine/flow-feed.ts';

const flow = (id: number, more: Partial<FlowView> = {}): FlowView => ({
  id,
  lane: '1-1',
  proto: 'tcp',
  sourcePort: 40_000 + id,
  address: '198.51.100.1',
  port: 443,
  via: 'direct',
  state: 'open',
  bytesUp: 0,
  bytesDown: 0,
  openedAt: 0,
  ...more,
});

let flows: FlowView[];
let looks: number;
let feed: FlowFeed;

beforeEach(() => {
  vi.useFakeTimers();
  flows = [flow(1), flow(2)];
  looks = 0;
  feed = new FlowFeed({
    look: () => {
      looks += 1;
      return Promise.resolve(flows);
    },
    now: () => 0,
  });
});
afterEach(() => {
  vi.useRealTimers();
});

test('tells all flows at first, and then those that have changed, once a second', async () => {
  const heard: number[][] = [];
  feed.watch(({ changed, counted }) => {
    heard.push([...changed.map(({ id }) => id), ...counted]);
  });
  await vi.advanceTimersByTimeAsync(0);
  expect(heard).toEqual([[1, 2]]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(heard).toHaveLength(1);
  flows = [flow(1, { bytesDown: 5 }), flow(2), flow(3)];
  await vi.advanceTimersByTimeAsync(1000);
  flows = [flow(1, { bytesDown: 5, state: 'closed', closedAt: 1 }), flow(2), flow(3)];
  await vi.advanceTimersByTimeAsync(1000);
  expect(heard).toEqual([[1, 2], [3, 1, 0, 5], [1]]);
});

test('says when was looked before, so that figures can be rates, though nothing was told then', async () => {
  let now = 0;
  const later = new FlowFeed({ look: () => Promise.resolve([...flows]), now: () => now });
  const heard: [number, number | undefined][] = [];
  later.watch(({ at, since }) => heard.push([at, since]));
  for (now = 1000; now <= 5000; now += 1000) {
    if (now === 5000) flows = [flow(1, { bytesUp: 7 }), flow(2)];
    await vi.advanceTimersByTimeAsync(1000);
  }
  later.close();
  expect(heard).toEqual([
    [1000, undefined],
    [5000, 4000],
  ]);
});

test('whoever comes later is told all, and others not again', async () => {
  const [one, two]: number[][] = [[], []];
  feed.watch(({ changed }) => one?.push(changed.length));
  await vi.advanceTimersByTimeAsync(0);
  feed.watch(({ changed }) => two?.push(changed.length));
  await vi.advanceTimersByTimeAsync(0);
  expect([one, two]).toEqual([[2], [2]]);
});

test('thousands are told in pieces of one look, the figures with the last', async () => {
  const heard: { ids: number[]; at: number; counted: number; hasMore: boolean }[] = [];
  const many = Array.from({ length: 2 * maxFlows + 1 }, (_, index) => flow(index));
  flows = many.slice(0, 1);
  feed.watch(({ changed, counted, at, hasMore = false }) => {
    heard.push({ ids: changed.map(({ id }) => id), at, counted: counted.length, hasMore });
  });
  await vi.waitUntil(() => heard.length === 1);
  flows = many.map((one) => (one.id === 0 ? { ...one, bytesUp: 1 } : one));
  await vi.advanceTimersByTimeAsync(1000);
  await vi.waitUntil(() => heard.at(-1)?.counted === 3);
  expect(heard.map(({ ids, hasMore }) => [ids.length, hasMore])).toEqual([
    [1, false],
    [maxFlows, true],
    [maxFlows, false],
  ]);
  expect(heard.slice(1).flatMap(({ ids }) => ids)).toEqual(many.slice(1).map(({ id }) => id));
});

test('who goes in the middle of the pieces hears no more of them', async () => {
  flows = Array.from({ length: 3 * maxFlows }, (_, index) => flow(index));
  let pieces = 0;
  const stop = feed.watch(() => {
    pieces += 1;
    stop();
  });
  await vi.advanceTimersByTimeAsync(5000);
  expect([pieces, vi.getTimerCount()]).toEqual([1, 0]);
});

test('nobody looks when nobody watches', async () => {
  const stop = feed.watch(() => undefined);
  await vi.advanceTimersByTimeAsync(2000);
  stop();
  const before = looks;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(looks).toBe(before);
  expect(vi.getTimerCount()).toBe(0);
});
