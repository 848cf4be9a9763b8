/** Short words to the user: seen at the foot of the window and heard by a screen reader. */
import { defineStore } from 'pinia';
import { ref, shallowRef } from 'vue';
import type { Failure } from '#shared/failure.ts';

export interface Notice {
  readonly id: number;
  readonly text?: string;
  readonly failure?: Failure;
  /** Something that can be done about it while it is shown. */
  readonly action?: NoticeAction;
}

export interface NoticeAction {
  readonly text: string;
  readonly run: () => void;
}

/** How long a notice that tells of no failure stays, in milliseconds. */
const stayMs = 5000;
/** How long something can be done about it. */
const offerMs = 10_000;
const most = 3;

export const useNotices = defineStore('notices', () => {
  const shown = shallowRef<readonly Notice[]>([]);
  const last = ref(0);
  const timers = new Map<number, ReturnType<typeof setTimeout>>();

  function add(notice: Omit<Notice, 'id'>): number {
    last.value += 1;
    shown.value = [...shown.value.slice(1 - most), { ...notice, id: last.value }];
    return last.value;
  }

  function tell(text: string): void {
    dismissAfter(add({ text }), stayMs);
  }

  /** Tells of something that was done and can be undone, say; the answer is for `dismiss`. */
  function offer(text: string, action: NoticeAction): number {
    const id = add({ text, action });
    dismissAfter(id, offerMs);
    return id;
  }

  /** While the pointer or the focus is on one that offers something, it stays. */
  function hold({ id, action }: Notice, isHeld: boolean): void {
    if (action === undefined) return;
    clearTimeout(timers.get(id));
    if (!isHeld) dismissAfter(id, offerMs);
  }

  function dismissAfter(id: number, ms: number): void {
    timers.set(
      id,
      setTimeout(() => {
        dismiss(id);
      }, ms),
    );
  }

  /** A failure stays until it is dismissed. */
  function fail(failure: Failure): void {
    add({ failure });
  }

  function dismiss(id: number): void {
    clearTimeout(timers.get(id));
    timers.delete(id);
    shown.value = shown.value.filter((notice) => notice.id !== id);
  }

  return { shown, tell, offer, hold, fail, dismiss };
});
