/** What is told on the desktop, and how often. */
import { beforeEach, expect, test } from 'vitest';
import { wordsIn } from '../../electron/main/locales/index.ts';
import { Notices, quietMs } from '../../electron/main/notices.ts';
import type { ShownLane } from '../../electron/shared/contract.ts';
import type { CheckReport } from '../../electron/shared/model.ts';
import { engine, laneWith, overviewWith, switched } from './shown.ts';

let notices: Notices;
beforeEach(() => {
  notices = new Notices();
});

const lost = (number: number): ShownLane => laneWith(number, { health: 'unreachable' });
const told = (lanes: readonly ShownLane[], nowMs: number) =>
  notices.update(overviewWith(lanes), nowMs, wordsIn.en);

test('a proxy that is lost and comes back is told once each, with the apps that it meets', () => {
  expect(told([laneWith(1), laneWith(2)], 0)).toEqual([]);
  expect(told([lost(1), lost(2)], 1)).toEqual([
    {
      kind: 'lost',
      title: 'Can’t reach the proxy “Work”',
      text: 'app 1, app 2: offline until the proxy answers. Nothing went out directly.',
    },
  ]);
  expect(told([lost(1), lost(2)], 2)).toEqual([]);
  expect(told([laneWith(1), laneWith(2)], 3)).toMatchObject([{ kind: 'restored' }]);
  expect(told([laneWith(1), laneWith(2)], 4)).toEqual([]);
});

test('a proxy that comes and goes is told once a minute, and its loss in the end', () => {
  const kinds = [];
  for (let at = 0; at < quietMs; at += 1000) {
    for (const { kind } of told([(at / 1000) % 2 === 0 ? lost(1) : laneWith(1)], at)) kinds.push(kind);
  }
  expect(kinds).toEqual(['lost', 'restored']);
  expect(told([lost(1)], quietMs)).toMatchObject([{ kind: 'lost' }]);
});

test('an app without a proxy, or of an engine that is silent, has none to lose', () => {
  const down = { health: 'unreachable' } as const;
  expect(told([switched(laneWith(1, down), 'direct'), switched(laneWith(2, down), 'none')], 0)).toEqual([]);
  const overview = overviewWith([lost(1)]);
  const engines = overview.engines.map((shown) => ({ ...shown, isAnswering: false }));
  expect(notices.update({ ...overview, engines }, 0, wordsIn.en)).toEqual([]);
});

test('a proxy whose apps have ended meanwhile is not told to be back', () => {
  told([lost(1)], 0);
  expect(told([], 1)).toEqual([]);
  expect(told([laneWith(2)], 2)).toEqual([]);
});

test('an app that opened outside is told, what else became of it is not', () => {
  const event = { at: 1, lane: `${engine}-1`, app: 'firefox', name: 'Firefox' };
  const escaped = { ...event, failure: { code: 'app-running-outside' as const } };
  expect(notices.escaped(escaped, 0, wordsIn.en)).toMatchObject({
    kind: 'escaped',
    title: 'Firefox opened outside of its isolated network',
  });
  expect(notices.escaped(escaped, 1, wordsIn.en)).toBeUndefined();
  expect(notices.escaped(escaped, quietMs, wordsIn.en)).toBeDefined();
  const failed = { ...event, app: 'other', failure: { code: 'app-failed' as const } };
  expect(notices.escaped(failed, 0, wordsIn.en)).toBeUndefined();
});

test('of all that a check can find only a leak is told', () => {
  const outcomes = ['ok', 'failed', 'unknown', 'leak'] as const;
  const kinds = outcomes.map((outcome) => {
    const report: CheckReport = { outcome, lines: [] };
    return notices.checked('1-1', 'Firefox', report, 0, wordsIn.en)?.kind;
  });
  expect(kinds).toEqual([undefined, undefined, undefined, 'leak']);
});
