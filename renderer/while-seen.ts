/** What goes on only while the window is seen: nobody looks at a hidden one, and what nobody looks at costs nothing. */
import { onMounted, onUnmounted } from 'vue';

const isSeen = (): boolean => document.visibilityState !== 'hidden';

/**
 * Begins once the component that calls it is there and the window is seen, ends when either is no more, and begins
 * anew whenever the window is seen again.
 */
export function useWhileSeen(begin: () => void, end: () => void): void {
  let isOn = false;
  function turn(isWanted: boolean): void {
    if (isWanted === isOn) return;
    isOn = isWanted;
    if (isWanted) begin();
    else end();
  }
  const follow = (): void => {
    turn(isSeen());
  };
  onMounted(() => {
    document.addEventListener('visibilitychange', follow);
    follow();
  });
  onUnmounted(() => {
    document.removeEventListener('visibilitychange', follow);
    turn(false);
  });
}

/** Works at once and then every so many milliseconds while the window is seen; the answer begins anew. */
export function useEvery(everyMs: () => number, work: () => void): () => void {
  let timer: ReturnType<typeof setInterval> | undefined;
  const end = (): void => {
    clearInterval(timer);
  };
  function begin(): void {
    end();
    if (!isSeen()) return;
    work();
    timer = setInterval(work, everyMs());
  }
  useWhileSeen(begin, end);
  return begin;
}
