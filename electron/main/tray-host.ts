/**
 * Whether the desktop shows status icons now: GNOME does only with an extension, and panels come and go.
 *
 * Does: asks org.kde.StatusNotifierWatcher on the session's bus whether a host has registered with it, and again
 * whenever something there changes (Status Notifier Item specification).
 */
import { MessageBus } from '#shared/control/message-bus.ts';

const watcher = 'org.kde.StatusNotifierWatcher';
const watcherPath = '/StatusNotifierWatcher';

export class TrayHost {
  readonly #bus: MessageBus;
  readonly #onChange: (isThere: boolean) => void;
  #isThere = false;
  #begun: Promise<boolean> | undefined;

  /** `onChange` hears when a host comes and when it goes. */
  constructor(env: NodeJS.ProcessEnv, onChange: (isThere: boolean) => void) {
    this.#onChange = onChange;
    this.#bus = new MessageBus(
      env,
      () => void this.ask(),
      () => {
        this.#is(false);
      },
    );
  }

  /** Begins to listen; resolves when the first answer is there. */
  async start(): Promise<void> {
    this.#begun = this.#bus.begin();
    if (!(await this.#begun)) return;
    await this.#bus.listen(
      `type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${watcher}'`,
    );
    await this.#bus.listen(`type='signal',path='${watcherPath}',interface='${watcher}'`);
    await this.ask();
  }

  /** Whether there is one now, asked anew. Waits a second at most. */
  async ask(): Promise<boolean> {
    const answer = await this.#bus.call({
      destination: watcher,
      path: watcherPath,
      interface: 'org.freedesktop.DBus.Properties',
      member: 'Get',
      strings: [watcher, 'IsStatusNotifierHostRegistered'],
    });
    // A variant: the length of its signature, `b`, NUL, one byte of padding, and the boolean in four bytes.
    this.#is(answer?.length === 8 && answer[1] === 0x62 && answer.readUInt32LE(4) === 1);
    return this.#isThere;
  }

  close(): void {
    this.#bus.close();
  }

  #is(isThere: boolean): void {
    if (this.#isThere === isThere) return;
    this.#isThere = isThere;
    this.#onChange(isThere);
  }
}
