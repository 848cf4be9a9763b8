/**
 * The only file that touches `window.culvert`: calls go to main, events come from it. What main says has been
 * parsed where it came in (shared/control/client.ts), and main is the side that the window may trust.
 */
import type {
  WindowApi,
  WindowCall,
  WindowEvent,
  WindowEventValue,
  WindowParams,
  WindowValue,
} from '#shared/contract.ts';
import type { Answer } from '#shared/failure.ts';

declare global {
  interface Window {
    readonly culvert: WindowApi;
  }
}

/** Asks main. Never rejects: what cannot even be sent is a failure, too. */
export async function call<C extends WindowCall>(
  name: C,
  params: WindowParams<C>,
): Promise<Answer<WindowValue<C>>> {
  try {
    return await window.culvert.calls[name](params);
  } catch (error) {
    return { ok: false, failure: { code: 'internal', step: name, detail: String(error) } };
  }
}

/** Listens to main; the answer takes the listener away again. */
export function listen<E extends WindowEvent>(
  event: E,
  listener: (value: WindowEventValue<E>) => void,
): () => void {
  return window.culvert.events[event](listener);
}

/** Where a file is that was dropped on the page; empty for one that is nowhere on this computer. */
export function pathOf(file: File): string {
  return window.culvert.files.pathOf(file);
}
