/** Dragging a rule by its grip to another place of the list, which scrolls on at its edges; Esc gives up. */
import { computed, onUnmounted, ref, type Ref } from 'vue';
import { indexAt } from './rule-list.ts';

/** So near to an edge the list scrolls, in pixels, and by so much with each frame. */
const edge = 40;
const step = 8;

export interface RuleDragOptions {
  readonly scroller: Readonly<Ref<HTMLElement | null>>;
  /** Of all rows the same, in pixels. */
  readonly rowHeight: number;
  readonly count: () => number;
  /** By how many rows it was moved, never none. */
  readonly onDrop: (id: string, by: number) => void;
}

export function useRuleDrag({ scroller, rowHeight, count, onDrop }: RuleDragOptions) {
  const drag = ref<{ readonly id: string; readonly from: number; readonly to: number }>();
  /** Where the line is that shows where it would come to be, in pixels from the top of the list. */
  const gap = computed(() => {
    if (drag.value === undefined || drag.value.to === drag.value.from) return undefined;
    const { from, to } = drag.value;
    return (to > from ? to + 1 : to) * rowHeight;
  });
  let pointerY = 0;
  let frame = 0;

  function grab(event: PointerEvent, id: string, index: number): void {
    if (event.button !== 0) return;
    event.preventDefault();
    drag.value = { id, from: index, to: index };
    pointerY = event.clientY;
    window.addEventListener('pointermove', moved);
    window.addEventListener('pointerup', dropped);
    window.addEventListener('pointercancel', letGo);
    window.addEventListener('keydown', pressed, true);
    frame = requestAnimationFrame(scrollNearEdge);
  }

  function moved(event: PointerEvent): void {
    pointerY = event.clientY;
    aim();
  }

  function aim(): void {
    if (scroller.value === null || drag.value === undefined) return;
    const { from } = drag.value;
    const height = pointerY - scroller.value.getBoundingClientRect().top + scroller.value.scrollTop;
    const to = Math.min(indexAt(height, rowHeight, count(), from), count() - 1);
    drag.value = { ...drag.value, to };
  }

  function scrollNearEdge(): void {
    const element = scroller.value;
    if (element === null || drag.value === undefined) return;
    const { top, bottom } = element.getBoundingClientRect();
    const by = pointerY < top + edge ? -step : pointerY > bottom - edge ? step : 0;
    if (by !== 0) {
      element.scrollTop += by;
      aim();
    }
    frame = requestAnimationFrame(scrollNearEdge);
  }

  function dropped(): void {
    const done = drag.value;
    letGo();
    if (done !== undefined && done.to !== done.from) onDrop(done.id, done.to - done.from);
  }

  function pressed(event: KeyboardEvent): void {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    letGo();
  }

  function letGo(): void {
    drag.value = undefined;
    cancelAnimationFrame(frame);
    window.removeEventListener('pointermove', moved);
    window.removeEventListener('pointerup', dropped);
    window.removeEventListener('pointercancel', letGo);
    window.removeEventListener('keydown', pressed, true);
  }

  onUnmounted(letGo);
  return { drag, gap, grab };
}
