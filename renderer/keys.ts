/** The keys that work on every screen. */
import { useWindowListeners } from './window-listeners.ts';

export interface KeyActions {
  /** Ctrl+1 is screen 0. */
  readonly screen: (index: number) => void;
  readonly settings: () => void;
  readonly palette: () => void;
  /** Lets the user choose a file to open as an app. */
  readonly openFile: () => void;
  readonly shortcuts: () => void;
  readonly nextPane: () => void;
}

/** Whether keys are being typed into a field just now. */
export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}

function isDialogOpen(): boolean {
  return document.querySelector('[role="dialog"], [role="alertdialog"]') !== null;
}

/** Listens while the component that calls it is there. */
export function useKeys(actions: KeyActions): void {
  const pressed = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || isDialogOpen()) return;
    const work = actionFor(event, actions);
    if (work === undefined) return;
    event.preventDefault();
    work();
  };
  useWindowListeners({ keydown: pressed });
}

function actionFor(event: KeyboardEvent, actions: KeyActions): (() => void) | undefined {
  const { key } = event;
  if (event.altKey || event.metaKey) return undefined;
  if (key === 'F6') return actions.nextPane;
  if (key === 'F1') return actions.shortcuts;
  if (!event.ctrlKey) return key === '/' && !isTyping(event.target) ? focusSearch : undefined;
  if (/^[1-9]$/.test(key)) {
    return () => {
      actions.screen(Number(key) - 1);
    };
  }
  switch (key.toLowerCase()) {
    case 'o':
      return actions.openFile;
    case 'k':
      return actions.palette;
    case ',':
      return actions.settings;
    case '?':
      return actions.shortcuts;
    case 'f':
      return focusSearch;
    default:
      return undefined;
  }
}

/** The search of the screen that is shown, where it has one. */
function focusSearch(): void {
  document.querySelector<HTMLInputElement>('main input[type="search"]')?.select();
}
