/** A session bus with a panel on it that shows status icons and notifications (status-area.py), as a test's desktop. */
import { Owned } from '../world/owned.ts';
import type { World } from '../world/world.ts';
import { Puppet } from './puppet.ts';

const user = 'culvert-a';

export interface MenuEntry {
  readonly label: string;
  readonly isSeparator: boolean;
  readonly isEnabled: boolean;
  readonly toggle: '' | 'checkmark' | 'radio';
  readonly isChecked: boolean;
  readonly items: readonly MenuEntry[];
}

export interface ShownNotice {
  readonly title: string;
  readonly text: string;
}

export class StatusArea {
  readonly address: string;
  readonly #panel: Puppet;
  readonly #owned: Owned;

  private constructor(address: string, panel: Puppet, owned: Owned) {
    this.address = address;
    this.#panel = panel;
    this.#owned = owned;
  }

  /** `hasHost`: false for a watcher that nobody shows anything for, as while a panel is still starting. */
  static async start(world: World, hasHost = true): Promise<StatusArea> {
    await using stack = new Owned();
    const address = `unix:path=/run/user/${world.users[user].uid}/bus-${process.hrtime.bigint()}`;
    const bus = world.spawn(
      ['dbus-daemon', '--session', '--nofork', '--nopidfile', `--address=${address}`, '--print-address'],
      { user },
    );
    stack.defer(() => bus.end());
    await bus.says(/unix:path=/);
    const args = hasHost ? [] : ['--without-host'];
    const env = { DBUS_SESSION_BUS_ADDRESS: address };
    const panel = await Puppet.start(world, 'status-area.py', args, env);
    stack.defer(() => panel.end());
    return new StatusArea(address, panel, stack.move());
  }

  /** How many icons there are. */
  async icons(): Promise<number> {
    return (await this.#panel.ask('icons')) as number;
  }

  async menu(): Promise<readonly MenuEntry[]> {
    return (await this.#panel.ask('menu')) as readonly MenuEntry[];
  }

  /** An item of the menu, or of the menu of another item. */
  async entry(...labels: readonly string[]): Promise<MenuEntry | undefined> {
    let items = await this.menu();
    let found: MenuEntry | undefined;
    for (const label of labels) {
      found = items.find((item) => item.label === label);
      items = found?.items ?? [];
    }
    return found;
  }

  /** Chooses an item; throws where there is none, or where it cannot be chosen. */
  async click(...labels: readonly string[]): Promise<void> {
    if ((await this.#panel.ask(`click ${labels.join('/')}`)) !== true)
      throw new Error(`${labels.join('/')} is grey`);
  }

  /** What a host does for a click on the icon itself. */
  async activate(): Promise<void> {
    await this.#panel.ask('activate');
  }

  /** All notifications so far. */
  async notices(): Promise<readonly ShownNotice[]> {
    return (await this.#panel.ask('notices')) as readonly ShownNotice[];
  }

  /** Clicks on the newest notification. */
  async press(): Promise<void> {
    await this.#panel.ask('press');
  }

  /** From now on something shows icons. */
  async arrive(): Promise<void> {
    await this.#panel.ask('arrive');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned[Symbol.asyncDispose]();
  }
}
