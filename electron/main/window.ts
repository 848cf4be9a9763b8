/**
 * The one window: made, shown, kept where it was, and brought back when its page crashed.
 *
 * Must not: be told what to load; its page is the built one.
 */
import { BrowserWindow, nativeTheme, screen, type Rectangle } from 'electron';
import * as v from 'valibot';
import { eventChannel, type WindowEvent, type WindowEventValue } from '#shared/contract.ts';
import { readKept, writeKept } from './kept-file.ts';
import { startPage } from './page-policy.ts';
import type { Places } from './places.ts';

const usual = { width: 1100, height: 720 };
const least = { width: 720, height: 520 };
/** The window's ground before its page is there; as in renderer/styles/tokens.css. */
const ground = { light: '#fafafa', dark: '#222224' };
/** A page that crashes more often than so many times within so long is left alone. */
const crashes = { most: 3, withinMs: 60_000 };

const whole = v.pipe(v.number(), v.integer());
const windowState = v.object({
  bounds: v.optional(v.object({ x: whole, y: whole, width: whole, height: whole })),
  isMaximized: v.optional(v.boolean(), false),
});

/** The screens that main leads to. */
export type WindowScreen = 'apps' | 'running' | 'profiles' | 'settings';

/** What closing the window does to it. */
export type Closing = 'stay' | 'hide' | 'quit';

export class MainWindow {
  readonly #places: Places;
  readonly #window: BrowserWindow;
  readonly #crashedAt: number[] = [];
  #onCloseAsked: () => Promise<Closing> = () => Promise.resolve('quit');
  #isLoaded = false;
  #isLeaving = false;

  /** Makes the window and starts loading its page; it is not shown yet. */
  constructor(places: Places) {
    this.#places = places;
    const state = readKept(places.windowState, windowState);
    this.#window = new BrowserWindow({
      ...usual,
      ...onScreen(state.bounds),
      minWidth: least.width,
      minHeight: least.height,
      show: false,
      title: 'Culvert',
      autoHideMenuBar: true,
      backgroundColor: nativeTheme.shouldUseDarkColors ? ground.dark : ground.light,
      webPreferences: {
        preload: places.preload,
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        nodeIntegrationInWorker: false,
        nodeIntegrationInSubFrames: false,
        webSecurity: true,
        allowRunningInsecureContent: false,
        experimentalFeatures: false,
        webviewTag: false,
        navigateOnDragDrop: false,
        spellcheck: false,
        enableWebSQL: false,
        devTools: false,
      },
    });
    if (state.isMaximized) this.#window.maximize();
    this.#window.setMenuBarVisibility(false);
    this.#window.on('close', (event) => {
      this.#keepState();
      if (this.#isLeaving) return;
      event.preventDefault();
      void this.#hideOrClose();
    });
    this.#window.webContents.on('render-process-gone', () => {
      this.#revive();
    });
  }

  /** Loads the page; resolves with true when it is there, with false when the program has to end before. */
  async load(): Promise<boolean> {
    try {
      await this.#window.loadURL(startPage);
    } catch (error) {
      if (!this.#isLeaving) throw error;
    }
    this.#isLoaded = true;
    return !this.#isLeaving;
  }

  /** Shows the window, and brings it to the front where the desktop lets it. */
  show(): void {
    if (this.#window.isMinimized()) this.#window.restore();
    this.#window.show();
    this.#window.focus();
  }

  /** Shows the window at one of its screens. */
  async goTo(screen: WindowScreen, query: Readonly<Record<string, string>> = {}): Promise<void> {
    this.show();
    const asked = new URLSearchParams(query).toString();
    await this.#window.loadURL(`${startPage}#/${screen}${asked === '' ? '' : `?${asked}`}`);
  }

  /** Whether there is anything of it to be seen, which a window without a screen of its own has not. */
  get isSeen(): boolean {
    return !this.#window.isDestroyed() && this.#window.isVisible() && !this.#window.isMinimized();
  }

  /** Tells whenever the window has come into sight or has left it. */
  onSeen(listener: (isSeen: boolean) => void): void {
    let before = this.isSeen;
    const look = (): void => {
      if (this.isSeen === before) return;
      before = this.isSeen;
      listener(before);
    };
    this.#window.on('show', look);
    this.#window.on('hide', look);
    this.#window.on('minimize', look);
    this.#window.on('restore', look);
  }

  isFocused(): boolean {
    return !this.#window.isDestroyed() && this.#window.isFocused();
  }

  /** Asks whenever the user closes the window what that means. */
  onCloseAsked(how: () => Promise<Closing>): void {
    this.#onCloseAsked = how;
  }

  /** From now on closing is closing: the program ends. */
  leave(): void {
    this.#isLeaving = true;
    if (this.#isLoaded) return;
    // A page that is on its way is asked whether it may be closed, and may never answer.
    setImmediate(() => {
      if (!this.#window.isDestroyed()) this.#window.destroy();
    });
  }

  onClosed(listener: () => void): void {
    this.#window.once('closed', listener);
  }

  /** Tells the page; a page that is not there hears nothing and asks when it is. */
  send<E extends WindowEvent>(event: E, value: WindowEventValue<E>): void {
    if (this.#window.isDestroyed() || this.#window.webContents.isCrashed()) return;
    this.#window.webContents.send(eventChannel(event), value);
  }

  /** Whether a message comes from the page itself: its main frame, at its own address. */
  isPage(frame: Electron.WebFrameMain | null): boolean {
    if (frame === null || this.#window.isDestroyed()) return false;
    const { mainFrame } = this.#window.webContents;
    return (
      frame.processId === mainFrame.processId &&
      frame.routingId === mainFrame.routingId &&
      frame.url.replace(/#.*$/, '') === startPage
    );
  }

  async #hideOrClose(): Promise<void> {
    const how = await this.#onCloseAsked();
    if (this.#window.isDestroyed()) return;
    if (this.#isLeaving || how === 'quit') this.#window.destroy();
    else if (how === 'hide') this.#window.hide();
  }

  #keepState(): void {
    const isMaximized = this.#window.isMaximized();
    try {
      writeKept(this.#places.windowState, { bounds: this.#window.getNormalBounds(), isMaximized });
    } catch {
      // A full or read-only disk costs the window its place, which is no reason to keep it from closing.
    }
  }

  #revive(): void {
    const now = performance.now();
    this.#crashedAt.push(now);
    const recent = this.#crashedAt.filter((at) => now - at < crashes.withinMs);
    if (recent.length > crashes.most) return;
    // Electron is still at work on the end of the old page: a new one begun here would take the program along.
    setImmediate(() => {
      if (!this.#window.isDestroyed()) this.#window.webContents.reload();
    });
  }
}

/** The kept place, if a screen is still there. */
function onScreen(bounds: Rectangle | undefined): Partial<Rectangle> {
  if (bounds === undefined) return {};
  const { workArea } = screen.getDisplayMatching(bounds);
  const isThere =
    bounds.x < workArea.x + workArea.width &&
    bounds.x + bounds.width > workArea.x &&
    bounds.y < workArea.y + workArea.height &&
    bounds.y + bounds.height > workArea.y;
  return isThere ? bounds : { width: bounds.width, height: bounds.height };
}
