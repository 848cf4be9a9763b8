import { beforeEach, expect, test } from 'vitest';
import { FlowTable, type Flow } from '../../electron/engine/flows.ts';

let now = 1000;
let changes: string[];
let table: FlowTable;

beforeEach(() => {
  now = 1000;
  changes = [];
  table = new FlowTable(
    () => now,
    (flow) => changes.push(flow.state),
  );
});

function begin(lane = 'one'): Flow {
  return table.begin({
    lane,
    proto: 'tcp',
    sourcePort: 4000,
    address: '198.51.100.1',
    port: 80,
    via: 'direct',
  });
}

test('a flow is dialled, opened, counted and closed, and each change is told', () => {
  const flow = begin();
  now = 1040;
  table.opened(flow);
  table.count(flow, 10, 20);
  now = 2000;
  table.end(flow);
  expect(changes).toEqual(['dialling', 'open', 'closed']);
  expect(table.views()).toMatchObject([
    { state: 'closed', dialMs: 40, bytesUp: 10, bytesDown: 20, closedAt: 2000 },
  ]);
  expect(table.totals('one')).toEqual({ open: 0, total: 1, bytesUp: 10, bytesDown: 20 });
});

test('a flow that could not be opened is refused, with its reason', () => {
  const flow = begin();
  table.end(flow, { code: 'proxy-unreachable' });
  expect(table.views()).toMatchObject([{ state: 'refused', failure: { code: 'proxy-unreachable' } }]);
});

test('a flow says whose it is as its lane was when it began, also when the lane is another one or gone', () => {
  const profile = { id: 'work', name: 'Work', colour: '#3a6ea5', letter: 'W' };
  table.introduce('one', { app: 'firefox', name: 'Firefox', profile });
  begin();
  table.introduce('one', { app: 'firefox', name: 'Firefox', profile: { ...profile, id: 'home' } });
  begin();
  table.forget('one');
  begin();
  expect(table.views().map((flow) => [flow.name, flow.profile?.id])).toEqual([
    ['Firefox', 'work'],
    ['Firefox', 'home'],
    [undefined, undefined],
  ]);
});

test('a flow that the user closed is closed and not refused, whether it was open or not', () => {
  table.close(begin());
  expect(table.views()).toMatchObject([{ state: 'closed' }]);
});

test('an end is told once', () => {
  const flow = begin();
  table.end(flow);
  table.end(flow);
  expect(table.totals('one').open).toBe(0);
  expect(changes).toEqual(['dialling', 'refused']);
});

test('lanes are counted apart, and a lane that is forgotten begins anew', () => {
  begin('one');
  const other = begin('two');
  table.count(other, 5, 6);
  expect([table.totals('one').bytesUp, table.totals('two').bytesUp]).toEqual([0, 5]);
  expect(table.openFlows('two')).toEqual([other]);
  table.end(other);
  table.forget('two');
  expect(table.totals('two').total).toBe(0);
});

test('only the newest closed flows are kept', () => {
  for (let index = 0; index < 5000; index += 1) table.end(begin());
  const kept = table.views();
  expect(kept.length).toBeLessThanOrEqual(2000);
  expect(kept.at(-1)?.id).toBe(5000);
});

test('a rule has a hit for each flow that it decides, at once or later, and the time of the last', () => {
  const about = { lane: 'one', proto: 'tcp', sourcePort: 4000, address: '198.51.100.1', port: 80 } as const;
  table.begin({ ...about, via: 'direct', rule: 'r1' });
  now = 1500;
  table.end(table.begin({ ...about, via: 'blocked', rule: 'r1' }), { code: 'blocked-by-rule' });
  table.decidedBy(begin(), 'r2');
  begin();
  expect(table.ruleHits.views()).toEqual({ r1: { hits: 2, lastAt: 1500 }, r2: { hits: 1, lastAt: 1500 } });
});
