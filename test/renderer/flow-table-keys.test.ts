import { expect, test } from 'vitest';
import type { FlowItem } from '../../renderer/flow-list.ts';
import { deedOf } from '../../renderer/flow-table-keys.ts';
import { flow, rowsOf } from './flow-stage.ts';

const [row] = rowsOf([flow(1)]) as [FlowItem];
const group = (isOpen: boolean): FlowItem => ({
  ...{ kind: 'group', key: 'firefox', name: 'Firefox', isOpen },
  ...{ count: 1, down: 0, up: 0, downRate: 0, upRate: 0 },
});
const on = (key: string, item: FlowItem | undefined, at = 3, ctrlKey = false) =>
  deedOf({ key, ctrlKey }, { at, item, count: 10, page: 4 });

test.each([
  ['ArrowDown', 4],
  ['ArrowUp', 2],
  ['PageDown', 7],
  ['PageUp', -1],
  ['Home', 0],
  ['End', 9],
])('%s leads from the fourth row of ten to place %i', (key, to) => {
  expect(on(key, row)).toEqual({ do: 'step', to });
});

test('above the first row are the heads', () => {
  expect(on('ArrowUp', row, 0)).toEqual({ do: 'heads' });
});

test('a group folds to the left, unfolds to the right, and turns by Enter; a connection opens', () => {
  expect(on('ArrowLeft', group(true))).toEqual({ do: 'fold', key: 'firefox' });
  expect(on('ArrowRight', group(false))).toEqual({ do: 'fold', key: 'firefox' });
  expect(on('ArrowLeft', group(false))).toEqual({ do: 'nothing' });
  expect(on('ArrowRight', row)).toEqual({ do: 'nothing' });
  expect(on('Enter', group(false))).toEqual({ do: 'fold', key: 'firefox' });
  expect(on('F2', row)).toEqual({ do: 'open', key: '7/1' });
  expect(on('Enter', undefined)).toEqual({ do: 'nothing' });
});

test('Space pauses and with Ctrl chooses, A chooses all with Ctrl only, other keys are not the table’s', () => {
  expect(on(' ', row)).toEqual({ do: 'pause' });
  expect(on(' ', row, 3, true)).toEqual({ do: 'choose', key: '7/1' });
  expect(on('a', row, 3, true)).toEqual({ do: 'choose-all' });
  expect(on('a', row)).toBeUndefined();
  expect(on('Delete', row)).toEqual({ do: 'close' });
  expect(on('x', row)).toBeUndefined();
});
