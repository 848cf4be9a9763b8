import { expect, test } from 'vitest';
import { lanesAsJson, lanesAsText, rowOf } from '../../electron/cli/ps.ts';
import { enginePidOfLane } from '../../electron/cli/stop.ts';
import type { LaneView } from '../../electron/shared/model.ts';

const lane: LaneView = {
  id: '123-1',
  name: 'curl',
  app: 'curl',
  command: ['curl', 'https://host.example/'],
  profile: { id: 'work', name: 'Work', colour: '#5b6ee1', letter: 'W' },
  health: 'reachable',
  via: 'socks5://192.0.2.1:1080',
  state: 'running',
  mode: 'rootless',
  interception: 'tproxy',
  pid: 456,
  startedAt: 1_000_000,
  flowsOpen: 2,
  flowsTotal: 5,
  bytesUp: 2048,
  bytesDown: 5_242_880,
  notes: [],
};

test('a lane is one row with its figures', () => {
  expect(rowOf(lane, 1_065_000)).toEqual([
    ...['123-1', 'curl', 'running', 'socks5://192.0.2.1:1080', 'rootless'],
    ...['456', '1m 5s', '2', '2 KiB', '5 MiB'],
  ]);
});

test('a lane without its proxy says so instead of that it runs', () => {
  const trouble = { code: 'proxy-unreachable' } as const;
  const state = (more: Partial<LaneView>) => rowOf({ ...lane, ...more }, lane.startedAt)[2];
  expect(state({ health: 'unreachable', trouble })).toBe('proxy unreachable: blocked');
  expect(state({ health: 'unreachable', trouble, state: 'stopping' })).toBe('stopping');
  expect(state({ health: 'unknown' })).toBe('running');
});

test('a lane before its first process has no process id, and one without tproxy says what it carries', () => {
  const { pid, ...starting } = lane;
  expect(pid).toBeDefined();
  const row = rowOf({ ...starting, state: 'starting', interception: 'redirect' }, lane.startedAt);
  expect(row.slice(4, 6)).toEqual(['rootless, TCP only', '-']);
});

test('nothing running is a sentence on a terminal and nothing in a pipe', () => {
  expect(lanesAsText([], 0, true)).toMatch(/Nothing is running/);
  expect(lanesAsText([], 0, false)).toBe('');
});

test('JSON is one line with a version of its schema and the lanes as the engine shows them', () => {
  const text = lanesAsJson([lane]);
  expect(text).not.toContain('\n');
  expect(JSON.parse(text)).toEqual({ schema: 1, lanes: [lane] });
});

test.each([
  ['123-1', 123],
  ['4194304-12', 4_194_304],
  ['123', undefined],
  ['0-1', undefined],
  ['123-', undefined],
  ['1-1-1', undefined],
  ['', undefined],
])('the engine of the lane “%s” is %s', (id, pid) => {
  expect(enginePidOfLane(id)).toBe(pid);
});
