/** Lists that go on from picture to picture: the order of connections, and the elements that show rows. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseQuery } from '../../electron/shared/query.ts';
import { FlowLedger, isOfThose, type FlowRow } from '../../renderer/flow-ledger.ts';
import { frozenRows } from '../../renderer/flow-list.ts';
import { FlowOrder } from '../../renderer/flow-order.ts';
import { slotsOf } from '../../renderer/row-window.ts';
import { flow, told } from './flow-stage.ts';

const ids = (rows: readonly FlowRow[]) => rows.map((row) => row.flow.id);
const wanted = { query: parseQuery(''), now: 1_000_000 } as const;
const columns = ['age', 'down', 'host', 'state'] as const;

describe('the order of connections', () => {
  test('is after any changes what it would be had nothing been known before', () => {
    const change = fc.record({
      id: fc.integer({ min: 1, max: 30 }),
      bytesDown: fc.integer({ min: 0, max: 5 }),
      state: fc.constantFrom('dialling', 'open', 'closed'),
      host: fc.constantFrom('a.test', 'B.test', 'c.test'),
    });
    const picture = fc.record({
      changes: fc.array(change, { maxLength: 20 }),
      column: fc.constantFrom(...columns),
      isDescending: fc.boolean(),
      which: fc.constantFrom('active', 'closed', 'all'),
    });
    fc.assert(
      fc.property(fc.array(picture, { maxLength: 12 }), (steps) => {
        const [ledger, order] = [new FlowLedger(), new FlowOrder()];
        for (const { changes, column, isDescending, which } of steps) {
          ledger.take(told(changes.map(({ id, ...rest }) => flow(id, rest))));
          const found = ids(order.next(ledger.rows(which), wanted, { column, isDescending }));
          const copies = frozenRows(ledger.rows(), wanted.now).filter((row) => isOfThose(row, which));
          const anew = new FlowOrder().next(copies, wanted, { column, isDescending });
          expect(found).toEqual(ids(anew));
          expect(new Set(found).size).toBe(found.length);
        }
      }),
    );
  });

  test('goes over to a picture that stands still, and back', () => {
    const ledger = new FlowLedger();
    ledger.take(told([flow(1), flow(2)]));
    const order = new FlowOrder();
    const sort = { column: 'age', isDescending: false } as const;
    expect(ids(order.next(ledger.rows('active'), wanted, sort))).toEqual([2, 1]);
    const still = frozenRows(ledger.rows(), 5000);
    ledger.take(told([flow(3), flow(1, { state: 'closed', closedAt: 5000 })]));
    expect(ids(order.next(still, wanted, sort))).toEqual([2, 1]);
    expect(ids(order.next(still, wanted, sort))).toEqual([2, 1]);
    expect(ids(order.next(ledger.rows('active'), wanted, sort))).toEqual([3, 2]);
  });
});

describe('the elements of a long list', () => {
  const range = fc
    .record({
      top: fc.nat(200),
      size: fc.integer({ min: 1, max: 30 }),
      count: fc.integer({ min: 1, max: 300 }),
      at: fc.nat(300),
      slot: fc.option(fc.nat(31), { nil: undefined }),
    })
    .map(({ top, size, count, at, slot }) => {
      const first = Math.min(top, count - 1);
      return {
        range: { first, end: Math.min(count, first + size), count, slots: size },
        focused: { at: at % count, slot: slot === undefined ? undefined : slot % (size + 2) },
      };
    });

  test('are one for each row of the range and for the one with the focus, in order, and never two the same', () => {
    fc.assert(
      fc.property(range, ({ range: { first, end, count, slots }, focused }) => {
        const made = slotsOf({ first, end, count, slots }, focused);
        const inRange = Array.from({ length: end - first }, (_, index) => first + index);
        const wanted = [...new Set([...inRange, focused.at])].toSorted((a, b) => a - b);
        expect(made.map(({ at }) => at)).toEqual(wanted);
        expect(new Set(made.map(({ slot }) => slot)).size).toBe(made.length);
        if (focused.slot !== undefined)
          expect(made.find(({ at }) => at === focused.at)?.slot).toBe(focused.slot);
      }),
    );
  });

  test('stay when the list goes on by a few rows, but for those that are not seen any more', () => {
    const slotsAt = (first: number) =>
      slotsOf({ first, end: first + 10, count: 100, slots: 10 }, { at: 0, slot: undefined });
    const [before, after] = [slotsAt(20), slotsAt(23)];
    const kept = after.filter(({ at, slot }) => before.some((one) => one.at === at && one.slot === slot));
    expect(kept.map(({ at }) => at)).toEqual([0, 23, 24, 25, 26, 27, 28, 29]);
    expect(new Set([...before, ...after].map(({ slot }) => slot)).size).toBe(11);
  });

  test('are none where there are no rows', () => {
    expect(slotsOf({ first: 0, end: 0, count: 0, slots: 10 }, { at: 0 })).toEqual([]);
  });
});
