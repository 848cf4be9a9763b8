/** Short words to the user: seen at the foot of the window and heard by a screen reader. */
import { defineStore } from 'pinia';
import { ref, shallowRef } from 'vue';
import type { Failure } from '#shared/failure.ts';

export interface Notice {
  readonly id: number;
  readonly text?: string;
  readonly failure?: Failure;
}

/** How long a notice that tells of no failure stays, in milliseconds. */
const stayMs = 5000;
const most = 3;

export const useNotices = defineStore('notices', () => {
  const shown = shallowRef<readonly Notice[]>([]);
  const last = ref(0);

  function add(notice: Omit<Notice, 'id'>): number {
    last.value += 1;
    shown.value = [...shown.value.slice(1 - most), { ...notice, id: last.value }];
    return last.value;
  }

  function tell(text: string): void {
    const id = add({ text });
    setTimeout(() => {
      dismiss(id);
    }, stayMs);
  }

  /** A failure stays until it is dismissed. */
  function fail(failure: Failure): void {
    add({ failure });
  }

  function dismiss(id: number): void {
    shown.value = shown.value.filter((notice) => notice.id !== id);
  }

  return { shown, tell, fail, dismiss };
});
