import { expect, test } from 'vitest';
import { TrafficFeed } from '../../electron/engine/traffic-feed.ts';

const event = (at: number) => ({ at, lanes: [] });

test('who looks is told each second, and at first the minute before', () => {
  const feed = new TrafficFeed();
  for (let at = 1; at <= 100; at += 1) feed.add(event(at));
  const heard: number[] = [];
  const { past, stop } = feed.watch(({ at }) => heard.push(at));
  // A minute of rates lies between 61 of them.
  expect([past.length, past[0]?.at, past.at(-1)?.at]).toEqual([61, 40, 100]);
  feed.add(event(101));
  stop();
  feed.add(event(102));
  expect(heard).toEqual([101]);
});

test('of lanes that are gone nothing is told any more', () => {
  const feed = new TrafficFeed();
  feed.add(event(1));
  feed.forget();
  expect(feed.watch(() => undefined).past).toEqual([]);
});
