/**
 * What the tray's menu shows, as data: from what runs and what is chosen to a model that electron/main/tray.ts
 * hands to Electron. Pure.
 *
 * Menus are short and keep their order, since some hosts read them once or redraw them badly: no menu has more
 * than `maxItems`, and a menu within the menu has none of its own.
 */
import type { Overview, ShownLane } from '#shared/contract.ts';
import type { ProfileHead } from '#shared/model.ts';
import { builtInProfiles } from '#shared/profile.ts';
import { standingOf, type Standing } from '#shared/standing.ts';
import type { Words } from './locales/words.ts';

export const maxItems = 25;
const maxApps = 8;
const maxProfiles = 15;
const maxLabel = 40;
export const maxRecent = 5;

export const trayStates = ['idle', 'protected', 'blocked', 'trouble'] as const;
/** The shape of the icon. `idle`: nothing runs, or something runs without a proxy. */
export type TrayState = (typeof trayStates)[number];

export type TrayCommand =
  | { readonly do: 'open' | 'apps' | 'running' | 'profiles' | 'settings' | 'quit' }
  | { readonly do: 'open-app'; readonly app: string; readonly name: string }
  /** Without a profile there is no default any more. */
  | { readonly do: 'default'; readonly profile: string | undefined }
  | { readonly do: 'check' | 'stop'; readonly lane: string }
  | { readonly do: 'switch'; readonly lane: string; readonly profile: string }
  | { readonly do: 'proxy'; readonly lane: string; readonly isOn: boolean }
  | { readonly do: 'proxying' | 'block'; readonly isOn: boolean };

export type TrayItem =
  | { readonly kind: 'separator'; readonly id: string }
  | {
      readonly kind: 'menu';
      readonly id: string;
      readonly label: string;
      readonly items: readonly TrayItem[];
    }
  | {
      readonly kind: 'text' | 'action' | 'check' | 'radio';
      readonly id: string;
      readonly label: string;
      readonly isChecked?: boolean;
      /** What choosing it does; without one it cannot be chosen. */
      readonly command?: TrayCommand;
    };

export interface TrayModel {
  readonly state: TrayState;
  /** Also the icon's tooltip. */
  readonly status: string;
  readonly items: readonly TrayItem[];
}

/** An app that was opened lately, by what opens it again. */
export interface RecentApp {
  readonly app: string;
  readonly name: string;
}

export interface TrayFacts {
  readonly overview: Overview;
  /** All that can be chosen. */
  readonly profiles: readonly ProfileHead[];
  /** Id of the one for apps that are bound to none. */
  readonly defaultProfile: string | undefined;
  /** Newest first. */
  readonly recent: readonly RecentApp[];
  readonly isBlocking: boolean;
  readonly isProxyingOff: boolean;
  /** Some app runs that proxying can be turned off for. */
  readonly canTurnOff: boolean;
  /** The lanes that can have their proxy back. */
  readonly restorable: ReadonlySet<string>;
}

interface Shown {
  readonly lane: ShownLane;
  readonly standing: Standing;
}

/** The whole menu. */
export function trayModel(facts: TrayFacts, words: Words): TrayModel {
  const shown = shownLanes(facts.overview);
  const { state, status } = stateOf(facts, shown, words);
  const { menu } = words;
  const apps = shown.slice(0, maxApps).map((app) => appMenu(app, facts, words));
  if (shown.length > maxApps) apps.push(action('more', menu.more, { do: 'running' }));
  if (apps.length > 0) apps.unshift({ kind: 'separator', id: 'apps' });
  return {
    state,
    status,
    items: [
      { kind: 'text', id: 'status', label: status },
      action('open', menu.open, { do: 'open' }),
      action('open-app', menu.openApp, { do: 'apps' }),
      ...recentMenu(facts, words),
      ...apps,
      { kind: 'separator', id: 'all' },
      defaultMenu(facts, words),
      {
        kind: 'check',
        id: 'proxying',
        label: menu.proxying,
        isChecked: !facts.isProxyingOff,
        ...((facts.isProxyingOff || facts.canTurnOff) && {
          command: { do: 'proxying', isOn: facts.isProxyingOff },
        }),
      },
      {
        kind: 'check',
        id: 'block',
        label: menu.block,
        isChecked: facts.isBlocking,
        command: { do: 'block', isOn: !facts.isBlocking },
      },
      { kind: 'separator', id: 'end' },
      action('settings', menu.settings, { do: 'settings' }),
      action('quit', menu.quit, { do: 'quit' }),
    ],
  };
}

function recentMenu({ recent }: TrayFacts, { menu }: Words): readonly TrayItem[] {
  if (recent.length === 0) return [];
  const items = recent
    .slice(0, maxRecent)
    .map(({ app, name }) => action(`recent-${app}`, plainLabel(name), { do: 'open-app', app, name }));
  return [{ kind: 'menu', id: 'recent', label: menu.recent, items }];
}

function defaultMenu({ profiles, defaultProfile }: TrayFacts, words: Words): TrayItem {
  const { shown, isWhole } = firstProfiles(profiles, defaultProfile);
  const items = shown.flatMap(({ id, name }): TrayItem[] =>
    id === undefined
      ? []
      : [
          {
            kind: 'radio',
            id: `default-profile-${id}`,
            label: labelOf({ id, name }, words),
            isChecked: id === defaultProfile,
            command: { do: 'default', profile: id },
          },
        ],
  );
  const none: TrayItem = {
    kind: 'radio',
    id: 'default-none',
    label: words.menu.asksEachTime,
    isChecked: defaultProfile === undefined,
    command: { do: 'default', profile: undefined },
  };
  const more = isWhole ? [] : [action('default-more', words.menu.more, { do: 'profiles' })];
  return { kind: 'menu', id: 'default', label: words.menu.defaultProfile, items: [...items, none, ...more] };
}

/** As many profiles as a menu holds, the one with this id among them whatever its place is. */
function firstProfiles(
  all: readonly ProfileHead[],
  id: string | undefined,
): { shown: readonly ProfileHead[]; isWhole: boolean } {
  const first = all.slice(0, maxProfiles);
  const own = all.find((profile) => profile.id === id);
  const hasOwn = own === undefined || first.includes(own);
  return { shown: hasOwn ? first : [...first.slice(0, -1), own], isWhole: all.length <= maxProfiles };
}

/** Profiles that are built in are called by their names in the user's language. */
function labelOf({ id, name }: Pick<ProfileHead, 'id' | 'name'>, { builtIn }: Words): string {
  const known = builtInProfiles.find((other) => other === id);
  return plainLabel(known === undefined ? name : builtIn[known]);
}

/** The lanes that have an app to speak of, oldest first. */
export function runningLanes({ lanes }: Overview): readonly ShownLane[] {
  return lanes.filter(({ state }) => state !== 'gone' && state !== 'failed');
}

/** A label without what a menu would take for something else; at most `maxLabel` characters. */
export function plainLabel(text: string): string {
  const clean = text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  const letters = Array.from(new Intl.Segmenter().segment(clean), ({ segment }) => segment);
  return letters.length > maxLabel ? `${letters.slice(0, maxLabel - 1).join('')}…` : clean;
}

function shownLanes(overview: Overview): readonly Shown[] {
  const answering = new Set(overview.engines.filter(({ isAnswering }) => isAnswering).map(({ pid }) => pid));
  return runningLanes(overview).map((lane) => ({
    lane,
    standing: standingOf(lane, answering.has(lane.engine)),
  }));
}

/** The worst that is so: what must be known comes before what is reassuring. */
function stateOf(
  { overview, isBlocking }: TrayFacts,
  shown: readonly Shown[],
  { status }: Words,
): { state: TrayState; status: string } {
  const count = (standing: Standing): number => shown.filter((app) => app.standing === standing).length;
  if (overview.own.state === 'failed') return { state: 'trouble', status: status.engineFailed };
  if (count('silent') > 0) return { state: 'trouble', status: status.silent };
  if (isBlocking && shown.every(({ lane }) => lane.via === 'blocked'))
    return { state: 'blocked', status: status.blocked };
  if (count('blocked') > 0) return { state: 'trouble', status: status.unreachable };
  if (count('direct') > 0)
    return { state: 'idle', status: status.unprotected(count('direct'), shown.length) };
  if (count('protected') > 0) return { state: 'protected', status: status.protected(count('protected')) };
  if (count('no-network') > 0) return { state: 'blocked', status: status.offline(count('no-network')) };
  return { state: 'idle', status: status.idle };
}

function appMenu({ lane, standing }: Shown, facts: TrayFacts, words: Words): TrayItem {
  const id = `lane-${lane.id}`;
  const isProxied = lane.via !== 'direct' && lane.via !== 'blocked';
  // A proxy that was typed on the command line has no name by which it could be given back.
  const canTurn = isProxied ? lane.profile.id !== undefined : facts.restorable.has(lane.id);
  const isThere = lane.state === 'running' && standing !== 'silent' && !facts.isBlocking;
  return {
    kind: 'menu',
    id,
    label: plainLabel(`${lane.name} · ${labelOf(lane.profile, words)}`),
    items: [
      { kind: 'text', id: `${id}-standing`, label: words.standing[standing] },
      {
        kind: 'check',
        id: `${id}-proxy`,
        label: words.menu.proxy,
        isChecked: isProxied,
        ...(isThere && canTurn && { command: { do: 'proxy', lane: lane.id, isOn: !isProxied } }),
      },
      { kind: 'separator', id: `${id}-profiles` },
      ...profileItems(lane, facts.profiles, words),
      { kind: 'separator', id: `${id}-end` },
      action(`${id}-check`, words.menu.check, { do: 'check', lane: lane.id }),
      action(`${id}-stop`, words.menu.stop, { do: 'stop', lane: lane.id }),
    ],
  };
}

/** One for each profile, the app's own among them whatever it is. */
function profileItems(lane: ShownLane, profiles: readonly ProfileHead[], words: Words): readonly TrayItem[] {
  const id = `lane-${lane.id}`;
  const isKnown = profiles.some((profile) => profile.id === lane.profile.id);
  const all = isKnown ? profiles : [lane.profile, ...profiles];
  const { shown, isWhole } = firstProfiles(all, lane.profile.id);
  const items = shown.map((profile): TrayItem => ({
    kind: 'radio',
    id: `${id}-profile-${profile.id ?? ''}`,
    label: labelOf(profile, words),
    isChecked: profile.id === lane.profile.id,
    ...(profile.id !== undefined && { command: { do: 'switch', lane: lane.id, profile: profile.id } }),
  }));
  return isWhole ? items : [...items, action(`${id}-more`, words.menu.more, { do: 'running' })];
}

function action(id: string, label: string, command: TrayCommand): TrayItem {
  return { kind: 'action', id, label, command };
}
