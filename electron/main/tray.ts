/**
 * The one status icon: made when the desktop first shows such icons, and never unmade while Culvert runs (KDE
 * keeps ghosts of those that were).
 *
 * Does: shows a model of tray-menu.ts, anew at most once a second and only when it differs.
 * Must not: decide what a click does.
 */
import { Menu, nativeImage, nativeTheme, Tray, type MenuItemConstructorOptions } from 'electron';
import { drawTrayIcon, iconUnits } from './tray-icon.ts';
import type { TrayCommand, TrayItem, TrayModel, TrayState } from './tray-menu.ts';

const leastMs = 1000;
const scales = [1, 1.5, 2];

interface Wired {
  readonly model: () => TrayModel;
  readonly run: (command: TrayCommand) => void;
}

export class StatusIcon {
  readonly #wired: Wired;
  #tray: Tray | undefined;
  #shown = '';
  #timer: NodeJS.Timeout | undefined;
  #nextAt = 0;

  constructor(wired: Wired) {
    this.#wired = wired;
  }

  /** From now on there is an icon. */
  start(): void {
    if (this.#tray !== undefined) return;
    const model = this.#wired.model();
    this.#tray = new Tray(imageOf(model.state));
    this.#tray.on('click', () => {
      this.#wired.run({ do: 'open' });
    });
    nativeTheme.on('updated', () => {
      this.#changed(true);
    });
    this.#show();
  }

  /** Something may have changed. */
  update(): void {
    this.#changed(false);
  }

  /** A host ticks a box by itself when it is clicked: with `isForced` the menu is shown as it is once more. */
  #changed(isForced: boolean): void {
    if (isForced) this.#shown = '';
    if (this.#tray === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#show();
      },
      Math.max(0, this.#nextAt - performance.now()),
    );
  }

  #show(): void {
    const model = this.#wired.model();
    const shown = JSON.stringify(model);
    if (shown === this.#shown || this.#tray === undefined) return;
    this.#shown = shown;
    this.#nextAt = performance.now() + leastMs;
    this.#tray.setImage(imageOf(model.state));
    this.#tray.setToolTip(`Culvert: ${model.status}`);
    this.#tray.setContextMenu(Menu.buildFromTemplate(model.items.map((item) => this.#entry(item))));
  }

  #entry(item: TrayItem): MenuItemConstructorOptions {
    if (item.kind === 'separator') return { type: 'separator', id: item.id };
    const { id } = item;
    const label = item.label.replaceAll('&', '&&');
    if (item.kind === 'menu')
      return { type: 'submenu', id, label, submenu: item.items.map((inner) => this.#entry(inner)) };
    const { command, isChecked } = item;
    return {
      type: item.kind === 'check' ? 'checkbox' : item.kind === 'radio' ? 'radio' : 'normal',
      id,
      label,
      enabled: command !== undefined,
      ...(isChecked !== undefined && { checked: isChecked }),
      click: () => {
        if (command !== undefined) this.#wired.run(command);
        this.#changed(true);
      },
    };
  }
}

/** Most panels are dark; a light one is taken for such only where the desktop says so itself. */
function imageOf(state: TrayState): Electron.NativeImage {
  const isLight = nativeTheme.themeSource === 'system' && !nativeTheme.shouldUseDarkColors && !hasDarkPanel();
  const image = nativeImage.createEmpty();
  for (const scaleFactor of scales) {
    const size = Math.round(iconUnits * scaleFactor);
    const buffer = drawTrayIcon(state, size, !isLight);
    image.addRepresentation({ scaleFactor, width: size, height: size, buffer });
  }
  return image;
}

/** Desktops whose panel is dark whatever the apps are. */
function hasDarkPanel(): boolean {
  const desktops = (process.env['XDG_CURRENT_DESKTOP'] ?? '').split(':');
  return ['GNOME', 'Unity', 'X-Cinnamon', 'Budgie', 'Pantheon'].some((name) => desktops.includes(name));
}
