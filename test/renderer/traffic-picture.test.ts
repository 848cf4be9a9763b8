/** The pure part of the graph: lines and their places, rows of the table, text for spreadsheets. */
import { expect, test } from 'vitest';
import type { HistoryView } from '../../electron/shared/history-protocol.ts';
import { pictureOf, places, stacked, totalsIn } from '../../renderer/traffic-picture.ts';
import { csvOf, rowsOf } from '../../renderer/traffic-table.ts';

const noon = Date.UTC(2026, 5, 1, 12);
const minute = 60_000;
const work = { id: 'work', name: 'Work', colour: '#3a6ea5', letter: 'W' };
const words = { others: 'Others', typed: 'Typed', profileName: ({ name }: { name: string }) => name };
const series = (app: string, down: number[], profile: HistoryView['series'][number]['profile'] = work) => ({
  ...{ app, name: app, profile, down },
  up: down.map(() => 0),
});
const view = (all: HistoryView['series'], change: Partial<HistoryView> = {}): HistoryView => ({
  ...{ at: noon + 90_000, from: noon, step: 60, since: 0, marks: [], gaps: [], series: all },
  ...change,
});

test('more lines than places are the largest and the others, with every byte', () => {
  const all = Array.from({ length: 20 }, (_, index) => series(`app${index}`, [index, 1]));
  const picture = pictureOf(view(all), 'app', new Map(), words);
  expect(picture.lines.map(({ name }) => name)).toEqual([
    ...['app19', 'app18', 'app17', 'app16', 'app15', 'app14', 'app13'],
    'Others',
  ]);
  const totals = totalsIn(picture, picture);
  expect(totals.reduce((sum, { down }) => sum + down, 0)).toBe(190 + 20);
});

test('a line keeps its place while others come and go', () => {
  const kept = new Map<string, number>();
  pictureOf(view([series('a', [9, 0]), series('b', [5, 0])]), 'app', kept, words);
  const later = pictureOf(
    view([series('b', [5, 0]), series('c', [50, 0]), series('a', [1, 0])]),
    'app',
    kept,
    words,
  );
  expect(later.lines.map(({ name, place }) => [name, place])).toEqual([
    ['a', 0],
    ['b', 1],
    ['c', 2],
  ]);
  const without = pictureOf(view([series('b', [5, 0]), series('d', [1, 0])]), 'app', kept, words);
  expect(without.lines.map(({ name, place }) => [name, place])).toEqual([
    ['d', 0],
    ['b', 1],
  ]);
});

test('profiles are one line each, those that were typed by their name or without one', () => {
  const typed = (name: string) => ({ name, colour: '#000000', letter: 'S' });
  const picture = pictureOf(
    view([
      series('a', [1, 0]),
      series('b', [2, 0]),
      series('c', [10, 0], typed('socks5://x')),
      series('c', [20, 0], typed('')),
    ]),
    'profile',
    new Map(),
    words,
  );
  expect(picture.lines.map(({ name, down }) => [name, down[0]])).toEqual([
    ['Typed', 20],
    ['socks5://x', 10],
    ['Work', 3],
  ]);
});

test('the bucket that is being filled is measured by the time that it has had', () => {
  const picture = pictureOf(view([series('a', [600, 600])]), 'app', new Map(), words);
  expect(picture.seconds).toEqual([60, 30]);
  expect(stacked(picture, new Set())[1]).toEqual([10, 20, 20]);
});

test('lines lie on those behind them, down above zero and up below', () => {
  const both = (app: string, down: number, up: number) => ({ ...series(app, [down, 0]), up: [up, 0] });
  const picture = pictureOf(view([both('a', 600, 60), both('b', 60, 6)]), 'app', new Map(), words);
  const columns = stacked(picture, new Set());
  expect([columns[1]?.[0], columns[2]?.[0]]).toEqual([11, 1]);
  expect([columns[1 + places]?.[0], columns[2 + places]?.[0]]).toEqual([-1.1, -0.1]);
  expect(stacked(picture, new Set(['app b']))[1]?.[0]).toBe(10);
});

test('a day is a table of at most sixty rows with the bytes of all its minutes, and a night of sleep one row', () => {
  const down = Array.from({ length: 1440 }, (_, index) => (index < 600 ? 0 : 7));
  const from = noon - 1439 * minute;
  const gap = { from, to: from + 600 * minute };
  const picture = pictureOf(
    view([series('a', down)], { at: noon + minute, from, gaps: [gap] }),
    'app',
    new Map(),
    words,
  );
  const rows = rowsOf(picture, picture.lines, picture);
  expect(rows.length).toBeLessThanOrEqual(60);
  expect(rows.reduce((sum, row) => sum + row.down, 0)).toBe(840 * 7);
  expect(rows.filter(({ isUnknown }) => isUnknown)).toHaveLength(1);
  expect(rows.at(-1)).toMatchObject({ from, isUnknown: true });
});

test('the text for spreadsheets has names that are no formulas, and nothing where nothing is known', () => {
  const gap = { from: noon, to: noon + minute };
  const picture = pictureOf(view([series('=1+"a",b', [0, 5])], { gaps: [gap] }), 'app', new Map(), words);
  const text = csvOf(picture, picture.lines, picture, { from: 'from', to: 'to', down: 'down', up: 'up' });
  expect(text.split('\r\n').slice(0, 3)).toEqual([
    `from,to,down,up,"'=1+""a"",b down","'=1+""a"",b up"`,
    '2026-06-01T12:00:00.000Z,2026-06-01T12:01:00.000Z,,,,',
    '2026-06-01T12:01:00.000Z,2026-06-01T12:02:00.000Z,5,0,5,0',
  ]);
});
