/** Shows notices on the desktop while the window is not in front; a click brings the window there. */
import { Notification } from 'electron';
import type { Notice } from './notices.ts';
import type { MainWindow } from './window.ts';

export class Notifications {
  readonly #window: Pick<MainWindow, 'isFocused' | 'show'>;
  /** Without somebody who holds it a notification hears no click. */
  readonly #shown = new Map<Notice['kind'], Notification>();

  constructor(window: Pick<MainWindow, 'isFocused' | 'show'>) {
    this.#window = window;
  }

  /** Shows it, in the place of an older one of its kind. */
  tell(notice: Notice | undefined): void {
    if (notice === undefined || !Notification.isSupported()) return;
    // A window that is just being hidden may have its focus a little longer than it is seen.
    if (notice.kind !== 'background' && this.#window.isFocused()) return;
    const notification = new Notification({
      title: notice.title,
      body: notice.text,
      silent: true,
      urgency: notice.kind === 'leak' || notice.kind === 'escaped' ? 'critical' : 'normal',
    });
    notification.on('click', () => {
      this.#window.show();
    });
    this.#shown.get(notice.kind)?.close();
    this.#shown.set(notice.kind, notification);
    notification.show();
  }
}
