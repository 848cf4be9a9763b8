/** The time for what is shown to pass: it stands still while nobody can see the window. */
import { readonly, ref, type Ref } from 'vue';
import { useEvery } from './while-seen.ts';

const tickMs = 1000;

/** Milliseconds since the epoch, new every second while the window is visible. */
export function useNow(): Readonly<Ref<number>> {
  const now = ref(Date.now());
  useEvery(
    () => tickMs,
    () => {
      now.value = Date.now();
    },
  );
  return readonly(now);
}
