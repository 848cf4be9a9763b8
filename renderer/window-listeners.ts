/** Listening to the window while a component is there. */
import { onMounted, onUnmounted } from 'vue';

type Listeners = { readonly [Name in keyof WindowEventMap]?: (event: WindowEventMap[Name]) => void };

/** Calls these for the window's events of their names, from when the calling component is mounted until it goes. */
export function useWindowListeners(listeners: Listeners): void {
  const all = Object.entries(listeners) as [string, (event: Event) => void][];
  onMounted(() => {
    for (const [name, listener] of all) window.addEventListener(name, listener);
  });
  onUnmounted(() => {
    for (const [name, listener] of all) window.removeEventListener(name, listener);
  });
}
