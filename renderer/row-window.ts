/**
 * Which rows of a long list are made: those that are seen, a few beside them, and the one with the focus. All rows have
 * one height, so that ten thousand cost no more than ten.
 */
import { computed, onMounted, onUnmounted, ref, type ComputedRef, type Ref } from 'vue';

/** Rows that are made above what is seen, and below. */
const beside = 2;

export interface RowWindowOptions {
  readonly scroller: Readonly<Ref<HTMLElement | null>>;
  readonly count: () => number;
  /** The row that keys go on from. */
  readonly focused: () => FocusedRow;
  /** In CSS pixels: of a row, and of what stays above the rows. */
  readonly rowHeight: number;
  readonly headHeight: number;
}

export interface FocusedRow {
  readonly at: number;
  /** The element that it has had since it got the focus. */
  readonly slot?: number | undefined;
}

/** A row by its place in the list, and the element that shows it. */
export interface MadeRow {
  readonly at: number;
  readonly slot: number;
}

export interface RowWindow {
  /** In the order of the list. */
  readonly made: ComputedRef<readonly MadeRow[]>;
  /** Of all rows and what stays above them, in CSS pixels. */
  readonly height: ComputedRef<number>;
  /** Brings a row into sight. */
  readonly scrollTo: (at: number) => void;
}

/** For the component that has the list; it makes an element for each slot, and takes away those that are not named. */
export function useRowWindow(options: RowWindowOptions): RowWindow {
  const { scroller, count, focused, rowHeight, headHeight } = options;
  const top = ref(0);
  const fitting = ref(0);
  const first = computed(() => Math.max(0, Math.min(top.value, count() - 1) - beside));
  const end = computed(() => Math.min(count(), top.value + fitting.value + beside));
  let watcher: ResizeObserver | undefined;

  function look(): void {
    const element = scroller.value;
    if (element === null) return;
    top.value = Math.floor(element.scrollTop / rowHeight);
    fitting.value = Math.max(0, Math.ceil((element.clientHeight - headHeight) / rowHeight) + 1);
  }

  function scrollTo(at: number): void {
    const element = scroller.value;
    if (element === null) return;
    const [from, to] = [at * rowHeight, (at + 1) * rowHeight];
    const seen = element.clientHeight - headHeight;
    if (from < element.scrollTop) element.scrollTop = from;
    else if (to > element.scrollTop + seen) element.scrollTop = to - seen;
    look();
  }

  onMounted(() => {
    look();
    watcher = new ResizeObserver(look);
    if (scroller.value === null) return;
    watcher.observe(scroller.value);
    scroller.value.addEventListener('scroll', look, { passive: true });
  });
  onUnmounted(() => {
    watcher?.disconnect();
    scroller.value?.removeEventListener('scroll', look);
  });
  return {
    made: computed(() =>
      slotsOf(
        { first: first.value, end: end.value, count: count(), slots: fitting.value + 2 * beside },
        focused(),
      ),
    ),
    height: computed(() => headHeight + count() * rowHeight),
    scrollTo,
  };
}

export interface RowRange {
  readonly first: number;
  /** Behind the last. */
  readonly end: number;
  readonly count: number;
  /** As many as the range ever has. */
  readonly slots: number;
}

/**
 * The elements for the rows of a range, and for the row with the focus wherever it is. An element that is not needed any
 * more shows another row; the one with the focus stays with its row.
 */
export function slotsOf({ first, end, count, slots }: RowRange, focused: FocusedRow): MadeRow[] {
  const isInside = focused.at >= first && focused.at < end;
  const [spare, aside] = [slots, slots + 1];
  const own = focused.slot ?? (isInside ? focused.at % slots : aside);
  const made: MadeRow[] = [];
  for (let at = first; at < end; at += 1) {
    const usual = at % slots;
    made.push({ at, slot: at === focused.at ? own : usual === own ? spare : usual });
  }
  if (isInside || focused.at >= count) return made;
  const row = { at: focused.at, slot: own };
  return focused.at < first ? [row, ...made] : [...made, row];
}
