/**
 * Which icon theme the user has chosen, from the files in which desktops keep it. GNOME keeps it in a database that
 * only its own library reads; there its own theme is taken.
 */
import { join } from 'node:path';
import { readEntry } from './catalogue.ts';
import { parseDesktopEntry } from './desktop-entry.ts';
import { configHome } from './folders.ts';

/** Name of the theme. It need not be installed: a theme that is missing is passed over when icons are looked for. */
export async function chosenTheme(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const desktops = (env['XDG_CURRENT_DESKTOP'] ?? '').split(':');
  const config = (...path: string[]) => readEntry(join(configHome(env), ...path)).catch(() => '');
  if (desktops.includes('KDE')) {
    return valueOf(await config('kdeglobals'), 'Icons', 'Theme') ?? 'breeze';
  }
  if (desktops.includes('XFCE')) {
    const settings = await config('xfce4/xfconf/xfce-perchannel-xml/xsettings.xml');
    const name = /<property name="IconThemeName"[^>]* value="([^"&/]+)"/.exec(settings)?.[1];
    if (name !== undefined) return name;
  }
  for (const folder of ['gtk-4.0', 'gtk-3.0']) {
    const name = valueOf(await config(folder, 'settings.ini'), 'Settings', 'gtk-icon-theme-name');
    if (name !== undefined) return name;
  }
  return 'Adwaita';
}

function valueOf(text: string, group: string, key: string): string | undefined {
  const value = parseDesktopEntry(text).groups.get(group)?.get(key)?.trim().replaceAll(/^"|"$/g, '');
  return value === undefined || value === '' || value.includes('/') ? undefined : value;
}
