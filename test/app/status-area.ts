/** A session bus with a panel on it that shows status icons and notifications (status-area.py), as a test's desktop. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../world/artefact.ts';
import { Owned } from '../world/owned.ts';
import type { Running } from '../world/running.ts';
import { until } from '../world/until.ts';
import type { World } from '../world/world.ts';

const user = 'culvert-a';
/** Debian's own: it has the modules for D-Bus. */
const python = '/usr/bin/python3';

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
  readonly #panel: Running;
  readonly #owned: Owned;
  #answers = 0;

  private constructor(address: string, panel: Running, owned: Owned) {
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
    const script = readFileSync(join(repository, 'test/app/status-area.py'), 'utf8');
    const args = hasHost ? [] : ['--without-host'];
    const panel = world.spawn([python, '-c', script, ...args], {
      user,
      env: { DBUS_SESSION_BUS_ADDRESS: address },
    });
    stack.defer(() => panel.end());
    await panel.says(/^ready\n/);
    return new StatusArea(address, panel, stack.move());
  }

  /** How many icons there are. */
  async icons(): Promise<number> {
    return (await this.#ask('icons')) as number;
  }

  async menu(): Promise<readonly MenuEntry[]> {
    return (await this.#ask('menu')) as readonly MenuEntry[];
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
    if ((await this.#ask(`click ${labels.join('/')}`)) !== true)
      throw new Error(`${labels.join('/')} is grey`);
  }

  /** What a host does for a click on the icon itself. */
  async activate(): Promise<void> {
    await this.#ask('activate');
  }

  /** All notifications so far. */
  async notices(): Promise<readonly ShownNotice[]> {
    return (await this.#ask('notices')) as readonly ShownNotice[];
  }

  /** Clicks on the newest notification. */
  async press(): Promise<void> {
    await this.#ask('press');
  }

  /** From now on something shows icons. */
  async arrive(): Promise<void> {
    await this.#ask('arrive');
  }

  async #ask(command: string): Promise<unknown> {
    const before = this.#answers;
    this.#answers += 1;
    this.#panel.write(`${command}\n`);
    const line = await until(`the panel to answer “${command}”`, () => {
      const lines = this.#panel.stdout.split('\n').slice(1, -1);
      if (this.#panel.hasEnded) throw new Error(this.#panel.stderr);
      return lines[before];
    });
    const answer = JSON.parse(line) as { ok?: unknown; error?: string };
    if (answer.error !== undefined) throw new Error(`the panel: ${answer.error}`);
    return answer.ok;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned[Symbol.asyncDispose]();
  }
}
