/** How the table of connections is set up: chosen here, kept by main a moment after the last change. */
import { defineStore } from 'pinia';
import { computed, shallowRef } from 'vue';
import {
  usualTable,
  type ConnectionColumn,
  type ConnectionGroup,
  type ConnectionTable,
} from '#shared/connection-columns.ts';
import {
  columnsOf,
  moved,
  resized,
  shownOrNot,
  sortedBy,
  widthStep,
  type ColumnState,
} from '../flow-columns.ts';
import { usePreferences } from './preferences.ts';

/** An edge that is being drawn changes its column many times a second. */
const keepAfterMs = 300;

export const useFlowColumns = defineStore('flow-columns', () => {
  const preferences = usePreferences();
  /** Newer than what main keeps. */
  const changed = shallowRef<ConnectionTable>();
  const table = computed(() => changed.value ?? preferences.now.connections);
  const all = computed(() => columnsOf(table.value));
  const shown = computed(() => all.value.filter(({ isHidden }) => !isHidden));
  let timer: ReturnType<typeof setTimeout> | undefined;

  function change(part: Partial<ConnectionTable>): void {
    changed.value = { ...table.value, ...part };
    clearTimeout(timer);
    timer = setTimeout(() => void keep(), keepAfterMs);
  }

  async function keep(): Promise<void> {
    const kept = changed.value;
    if (kept === undefined) return;
    await preferences.set({ connections: kept });
    if (changed.value === kept) changed.value = undefined;
  }

  const setColumns = (columns: readonly ColumnState[]): void => {
    change({ columns: [...columns] });
  };

  function sort(column: ConnectionColumn, isDescending?: boolean): void {
    change({
      sort: isDescending === undefined ? sortedBy(table.value.sort, column) : { column, isDescending },
    });
  }

  function resize(column: ConnectionColumn, width: number): void {
    setColumns(resized(all.value, column, width));
  }

  /** Wider by so many steps, or narrower. */
  function widen(column: ConnectionColumn, steps: number): void {
    const now = all.value.find(({ name }) => name === column);
    if (now !== undefined) resize(column, now.width + steps * widthStep);
  }

  function move(column: ConnectionColumn, by: -1 | 1): void {
    setColumns(moved(all.value, column, by));
  }

  /** Shows it or hides it; the last one stays. */
  function toggle(column: ConnectionColumn): void {
    setColumns(shownOrNot(all.value, column));
  }

  function group(by: ConnectionGroup): void {
    change({ group: by });
  }

  function reset(): void {
    change({ columns: usualTable.columns, sort: usualTable.sort });
  }

  return { table, all, shown, sort, resize, widen, move, toggle, group, reset };
});
