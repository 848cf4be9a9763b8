/**
 * The text of a launcher: a desktop entry that opens an app through a profile. Plain functions.
 *
 * Does: write what `desktop-file-validate` accepts, whatever names and paths hold. Must not: copy DBusActivatable
 * (desktops would ignore the command), MimeType (it would take links) or StartupWMClass (it would claim the windows
 * of the app outside).
 */
import { CulvertError } from '#shared/failure.ts';
import { launcherVersionKey } from './app.ts';
import { parseDesktopEntry, unescapeValue, listOf, type DesktopEntry } from './desktop-entry.ts';
import { quoteExec, takenBy } from './exec.ts';

/** Of the specification: the oldest that has all that is written here, so that every desktop reads it. */
export const entryVersion = '1.1';
const launcherAppKey = 'X-Culvert-App';
const launcherProfileKey = 'X-Culvert-Profile';

export interface LauncherSpec {
  /** Absolute path of the `culvert` program. */
  readonly culvert: string;
  /** Id of the app without `.desktop`, or the absolute path of a program. */
  readonly app: string;
  readonly profile: { readonly id: string; readonly name: string };
  /** The app's own entry: its names, icon and categories are kept. Missing for a program. */
  readonly entry?: DesktopEntry | undefined;
  /** Instead of the name with the profile's behind it. */
  readonly name?: string | undefined;
  /** For a program without an entry. */
  readonly icon?: string | undefined;
}

/** The main categories of the Desktop Menu Specification; others depend on one another and are left out. */
const categories = [
  ...['AudioVideo', 'Audio', 'Video', 'Development', 'Education', 'Game', 'Graphics', 'Network', 'Office'],
  ...['Science', 'Settings', 'System', 'Utility'],
];

/** What the launcher's own texts are in the languages that Culvert speaks. */
const actionNames = {
  direct: { '': 'Open Without Proxy', zh_CN: '不使用代理打开' },
  stop: { '': 'Stop', zh_CN: '停止' },
  show: { '': 'Show in Culvert', zh_CN: '在 Culvert 中显示' },
} as const;
type ActionId = keyof typeof actionNames;

/** The text of the launcher's file. Throws `entry-invalid` for a path of `culvert` that no Exec key can hold. */
export function launcherText(spec: LauncherSpec): string {
  if (!spec.culvert.startsWith('/') || spec.culvert.includes('=')) {
    throw new CulvertError('entry-invalid', { detail: `a launcher cannot start ${spec.culvert}` });
  }
  const group = spec.entry?.groups.get('Desktop Entry');
  const lines = [
    ['Version', entryVersion],
    ['Type', 'Application'],
    ...namesOf(spec),
    ['Comment', valueOf(`Open ${plainName(spec)} through the Culvert profile “${spec.profile.name}”`)],
    ...iconOf(group?.get('Icon') ?? (spec.icon === undefined ? undefined : valueOf(spec.icon))),
    ['TryExec', valueOf(spec.culvert)],
    ['Exec', openCommand(spec, spec.profile.id)],
    ['Terminal', 'false'],
    ['Categories', listValue(categoriesOf(listOf(group?.get('Categories'))))],
    ['Keywords', listValue(['proxy', 'culvert', ...listOf(group?.get('Keywords')).slice(0, 40)])],
    ['StartupNotify', 'true'],
    ['Actions', listValue(Object.keys(actionNames))],
    [launcherVersionKey, '1'],
    [launcherAppKey, valueOf(spec.app)],
    [launcherProfileKey, valueOf(spec.profile.id)],
  ] as const;
  const main = ['[Desktop Entry]', ...lines.map(([key, value]) => `${key}=${value}`)];
  return [
    ...main,
    ...actionGroup(spec, 'direct'),
    ...actionGroup(spec, 'stop'),
    ...actionGroup(spec, 'show'),
    '',
  ].join('\n');
}

function actionGroup(spec: LauncherSpec, id: ActionId): string[] {
  const names = Object.entries(actionNames[id]).map(
    ([locale, name]) => `Name${locale === '' ? '' : `[${locale}]`}=${name}`,
  );
  return ['', `[Desktop Action ${id}]`, ...names, `Exec=${actionCommand(spec, id)}`];
}

function actionCommand(spec: LauncherSpec, id: ActionId): string {
  switch (id) {
    case 'direct':
      return openCommand(spec, 'direct');
    case 'stop':
      return quoteExec([spec.culvert, 'stop', '--app', appWord(spec)]);
    case 'show':
      return quoteExec([spec.culvert, 'gui', '--app', appWord(spec)]);
  }
}

/** What the app takes, the launcher takes too. */
function openCommand(spec: LauncherSpec, profile: string): string {
  const command = quoteExec([spec.culvert, 'open', `--profile=${profile}`, `--app=${appWord(spec)}`, '--']);
  const exec = spec.entry?.groups.get('Desktop Entry')?.get('Exec');
  const taken = exec === undefined ? 'files' : takenBy(exec);
  return taken === 'none' ? command : `${command} ${taken === 'urls' ? '%U' : '%F'}`;
}

function appWord({ app }: LauncherSpec): string {
  return app.startsWith('/') ? app : `${app}.desktop`;
}

function namesOf(spec: LauncherSpec): [string, string][] {
  if (spec.name !== undefined) return [['Name', valueOf(spec.name)]];
  const group = spec.entry?.groups.get('Desktop Entry') ?? new Map<string, string>();
  const localized = [...group].filter(([key]) => /^Name\[[A-Za-z0-9_@.-]+\]$/.test(key));
  return [
    ['Name', withProfile(plainName(spec), spec)],
    ...localized.map(([key, value]): [string, string] => [key, withProfile(unescapeValue(value), spec)]),
  ];
}

function withProfile(name: string, { profile }: LauncherSpec): string {
  return valueOf(`${name} (${profile.name})`);
}

function plainName({ entry, app }: LauncherSpec): string {
  const name = entry?.groups.get('Desktop Entry')?.get('Name');
  return name === undefined || name.trim() === '' ? (app.split('/').at(-1) ?? app) : unescapeValue(name);
}

/** A name without an extension, or the path of a file; what is neither is left out. */
function iconOf(raw: string | undefined): [string, string][] {
  const icon = unescapeValue(raw ?? '').trim();
  const isPath = icon.startsWith('/') && !icon.endsWith('/');
  const name = isPath ? icon : icon.replace(/(?:\.(?:png|svg|xpm))+$/, '');
  return name === '' || (!isPath && name.includes('/')) ? [] : [['Icon', valueOf(name)]];
}

function categoriesOf(given: readonly string[]): string[] {
  const kept = given.filter((category) => categories.includes(category));
  const needsBoth = kept.some((category) => category === 'Audio' || category === 'Video');
  const full = needsBoth ? ['AudioVideo', ...kept] : kept;
  return full.length === 0 ? ['Utility'] : [...new Set(full)];
}

/** A value of type string: on one line, without control characters. */
function valueOf(text: string): string {
  return text
    .slice(0, 4096)
    .replaceAll(/\p{Cc}/gu, ' ')
    .replaceAll('\\', '\\\\')
    .replace(/^ /, '\\s');
}

function listValue(parts: readonly string[]): string {
  return parts.map((part) => `${valueOf(part).replaceAll(';', '\\;')};`).join('');
}

/** What a launcher's text says of itself; undefined for what is no launcher of Culvert's. */
export function readLauncher(text: string): { app: string; profile: string; name: string } | undefined {
  const group = parseDesktopEntry(text).groups.get('Desktop Entry');
  const [app, profile] = [group?.get(launcherAppKey), group?.get(launcherProfileKey)];
  if (group?.has(launcherVersionKey) !== true || app === undefined || profile === undefined) return undefined;
  return {
    app: unescapeValue(app),
    profile: unescapeValue(profile),
    name: unescapeValue(group.get('Name') ?? ''),
  };
}
