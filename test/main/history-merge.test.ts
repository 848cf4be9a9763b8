import { describe, expect, test } from 'vitest';
import type { HistoryPast, HistoryView } from '#shared/history-protocol.ts';
import { mergeHosts, mergeViews } from '../../electron/main/history-merge.ts';

const noon = Date.UTC(2026, 5, 1, 12);
const work = { id: 'work', name: 'Work', colour: '#3a6ea5', letter: 'W' };
const series = (app: string, down: number[], profile = work) => ({
  ...{ app, name: app, profile, down },
  up: down.map(() => 1),
});
const view = (change: Partial<HistoryView> = {}): HistoryView => ({
  ...{ at: noon + 3500, from: noon, step: 1, since: noon - 1000, marks: [], gaps: [] },
  series: [series('firefox', [1, 2, 3, 4])],
  ...change,
});
const mark = (at: number) => ({ at, kind: 'start', app: 'a', name: 'a', profile: work }) as const;

describe('several engines', () => {
  test('are one picture, by time, and what an app did with a profile is one line of it', () => {
    const later = view({
      ...{ at: noon + 4100, from: noon + 1000, since: noon, marks: [mark(noon + 1)] },
      series: [series('firefox', [10, 20, 30, 40]), series('curl', [0, 0, 0, 5])],
    });
    const merged = mergeViews({ step: 1, seconds: 4, now: 0 }, [view({ marks: [mark(noon + 2000)] }), later]);
    expect(merged).toMatchObject({ at: noon + 4100, from: noon + 1000, since: noon - 1000 });
    expect(merged.series.map(({ app, down, up }) => [app, down, up])).toEqual([
      ['firefox', [12, 23, 34, 40], [2, 2, 2, 1]],
      ['curl', [0, 0, 0, 5], [1, 1, 1, 1]],
    ]);
    expect(merged.marks.map(({ at }) => at)).toEqual([noon + 2000]);
  });

  test('are kept apart by the profile, also where it was only typed', () => {
    const typed = (name: string) => ({ name, colour: '#000000', letter: 'S' });
    const merged = mergeViews({ step: 1, seconds: 4, now: 0 }, [
      view({
        series: [series('a', [1], work), { ...series('a', [2]), profile: typed('x') }],
      }),
      view({ series: [{ ...series('a', [4]), profile: typed('y') }] }),
    ]);
    expect(merged.series.map(({ profile, down }) => [profile.name, down[0]])).toEqual([
      ['Work', 1],
      ['x', 2],
      ['y', 4],
    ]);
  });

  test('that are none make an empty picture of now', () => {
    expect(mergeViews({ step: 10, seconds: 60, now: noon }, [])).toEqual({
      ...{ at: noon, from: noon - 50_000, step: 10, since: noon },
      ...{ series: [], marks: [], gaps: [] },
    });
  });
});

test('minutes of memory and hours of files are added to hours, with every byte', () => {
  const minutes = view({
    ...{ step: 60, at: noon + 30_000, from: noon - 119 * 60_000 },
    series: [
      series(
        'firefox',
        Array.from({ length: 120 }, () => 2),
      ),
    ],
  });
  const past: HistoryPast = {
    ...{ step: 3600, from: noon - 3 * 3_600_000, since: noon - 9 * 3_600_000, marks: [], hosts: [] },
    series: [series('firefox', [100, 200, 300, 0])],
  };
  const merged = mergeViews({ step: 3600, seconds: 4 * 3600, now: 0 }, [minutes], past);
  expect(merged).toMatchObject({ from: noon - 3 * 3_600_000, since: noon - 9 * 3_600_000 });
  expect(merged.series[0]?.down).toEqual([100, 200 + 59 * 2, 300 + 60 * 2, 2]);
});

test('hosts of all engines and files are added up, and told for the widest of their times', () => {
  const host = (name: string, down: number) => ({ host: name, up: 0, down, flows: 1 });
  const merged = mergeHosts(
    [
      { from: 10, to: 20, hosts: [host('a', 1), host('b', 5)] },
      { from: 5, to: 15, hosts: [host('a', 2)] },
    ],
    [host('a', 3)],
  );
  expect(merged).toEqual({
    ...{ from: 5, to: 20 },
    hosts: [
      { host: 'a', up: 0, down: 6, flows: 3 },
      { host: 'b', up: 0, down: 5, flows: 1 },
    ],
  });
});
