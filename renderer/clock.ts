/** The time for what is shown to pass: it stands still while nobody can see the window. */
import { onMounted, onUnmounted, readonly, ref, type Ref } from 'vue';

const tickMs = 1000;

/** Milliseconds since the epoch, new every second while the window is visible. */
export function useNow(): Readonly<Ref<number>> {
  const now = ref(Date.now());
  let timer: ReturnType<typeof setInterval> | undefined;
  const update = (): void => {
    clearInterval(timer);
    if (document.visibilityState === 'hidden') return;
    now.value = Date.now();
    timer = setInterval(() => {
      now.value = Date.now();
    }, tickMs);
  };
  onMounted(() => {
    document.addEventListener('visibilitychange', update);
    update();
  });
  onUnmounted(() => {
    document.removeEventListener('visibilitychange', update);
    clearInterval(timer);
  });
  return readonly(now);
}
