import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { FlowView, LaneView } from '#shared/model.ts';
import { History } from '../../../electron/engine/history/history.ts';
import { maxSeries } from '../../../electron/engine/history/series.ts';
import { FlowTable, type Flow } from '../../../electron/engine/flows.ts';

/** Noon of a day, at the beginning of a minute. */
const noon = Date.UTC(2026, 5, 1, 12);
const work = { id: 'work', name: 'Work', colour: '#3a6ea5', letter: 'W' };
const home = { id: 'home', name: 'Home', colour: '#a53a3a', letter: 'H' };

let now: number;
let uptime: number;
let history: History;
let table: FlowTable;

beforeEach(() => {
  now = noon;
  uptime = 5_000_000;
  history = new History({ now: () => now, uptime: () => uptime });
  table = new FlowTable(
    () => now,
    (flow) => {
      history.flow(flow);
    },
    (flow, up, down) => {
      history.moved(flow, up, down);
    },
  );
});

type LaneOf = Pick<LaneView, 'id' | 'app' | 'name' | 'profile' | 'state' | 'health'>;
const lane = (id: string, change: Partial<LaneOf> = {}): LaneOf => ({
  ...{ id, app: 'firefox', name: 'Firefox', profile: work, state: 'running', health: 'reachable' },
  ...change,
});
const begin = (of = 'one', more: Partial<Pick<FlowView, 'host'>> = {}): Flow =>
  table.begin({
    lane: of,
    proto: 'tcp',
    sourcePort: 1,
    address: '198.51.100.1',
    port: 80,
    via: 'x',
    ...more,
  });
const pass = (ms: number): void => {
  now += ms;
  uptime += ms;
};
/** A second passes, at whose beginning the engine counts. */
const tick = (ms = 1000): void => {
  pass(ms);
  history.settle();
};
const sumOf = (step: 1 | 10 | 60) => {
  const bytes = { up: 0, down: 0 };
  for (const { up, down } of history.read(step, step * 100_000).series) {
    bytes.up += up.reduce((sum, value) => sum + value, 0);
    bytes.down += down.reduce((sum, value) => sum + value, 0);
  }
  return bytes;
};

describe('bytes', () => {
  test('are in the second in which they were moved, at each step', () => {
    history.lane(lane('one'));
    history.settle();
    const flow = begin();
    tick();
    table.count(flow, 100, 2000);
    tick();
    table.count(flow, 100, 5000);
    tick();
    const { from, series, at } = history.read(1, 4);
    expect([from, at]).toEqual([noon, noon + 3000]);
    expect(series).toEqual([
      { app: 'firefox', name: 'Firefox', profile: work, up: [0, 100, 0, 0], down: [0, 2000, 3000, 0] },
    ]);
    expect(history.read(60, 60).series[0]?.down).toEqual([5000]);
  });

  test('of lanes that end between two ticks are not lost', () => {
    history.lane(lane('one'));
    history.settle();
    tick();
    const [first, second] = [begin(), begin()];
    table.count(first, 7, 70);
    table.end(first);
    history.laneGone('one');
    // Its last flow is told to have ended after that.
    pass(10);
    table.count(second, 1, 2);
    table.end(second);
    tick(990);
    for (const step of [1, 10, 60] as const) expect(sumOf(step)).toEqual({ up: 8, down: 72 });
    expect(history.read(1, 10).marks.map(({ kind }) => kind)).toEqual(['start', 'stop']);
  });

  test('of every flow are in the sum, whatever the clock and the lanes do', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ move: fc.tuple(fc.nat(5), fc.nat(1e9), fc.nat(1e9)) }),
        fc.record({ pass: fc.constantFrom(1, 300, 1000, 1003, 4000, 9999, 20_000, 3_600_000) }),
        fc.record({ set: fc.constantFrom(-7_200_000, -45_000, -20_000, -3, 3, 20_000, 45_000, 7_200_000) }),
        fc.record({ lane: fc.nat(60) }),
        fc.record({ end: fc.nat(5) }),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        [now, uptime] = [noon, 5_000_000];
        history = new History({ now: () => now, uptime: () => uptime });
        const flows: Flow[] = [];
        const [sum, lanes] = [{ up: 0, down: 0 }, ['one']];
        history.lane(lane('one'));
        history.settle();
        let passed = 0;
        for (const step of all) {
          if ('pass' in step) {
            // The rings of seconds and of ten seconds forget earlier.
            if ((passed += step.pass) < 6 * 3_600_000) tick(step.pass);
          } else if ('set' in step) now += step.set;
          else if ('lane' in step) {
            history.lane(lane(`l${step.lane}`, { app: `app${step.lane}` }));
            lanes.push(`l${step.lane}`);
          } else if ('end' in step) {
            const flow = flows[step.end];
            if (flow !== undefined) table.end(flow);
          } else {
            const [of, up, down] = step.move;
            const flow = (flows[of] ??= begin(lanes.at(-1)));
            table.count(flow, flow.bytesUp + up, flow.bytesDown + down);
            sum.up += up;
            sum.down += down;
          }
        }
        history.settle();
        // By less than half a minute the past may be ahead of a clock that was set back.
        tick(30_000);
        expect(sumOf(60)).toEqual(sum);
      }),
      { numRuns: 300 },
    );
  });

  test('of a late tick are spread over the seconds that it was late by, and none is lost', () => {
    history.lane(lane('one'));
    history.settle();
    const flow = begin();
    table.count(flow, 0, 10);
    tick(4000);
    expect(history.read(1, 5).series[0]?.down).toEqual([2, 3, 2, 3, 0]);
    expect(history.read(1, 5).gaps).toEqual([]);
  });

  test('of before a sleep are with the awakening, and the sleep is a gap', () => {
    history.lane(lane('one'));
    history.settle();
    const flow = begin();
    tick();
    table.count(flow, 0, 10);
    tick(600_000);
    const { series, gaps } = history.read(10, 900);
    expect(gaps).toEqual([{ from: noon + 1000, to: noon + 601_000 }]);
    expect(series[0]?.down.at(-1)).toBe(10);
    expect(sumOf(10).down).toBe(10);
  });

  test('do not make a gap of a time without lanes', () => {
    history.lane(lane('one'));
    history.settle();
    tick();
    history.laneGone('one');
    tick();
    tick(3_600_000);
    expect(history.read(60, 7200).gaps).toEqual([]);
  });

  test.each([7_200_000, -7_200_000])('stay so long ago as they are when the clock is set by %i ms', (set) => {
    history.lane(lane('one'));
    history.settle();
    const flow = begin('one', { host: 'a.example' });
    table.count(flow, 0, 10);
    for (let second = 0; second < 60; second += 1) tick();
    now += set;
    tick();
    const { from, at, series, marks, gaps } = history.read(10, 120);
    expect(at).toBe(noon + 61_000 + set);
    const index = series[0]?.down.indexOf(10) ?? -1;
    expect(from + index * 10_000).toBe(noon + set);
    expect(marks.map((mark) => mark.at)).toEqual([noon + set]);
    expect(gaps).toEqual([]);
    expect(history.hosts(at - 120_000, at).hosts).toMatchObject([{ host: 'a.example', down: 10 }]);
  });
});

describe('series', () => {
  test('are apart by app and by profile, and a switch begins another one for later flows', () => {
    history.lane(lane('one'));
    history.settle();
    const before = begin();
    history.lane(lane('one', { profile: home }));
    const after = begin();
    table.count(before, 1, 0);
    table.count(after, 2, 0);
    tick();
    const { series, marks } = history.read(60, 60);
    expect(series.map(({ profile, up }) => [profile.id, up[0]])).toEqual([
      ['work', 1],
      ['home', 2],
    ]);
    expect(marks.map(({ kind, profile }) => [kind, profile.id])).toEqual([
      ['start', 'work'],
      ['switch', 'home'],
    ]);
  });

  test('that are too many are added to the others, with every byte', () => {
    for (let number = 0; number < maxSeries + 10; number += 1) {
      history.lane(lane(`l${number}`, { app: `app${number}` }));
      table.count(begin(`l${number}`), 1, 2);
      tick();
    }
    const { series } = history.read(60, 3600);
    expect(series).toHaveLength(maxSeries + 1);
    expect(series.at(-1)).toMatchObject({ app: '', name: '' });
    expect(series.at(-1)?.up.reduce((sum, value) => sum + value, 0)).toBe(10);
    expect(sumOf(60)).toEqual({ up: maxSeries + 10, down: 2 * (maxSeries + 10) });
  });

  test('that were silent for a day go', () => {
    history.lane(lane('one'));
    table.count(begin(), 1, 2);
    tick();
    tick(23 * 3_600_000);
    expect(history.read(60, 86_400).series).toHaveLength(1);
    tick(2 * 3_600_000);
    expect(history.read(60, 86_400).series).toHaveLength(0);
    expect(history.read(60, 86_400).marks).toEqual([]);
  });
});

describe('marks', () => {
  test('are made once for each thing that happens', () => {
    history.lane(lane('one', { state: 'starting', health: 'unknown' }));
    history.lane(lane('one', { health: 'unknown' }));
    history.lane(lane('one'));
    history.lane(lane('one', { health: 'unreachable' }));
    history.lane(lane('one', { health: 'unreachable' }));
    history.lane(lane('one'));
    history.lane(lane('one', { state: 'stopping' }));
    history.laneGone('one');
    expect(history.read(60, 60).marks.map(({ kind }) => kind)).toEqual([
      'start',
      'proxy-lost',
      'proxy-back',
      'stop',
    ]);
  });

  test('are not made of an app that never ran', () => {
    history.lane(lane('one', { state: 'starting' }));
    history.lane(lane('one', { state: 'failed' }));
    history.laneGone('one');
    expect(history.read(60, 60).marks).toEqual([]);
  });
});

describe('hosts', () => {
  test('are those with the most bytes in a time, of all apps or of one', () => {
    history.lane(lane('one'));
    history.lane(lane('two', { app: 'curl' }));
    history.settle();
    const [a, b, c] = [
      begin('one', { host: 'a.example' }),
      begin('two', { host: 'b.example' }),
      begin('two'),
    ];
    for (const flow of [a, b, c]) table.opened(flow);
    table.count(a, 1, 10);
    table.count(b, 2, 20);
    table.count(c, 3, 0);
    tick();
    expect(history.hosts(noon, now)).toEqual({
      ...{ from: noon, to: noon + 10_000 },
      hosts: [
        { host: 'b.example', up: 2, down: 20, flows: 1 },
        { host: 'a.example', up: 1, down: 10, flows: 1 },
        { host: '198.51.100.1', up: 3, down: 0, flows: 1 },
      ],
    });
    expect(history.hosts(noon, now, 'firefox').hosts.map(({ host }) => host)).toEqual(['a.example']);
    expect(history.hosts(noon - 60_000, noon).hosts).toEqual([]);
  });

  test('that are too many for a minute are added together, and their bytes with them', () => {
    history.lane(lane('one'));
    history.settle();
    for (let number = 0; number < 100; number += 1) {
      const flow = begin('one', { host: `h${number}.example` });
      table.count(flow, 0, 1000 + number);
      table.end(flow);
    }
    tick();
    for (let second = 0; second < 1000; second += 1) tick();
    table.end(begin('one', { host: 'last.example' }));
    tick();
    const { hosts } = history.hosts(noon, now);
    expect(hosts.length).toBeLessThanOrEqual(34);
    expect(hosts[0]?.host).toBe('');
    expect(hosts[1]?.host).toBe('h99.example');
    expect(hosts.reduce((sum, { down }) => sum + down, 0)).toBe(100 * 1000 + (99 * 100) / 2);
    expect(hosts.reduce((sum, { flows }) => sum + flows, 0)).toBe(101);
  });
});

test('a history that was cleared knows of nothing before', () => {
  history.lane(lane('one'));
  history.settle();
  const flow = begin();
  table.count(flow, 1, 2);
  tick();
  history.clear();
  expect(history.read(60, 3600)).toMatchObject({ since: now, series: [], marks: [] });
  table.count(flow, 2, 4);
  tick();
  expect(sumOf(60)).toEqual({ up: 1, down: 2 });
});

test('an answer is no longer than a line may be, however busy the day was', () => {
  for (let number = 0; number < maxSeries + 3; number += 1)
    history.lane(lane(`l${number}`, { app: `org.example.Application${number}` }));
  history.settle();
  const flows = Array.from({ length: maxSeries + 3 }, (_, number) => begin(`l${number}`));
  for (let minute = 0; minute < 1440; minute += 1) {
    for (const flow of flows)
      table.count(flow, flow.bytesUp + 12_345_678_901, flow.bytesDown + 98_765_432_101);
    history.settle();
    pass(60_000);
  }
  history.settle();
  expect(JSON.stringify(history.read(60, 86_400)).length).toBeLessThan(1024 * 1024);
});
