import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ProfileHead } from '#shared/model.ts';
import { ConfigStore } from '../../../electron/engine/config/store.ts';
import { HistoryFiles } from '../../../electron/engine/history/files.ts';
import { History } from '../../../electron/engine/history/history.ts';
import { HistoryKeeper } from '../../../electron/engine/history/keeper.ts';

const noon = Date.UTC(2026, 5, 1, 12);
const minute = 60_000;
const day = 24 * 60 * minute;
const work = { id: 'work', name: 'Work', colour: '#3a6ea5', letter: 'W' };
const typed = { name: 'socks5://proxy.example:1080', colour: '#3a6ea5', letter: 'S' };
const flow = { id: 1, lane: 'one', state: 'open', host: 'secret.example', address: '198.51.100.1' } as const;

let home: string;
let dir: string;
let now: number;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'history-'));
  dir = join(home, 'history');
  now = noon;
});
afterEach(() => {
  rmSync(home, { recursive: true });
});

interface Engine {
  readonly history: History;
  readonly keeper: HistoryKeeper;
  /** An app moves bytes; then a second passes. */
  readonly moves: (up: number, down: number) => void;
}

interface Given {
  readonly profile?: ProfileHead;
  readonly files?: HistoryFiles;
}

function start({ profile = work, files = new HistoryFiles(dir) }: Given = {}): Engine {
  const history = new History({ now: () => now, uptime: () => now });
  const keeper = new HistoryKeeper(history, () => now, { store: ConfigStore.open(home), files });
  history.lane({
    id: 'one',
    app: 'firefox',
    name: 'Firefox',
    profile,
    state: 'running',
    health: 'reachable',
  });
  history.settle();
  const moves = (up: number, down: number): void => {
    history.flow(flow);
    history.moved(flow, up, down);
    now += 1000;
    history.settle();
    keeper.ticked();
  };
  return { history, keeper, moves };
}
const wholeDay = { from: noon - day, to: noon + day, step: 60 as const, without: [] };
const written = () =>
  readdirSync(dir)
    .map((name) => readFileSync(join(dir, name), 'utf8'))
    .join('\n');

test('nothing is written unless the user wants it', () => {
  const { keeper, moves } = start();
  moves(1, 2);
  now += minute;
  keeper.ticked();
  keeper.finish();
  expect(readdirSync(home)).toEqual([]);
  expect(keeper.state()).toEqual({ keep: 'off', hosts: false, bytes: 0 });
});

test('what was kept outlives its engine, to the last byte, for its owner only and without hosts', async () => {
  const first = start();
  await first.keeper.keep({ keep: '7d' });
  first.moves(1, 10);
  now += minute;
  first.moves(2, 20);
  first.history.laneGone('one');
  first.keeper.finish();
  expect(written()).not.toContain('secret.example');
  for (const name of readdirSync(dir)) expect(statSync(join(dir, name)).mode & 0o777).toBe(0o600);
  expect(statSync(dir).mode & 0o777).toBe(0o700);
  const { keeper } = start();
  const past = await keeper.past({ ...wholeDay, hostsOf: '' });
  expect(past.series).toHaveLength(1);
  expect(past.series[0]).toMatchObject({ app: 'firefox', profile: work });
  const index = past.series[0]?.down.indexOf(10) ?? -1;
  expect(past.from + index * minute).toBe(noon);
  expect(past.series[0]?.down.slice(index, index + 2)).toEqual([10, 20]);
  expect(past.series[0]?.up.reduce((sum, value) => sum + value, 0)).toBe(3);
  expect(past.marks.map(({ kind }) => kind)).toEqual(['start', 'stop']);
  expect(past.hosts).toEqual([]);
  const hours = await keeper.past({ ...wholeDay, step: 3600 });
  expect(hours.series[0]?.down.filter((value) => value > 0)).toEqual([30]);
});

test('an engine that is asked itself is left out from then on', async () => {
  const { keeper, moves } = start();
  await keeper.keep({ keep: '1d' });
  moves(1, 10);
  now += minute;
  moves(2, 20);
  keeper.finish();
  const without = (since: number) =>
    keeper.past({ ...wholeDay, without: [{ engine: process.pid, since }] }).then(({ series }) => series);
  expect(await without(noon)).toEqual([]);
  expect((await without(noon + minute))[0]?.down.filter((value) => value > 0)).toEqual([10]);
});

test('hosts are kept only by those who chose that, and go when they choose otherwise', async () => {
  const { keeper, moves } = start({ profile: typed });
  await keeper.keep({ keep: '1d' });
  moves(1, 10);
  now += minute;
  keeper.ticked();
  expect(written()).not.toMatch(/proxy\.example|secret\.example/);
  await keeper.keep({ hosts: true });
  moves(1, 10);
  now += minute;
  keeper.ticked();
  expect((await keeper.past({ ...wholeDay, hostsOf: 'firefox' })).hosts).toMatchObject([
    { host: 'secret.example', up: 1, down: 10 },
  ]);
  expect((await keeper.past({ ...wholeDay, hostsOf: 'other' })).hosts).toEqual([]);
  await keeper.keep({ hosts: false });
  expect(readdirSync(dir).filter((name) => name.endsWith('.hosts'))).toEqual([]);
});

test('files go with their days, with “off”, and when the history is cleared', async () => {
  const { keeper, moves } = start();
  await keeper.keep({ keep: '7d' });
  mkdirSync(dir);
  for (const name of ['2026-05-24.traffic', '2026-05-26.traffic', 'not-ours'])
    writeFileSync(join(dir, name), '');
  moves(1, 1);
  now += minute;
  keeper.ticked();
  expect(readdirSync(dir).toSorted()).toEqual(['2026-05-26.traffic', '2026-06-01.traffic', 'not-ours']);
  await keeper.keep({ keep: 'off' });
  expect(readdirSync(dir)).toEqual(['not-ours']);
  await keeper.keep({ keep: '30d' });
  moves(1, 1);
  now += minute;
  keeper.ticked();
  keeper.clear();
  expect(readdirSync(dir)).toEqual(['not-ours']);
});

test('a full disk and a folder of somebody else’s are a problem that is told, and nothing else', async () => {
  const full = start({ files: new HistoryFiles(dir, 40) });
  await full.keeper.keep({ keep: '1d' });
  full.moves(1, 1);
  now += minute;
  full.moves(1, 1);
  expect(full.keeper.state().problem).toMatchObject({ code: 'history-unwritable' });
  rmSync(dir, { recursive: true });
  writeFileSync(dir, '');
  const { keeper, moves } = start();
  moves(1, 1);
  now += minute;
  keeper.ticked();
  expect(keeper.state().problem?.code).toMatch(/^history-/);
  await expect(keeper.past(wholeDay)).rejects.toMatchObject({ failure: { code: 'history-unreadable' } });
  rmSync(dir);
  moves(1, 1);
  now += minute;
  keeper.ticked();
  expect(keeper.state().problem).toBeUndefined();
});

test('lines that make no sense spoil nothing but themselves', async () => {
  const { keeper, moves } = start();
  await keeper.keep({ keep: '1d' });
  mkdirSync(dir);
  writeFileSync(join(dir, '2026-06-01.traffic'), 'no line\n{"engine":1,"at":"x"}\n{"engine":1,"at":17803');
  chmodSync(join(dir, '2026-06-01.traffic'), 0o600);
  moves(1, 10);
  now += minute;
  keeper.ticked();
  expect((await keeper.past(wholeDay)).series[0]?.down.filter((value) => value > 0)).toEqual([10]);
});

test('a broken configuration changes nothing of what is kept', async () => {
  const { keeper, moves } = start();
  await keeper.keep({ keep: '1d' });
  writeFileSync(join(home, 'culvert.json'), '{');
  moves(1, 10);
  now += minute;
  keeper.ticked();
  expect(keeper.state().keep).toBe('1d');
  expect((await keeper.past(wholeDay)).series).toHaveLength(1);
});
