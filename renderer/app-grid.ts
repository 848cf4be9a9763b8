/** How apps are laid out: which come first, how many stand beside one another, where an arrow key leads. */
import type { AppView } from '#shared/app-protocol.ts';

/** Of a card, in pixels. */
const cardWidth = 236;
export const cardHeight = 96;
export const cardGap = 12;

/** As many as have room beside one another, one at least. */
export function columnsFor(width: number): number {
  return Math.max(1, Math.floor((width + cardGap) / (cardWidth + cardGap)));
}

export interface Arrangement {
  readonly pinned: readonly string[];
  readonly hidden: readonly string[];
  readonly showsHidden: boolean;
  /** What is found stands in the order of how well it fits. */
  readonly isSearch: boolean;
}

/** The apps to show: pinned ones first, in their own order, and hidden ones only where they are asked for. */
export function arrange(
  apps: readonly AppView[],
  { pinned, hidden, showsHidden, isSearch }: Arrangement,
): AppView[] {
  const away = new Set(hidden);
  const shown = apps.filter(({ id }) => showsHidden || !away.has(id));
  if (isSearch) return shown;
  const rank = new Map(pinned.map((id, index) => [id, index]));
  const last = pinned.length;
  return shown.toSorted((a, b) => (rank.get(a.id) ?? last) - (rank.get(b.id) ?? last));
}

/** Where a key leads from one card to another; undefined for a key that leads nowhere. */
export function stepTo(
  key: string,
  from: number,
  { count, columns, rowsShown }: { count: number; columns: number; rowsShown: number },
): number | undefined {
  const steps: Readonly<Record<string, number>> = {
    ArrowRight: from + 1,
    ArrowLeft: from - 1,
    ArrowDown: from + columns,
    ArrowUp: from - columns,
    PageDown: from + columns * rowsShown,
    PageUp: from - columns * rowsShown,
    Home: 0,
    End: count - 1,
  };
  const to = steps[key];
  return to === undefined ? undefined : Math.max(0, Math.min(count - 1, to));
}
