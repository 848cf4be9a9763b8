/**
 * What Culvert knows of an app: made from the text of its desktop entry, in the user's languages.
 *
 * Does: decide whether an entry is an app and whether it is shown. Must not: read files. DBusActivatable is ignored:
 * an app that the session's bus starts is outside of every lane.
 */
import {
  isTrue,
  listOf,
  localizedValue,
  unescapeValue,
  type DesktopEntry,
  type EntryGroup,
} from './desktop-entry.ts';

export interface AppAction {
  readonly id: string;
  readonly name: string;
  readonly icon?: string;
  /** The raw value of its Exec key. */
  readonly exec: string;
}

export interface App {
  /** Id of its desktop file without `.desktop`; what rules and bindings call it. */
  readonly id: string;
  readonly name: string;
  readonly genericName?: string;
  readonly comment?: string;
  readonly keywords: readonly string[];
  readonly categories: readonly string[];
  /** A name for the icon theme, or an absolute path. */
  readonly icon?: string;
  /** The raw value of its Exec key; empty where only the session's bus could start it. */
  readonly exec: string;
  /** Working directory. */
  readonly path?: string;
  readonly isTerminal: boolean;
  readonly actions: readonly AppAction[];
  readonly startupWmClass?: string;
  /** The desktop file. */
  readonly source: string;
  readonly packaging: 'host' | 'flatpak' | 'snap';
  /** Whether it says that it has a name on the session's bus, which is its id. */
  readonly isOnBus: boolean;
  /** Whether menus of this desktop show it. */
  readonly isShown: boolean;
  /** A launcher that Culvert made. */
  readonly isLauncher: boolean;
}

/** Where an entry was found and for whom it is read. */
export interface AppContext {
  readonly id: string;
  readonly source: string;
  /** Best first, as `localesOf` gives them. */
  readonly locales: readonly string[];
  /** Names of `$XDG_CURRENT_DESKTOP`. */
  readonly desktops: readonly string[];
}

const mainGroup = 'Desktop Entry';
/** Culvert's own keys begin with it; what has them is a launcher (launchers.ts). */
export const launcherVersionKey = 'X-Culvert-Version';

/** The program that must be there for the entry to count: a path or a name in PATH. */
export function tryExecOf(entry: DesktopEntry): string | undefined {
  const value = entry.groups.get(mainGroup)?.get('TryExec');
  return value === undefined || value === '' ? undefined : unescapeValue(value);
}

/** Whether the entry says that it is deleted, which also hides those of its id in folders that come later. */
export function isDeleted(entry: DesktopEntry): boolean {
  return isTrue(entry.groups.get(mainGroup)?.get('Hidden'));
}

/** The app of an entry; undefined where it is none (a link, a directory, without name or command). */
export function appOf(entry: DesktopEntry, context: AppContext): App | undefined {
  const group = entry.groups.get(mainGroup);
  if (group?.get('Type')?.trim() !== 'Application') return undefined;
  const text = (key: string) => textOf(group, key, context.locales);
  const name = text('Name');
  const exec = group.get('Exec') ?? '';
  const isOnBus = isTrue(group.get('DBusActivatable'));
  if (name === undefined || (exec.trim() === '' && !isOnBus)) return undefined;
  return {
    id: context.id,
    name,
    ...optional('genericName', text('GenericName')),
    ...optional('comment', text('Comment')),
    keywords: listOf(localizedValue(group, 'Keywords', context.locales)),
    categories: listOf(group.get('Categories')),
    ...optional('icon', text('Icon')),
    exec,
    ...optional('path', textOf(group, 'Path', [])),
    isTerminal: isTrue(group.get('Terminal')),
    actions: actionsOf(entry, group, context.locales),
    ...optional('startupWmClass', textOf(group, 'StartupWMClass', [])),
    source: context.source,
    packaging: packagingOf(group),
    isOnBus,
    isShown: !isTrue(group.get('NoDisplay')) && isForDesktop(group, context.desktops),
    isLauncher: group.has(launcherVersionKey),
  };
}

function textOf(group: EntryGroup, key: string, locales: readonly string[]): string | undefined {
  const value = localizedValue(group, key, locales);
  const text = value === undefined ? '' : unescapeValue(value).trim();
  return text === '' ? undefined : text;
}

function optional<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, string>);
}

function actionsOf(entry: DesktopEntry, group: EntryGroup, locales: readonly string[]): AppAction[] {
  return listOf(group.get('Actions')).flatMap((id) => {
    const action = entry.groups.get(`Desktop Action ${id}`);
    const name = action && textOf(action, 'Name', locales);
    const exec = action?.get('Exec') ?? '';
    if (action === undefined || name === undefined || exec.trim() === '') return [];
    return [{ id, name, exec, ...optional('icon', textOf(action, 'Icon', locales)) }];
  });
}

/** Both write these keys into what they export. */
function packagingOf(group: EntryGroup): App['packaging'] {
  if (group.has('X-Flatpak')) return 'flatpak';
  return group.has('X-SnapInstanceName') ? 'snap' : 'host';
}

/** OnlyShowIn and NotShowIn against each name of the desktop in turn, the first that is named decides (§6). */
function isForDesktop(group: EntryGroup, desktops: readonly string[]): boolean {
  const only = group.has('OnlyShowIn') ? listOf(group.get('OnlyShowIn')) : undefined;
  const not = listOf(group.get('NotShowIn'));
  for (const desktop of desktops) {
    if (only?.includes(desktop) === true) return true;
    if (not.includes(desktop)) return false;
  }
  return only === undefined;
}
