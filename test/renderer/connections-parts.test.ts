/** What the screen of connections is made of: the ledger, the list, the selection, the columns, the query's field. */
import { describe, expect, test } from 'vitest';
import { usualTable } from '../../electron/shared/connection-columns.ts';
import { inEnglish } from '../../electron/shared/phrase.ts';
import { parseQuery } from '../../electron/shared/query.ts';
import { columnsOf, moved, resized, shownOrNot, sortedBy } from '../../renderer/flow-columns.ts';
import { FlowLedger, isOfThose, keptClosed, rateOf, type FlowRow } from '../../renderer/flow-ledger.ts';
import { frozenRows, groupedItems, isWanted } from '../../renderer/flow-list.ts';
import { FlowOrder } from '../../renderer/flow-order.ts';
import { clicked, kept, nothing, stepped } from '../../renderer/flow-selection.ts';
import { timelineOf } from '../../renderer/flow-timeline.ts';
import { addressOf, queryOfRows, ruleMatchOf } from '../../renderer/flow-words.ts';
import { completionsOf } from '../../renderer/query-completion.ts';
import { useQueryDraft } from '../../renderer/query-draft.ts';
import { work } from './fake-main.ts';
import { flow, rowsOf, told } from './flow-stage.ts';

const ids = (rows: readonly FlowRow[]) => rows.map((row) => row.flow.id);

describe('the ledger', () => {
  test('follows what is told, and works out rates by the time between two looks', () => {
    const ledger = new FlowLedger();
    ledger.take(told([flow(1), flow(2)], { isWhole: true }));
    ledger.take(told([flow(3)], { at: 3000, since: 1000, counted: Float64Array.of(1, 100, 4000, 99, 1, 1) }));
    const row = ledger.find('7/1');
    expect(row?.flow).toMatchObject({ bytesUp: 100, bytesDown: 4000, host: 'h1.example.test' });
    expect(row && [rateOf(row, 'upRate', 3100), rateOf(row, 'downRate', 3100)]).toEqual([50, 2000]);
    expect(ids([...ledger.rows()])).toEqual([1, 2, 3]);
    // Nothing was said of it: it stands still.
    ledger.take(told([flow(2, { bytesUp: 5 })], { at: 4000, since: 3000 }));
    expect(row && rateOf(row, 'downRate', 4100)).toBe(0);
    const other = ledger.find('7/2');
    expect(other && [rateOf(other, 'upRate', 4100), rateOf(other, 'upRate', 9000)]).toEqual([5, 0]);
  });

  test('what an engine tells as all that it has ends what it does not name, and nothing of other engines', () => {
    const ledger = new FlowLedger();
    ledger.take(told([flow(1), flow(2)], { isWhole: true }));
    ledger.take(told([flow(1, { lane: '8-1' })], { of: 8, isWhole: true }));
    ledger.take(told([flow(2)], { at: 5000, isWhole: true }));
    expect([...ledger.rows()].map(({ key, flow: { state } }) => [key, state])).toEqual([
      ['7/2', 'open'],
      ['8/1', 'open'],
      ['7/1', 'closed'],
    ]);
    expect(ledger.find('7/1')?.flow.closedAt).toBe(5000);
  });

  test('takes all that an engine has in pieces, and ends what none of them names', () => {
    const ledger = new FlowLedger();
    const states = () => [...ledger.rows()].map(({ flow: { id, state } }) => `${id} ${state}`);
    ledger.take(told([flow(1), flow(2), flow(3)], { isWhole: true }));
    ledger.take(told([flow(1)], { at: 5000, isWhole: true, hasMore: true }));
    // Begun anew in the middle: what the first pieces named is named again.
    ledger.take(told([flow(2)], { at: 6000, isWhole: true, hasMore: true }));
    expect(states()).toEqual(['1 open', '2 open', '3 open']);
    ledger.take(told([flow(3), flow(4)], { at: 6000, isWhole: true }));
    expect(states()).toEqual(['2 open', '3 open', '4 open', '1 closed']);
  });

  test('ends what was open on lanes that are gone, and says whether there was any', () => {
    const ledger = new FlowLedger();
    ledger.take(told([flow(1), flow(2, { lane: '7-2' })], { isWhole: true }));
    expect(ledger.keepOnly(['7-1'], 9000)).toBe(true);
    expect(ledger.keepOnly(['7-1'], 9500)).toBe(false);
    expect([...ledger.rows()].map((row) => row.flow.closedAt)).toEqual([undefined, 9000]);
  });

  test('what was taken for over is open again when its engine says so', () => {
    const ledger = new FlowLedger();
    const states = (which: 'active' | 'closed') => ids([...ledger.rows(which)]);
    ledger.take(told([flow(1), flow(2)], { isWhole: true }));
    ledger.keepOnly([], 9000);
    ledger.take(told([flow(2)], { at: 9500 }));
    expect([states('active'), states('closed'), ledger.openCount, ledger.closedCount]).toEqual([
      [2],
      [1],
      1,
      1,
    ]);
  });

  test('takes figures in any order, also of what it does not know', () => {
    const ledger = new FlowLedger();
    const bytes = () => Array.from(ledger.rows(), ({ flow: { id, bytesDown } }) => [id, bytesDown]);
    ledger.take(told([flow(1), flow(2), flow(3), flow(4)], { isWhole: true }));
    ledger.take(told([], { counted: Float64Array.of(2, 0, 20, 4, 0, 40) }));
    expect(bytes()).toEqual([
      [1, 0],
      [2, 20],
      [3, 0],
      [4, 40],
    ]);
    ledger.take(told([], { counted: Float64Array.of(1, 0, 11, 9, 0, 99, 4, 0, 44, 3, 0, 33) }));
    expect(bytes()).toEqual([
      [1, 11],
      [2, 20],
      [3, 33],
      [4, 44],
    ]);
  });

  test('has one copy of what many of them have', () => {
    const ledger = new FlowLedger();
    ledger.take(told([flow(1), flow(2, { profile: { ...work } })], { isWhole: true }));
    ledger.take(told([flow(3, { profile: { ...work, name: 'Renamed' } })]));
    const [first, second, third] = Array.from(ledger.rows(), (row) => row.flow.profile);
    expect(first).toBe(second);
    expect([first?.name, third?.name]).toEqual([work.name, 'Renamed']);
  });

  test('keeps the newest 20,000 that are over, by their ends', () => {
    const ledger = new FlowLedger();
    const many = Array.from({ length: keptClosed + 500 }, (_, id) => flow(id, { state: 'closed' }));
    ledger.take(told([flow(-1), ...many]));
    expect([ledger.openCount, ledger.closedCount]).toEqual([1, keptClosed]);
    expect([ledger.find('7/499'), ledger.find('7/500')?.flow.id]).toEqual([undefined, 500]);
  });

  test('a picture of it stands still while it goes on', () => {
    const ledger = new FlowLedger();
    ledger.take(told([flow(1)]));
    ledger.take(told([], { at: 2000, since: 1000, counted: Float64Array.of(1, 0, 500) }));
    const [row] = frozenRows(ledger.rows(), 2100);
    ledger.take(told([flow(1, { state: 'closed', bytesDown: 900 })], { at: 3000, since: 2000 }));
    expect(row?.flow).toMatchObject({ state: 'open', bytesDown: 500 });
    expect(row && rateOf(row, 'downRate', 2100)).toBe(500);
  });
});

describe('the list', () => {
  const rows = rowsOf([
    flow(1, { bytesDown: 5, host: 'b.test' }),
    flow(2, { bytesDown: 9, host: 'C.test', name: 'curl', app: 'curl' }),
    flow(3, { bytesDown: 5, host: 'a.test', state: 'refused', closedAt: 3500 }),
  ]);
  const wanted = (query: string, which: 'active' | 'closed' | 'all' = 'all') =>
    ids(
      rows.filter((row) => isOfThose(row, which) && isWanted(row, { query: parseQuery(query), now: 10_000 })),
    );

  test('is what the tab and the query take, which asks for apps by what the connections carry', () => {
    expect([wanted('', 'active'), wanted('', 'closed'), wanted('')]).toEqual([[1, 2], [3], [1, 2, 3]]);
    expect([wanted('app:curl'), wanted('-app:curl', 'active'), wanted('profile:work >6')]).toEqual([
      [2],
      [1],
      [2],
    ]);
  });

  const all = { query: parseQuery(''), now: 10_000 } as const;

  test('is sorted by any column, names without regard to case, and those that are alike newest first', () => {
    const sorted = (column: 'host' | 'down' | 'age', isDescending: boolean) =>
      ids(new FlowOrder().next(rows, all, { column, isDescending }));
    expect(sorted('host', false)).toEqual([3, 1, 2]);
    expect(sorted('down', true)).toEqual([2, 3, 1]);
    // 9 s, 8 s and half a second.
    expect(sorted('age', false)).toEqual([3, 2, 1]);
  });

  test('has heads with counts and sums, of folded groups nothing else', () => {
    const shape = (folded: string[]) =>
      groupedItems(rows, 'app', new Set(folded), 0).map((item) =>
        item.kind === 'group' ? [item.name, item.count, item.down, item.isOpen] : item.flow.id,
      );
    expect(shape([])).toEqual([['Firefox', 2, 10, true], 1, 3, ['curl', 1, 9, true], 2]);
    expect(shape(['app:Firefox'])).toEqual([['Firefox', 2, 10, false], ['curl', 1, 9, true], 2]);
    expect(groupedItems(rows, 'none', new Set(), 0)).toEqual(rows);
  });
});

describe('the selection', () => {
  const keys = ['a', 'b', 'c', 'd', 'e'];
  const listOf = (...of: string[]) => of.map((key) => ({ key }));
  const items = listOf(...keys);
  const plain = { shiftKey: false, ctrlKey: false };
  const shift = { shiftKey: true, ctrlKey: false };
  const ctrl = { shiftKey: false, ctrlKey: true };

  test('is one row, with Shift all from there on, with Ctrl one more or one less', () => {
    let now = clicked(nothing, keys, 'b', plain);
    now = clicked(now, keys, 'd', shift);
    expect([...now.chosen]).toEqual(['b', 'c', 'd']);
    now = stepped(now, keys, 'a', shift);
    expect([...now.chosen]).toEqual(['a', 'b']);
    now = clicked(now, keys, 'e', ctrl);
    now = clicked(now, keys, 'a', ctrl);
    expect([...now.chosen]).toEqual(['b', 'e']);
    now = stepped(now, keys, 'c', ctrl);
    expect([now.focused, now.chosen.has('c')]).toEqual(['c', false]);
    expect([...stepped(now, keys, 'd', plain).chosen]).toEqual(['d']);
  });

  test('forgets what is gone; the focus goes to the row that took its place', () => {
    const now = { chosen: new Set(['b', 'c']), anchor: 'b', focused: 'b' };
    expect(kept(now, items, listOf('a', 'c', 'd'))).toEqual({
      chosen: new Set(['c']),
      anchor: undefined,
      focused: 'c',
    });
    expect(kept(now, items, listOf('x', ...keys))).toBe(now);
    expect(kept({ ...now, focused: 'e' }, items, listOf('b', 'c')).focused).toBe('c');
    expect(kept(now, items, []).focused).toBeUndefined();
  });
});

describe('the columns', () => {
  test('stand as they were left, new ones at their usual places', () => {
    const all = columnsOf({ columns: [{ name: 'host', width: 300, isHidden: false }] });
    expect(all).toHaveLength(columnsOf(usualTable).length);
    expect(all.find(({ name }) => name === 'host')?.width).toBe(300);
    expect(all.findIndex(({ name }) => name === 'state')).toBe(0);
  });

  test('are resized within limits, moved past hidden ones, and never all hidden', () => {
    const all = columnsOf(usualTable);
    const widthOf = (width: number) => resized(all, 'port', width).find(({ name }) => name === 'port')?.width;
    expect([widthOf(5), widthOf(100.4), widthOf(9999)]).toEqual([40, 100, 800]);
    const names = (columns: typeof all) => columns.filter((one) => !one.isHidden).map(({ name }) => name);
    expect(names(moved(all, 'host', -1)).slice(0, 3)).toEqual(['state', 'host', 'app']);
    expect(names(moved(all, 'state', -1))).toEqual(names(all));
    expect(names(moved(all, 'app', 1)).slice(0, 3)).toEqual(['state', 'host', 'app']);
    let few = all;
    for (const { name, isHidden } of all) if (!isHidden) few = shownOrNot(few, name);
    expect(names(few)).toEqual(['age']);
  });

  test('sort names from A, figures from the largest, and turn at the second press', () => {
    const once = sortedBy(usualTable.sort, 'down');
    expect(once).toEqual({ column: 'down', isDescending: true });
    expect(sortedBy(once, 'down').isDescending).toBe(false);
    expect(sortedBy(once, 'host').isDescending).toBe(false);
  });
});

describe('the field of the query', () => {
  test('makes chips of whole terms, and looks by what is being typed as well', () => {
    const draft = useQueryDraft();
    draft.type('app:firefox ');
    draft.type('-port:4');
    expect([draft.terms.value.length, draft.text.value, draft.query.value.terms.length]).toEqual([
      1,
      '-port:4',
      2,
    ]);
    draft.type('"two words" ');
    expect(draft.terms.value.map(({ values }) => values[0])).toEqual(['firefox', 'two words']);
    draft.edit(0);
    expect([draft.text.value, draft.terms.value.length]).toEqual(['app:firefox', 1]);
    draft.clear();
    expect(draft.isEmpty.value).toBe(true);
  });

  test('says what is wrong once nothing that follows could mend it, and goes by the chips meanwhile', () => {
    const draft = useQueryDraft();
    draft.set('app:firefox');
    const said = (text: string) => {
      draft.type(text);
      return draft.wrong.value === undefined ? undefined : draft.query.value.terms.length;
    };
    expect(['-', 'port:', 'port:4,', '"a b', '>'].map(said)).toEqual(
      Array.from({ length: 5 }, () => undefined),
    );
    expect(['port:x', 'nokey:1', '>1potato '].map(said)).toEqual([1, 1, 1]);
    expect(draft.commit()).toBe(false);
    expect(inEnglish(draft.wrong.value ?? '')).toContain('potato');
  });

  test('proposes keys, then the values that there are, the most frequent first', () => {
    const rows = rowsOf([flow(1), flow(2, { name: 'My app' }), flow(3, { name: 'My app', port: 80 })]);
    const texts = (text: string) => completionsOf(text, () => rows).map((one) => one.text);
    expect(texts('').slice(0, 3)).toEqual(['app:', 'host:', 'ip:']);
    expect(texts('-po')).toEqual(['-port:']);
    expect(texts('app:')).toEqual(['app:"My app"', 'app:Firefox']);
    expect(texts('-port:443,')).toEqual(['-port:443,80']);
    expect(texts('state:o')).toEqual(['state:open']);
    expect(texts('h2.')).toEqual(['host:h2.example.test']);
    expect(texts('age:')).toContain('age:>5m');
    for (const text of [...texts('app:'), ...texts('age:'), ...texts('total:'), ...texts('state:')])
      expect(() => parseQuery(text), text).not.toThrow();
  });
});

test('a connection is an address, a query that finds it, and what a rule about it would match', () => {
  const rows = rowsOf([flow(1), flow(2, { host: 'h1.example.test', port: 80, proto: 'udp' })]);
  const [plain, six] = rowsOf([flow(1), flow(2, { host: undefined, address: '2001:db8::1' })]);
  expect([plain, six].map((row) => row && addressOf(row))).toEqual([
    'h1.example.test:443',
    '[2001:db8::1]:443',
  ]);
  const query = queryOfRows(rows);
  expect(query).toBe('app:Firefox host:h1.example.test port:443,80 proto:tcp,udp');
  const found = parseQuery(query);
  expect(rows.every((row) => isWanted(row, { query: found, now: 0 }))).toBe(true);
  expect(ruleMatchOf(rows)).toEqual({
    apps: ['firefox'],
    to: ['h1.example.test'],
    ports: ['443', '80'],
  });
  expect(ruleMatchOf(rows.slice(0, 1)).protocol).toBe('tcp');
});

test('a timeline says what is known, and that the rest is not', () => {
  const said = (change: object) => timelineOf(flow(1, change)).map(({ ms, outcome }) => ms ?? outcome);
  expect(said({ dialMs: 40, firstByteMs: 12, bytesDown: 1 })).toEqual(['atProxy', 40, 12]);
  expect(said({ dialMs: 40, bytesDown: 1, via: 'direct' })).toEqual(['withConnect', 40, 'unknown']);
  expect(said({ state: 'dialling', host: undefined })).toEqual(['byApp', 'running', 'notYet']);
  expect(said({ state: 'refused', via: 'blocked' })).toEqual(['never', 'failed', 'never']);
});
