/** `culvert app ls`, `bind` and `unbind`: which app uses which profile. */
import { isatty } from 'node:tty';
import { CulvertError } from '#shared/failure.ts';
import type { Config } from '#shared/profile.ts';
import {
  bindApp,
  boundProfile,
  Catalogue,
  ConfigStore,
  namesOfText,
  search,
  typedApp,
  unbindApp,
  type App,
} from '#engine';
import { type Column, complain, print, styleFor, table, write } from './output.ts';
import { namedProfile } from './stored-profile.ts';

export interface AppListOptions {
  readonly json?: boolean | undefined;
}

const schema = 1;

const columns: readonly Column[] = [
  { title: 'ID' },
  { title: 'NAME' },
  { title: 'PROFILE' },
  { title: 'KIND' },
];

/** One app of the list; `kind` is `program` for what is bound but no desktop entry. */
export interface ListedApp {
  readonly id: string;
  readonly name: string;
  /** The profile that it is bound to. */
  readonly profile?: string;
  readonly kind: App['packaging'] | 'program';
}

/** Those that match the text, installed ones first; then programs that are bound and whose name has it. */
export function listedApps(installed: readonly App[], config: Config, text: string): ListedApp[] {
  const known = new Set(installed.map(({ id }) => id));
  const apps = search(installed, text).map(({ id, name, packaging }): ListedApp => {
    const profile = boundProfile(config, [id]);
    return { id, name, ...(profile === undefined ? {} : { profile }), kind: packaging };
  });
  const programs = Object.entries(config.apps)
    .filter(([id]) => !known.has(id) && id.toLowerCase().includes(text.toLowerCase()))
    .map(([id, profile]): ListedApp => ({ id, name: id, profile, kind: 'program' }));
  return [...apps, ...programs];
}

/** Throws what reading the configuration may. */
export async function listApps(text: string, options: AppListOptions): Promise<void> {
  const config = ConfigStore.open().read();
  const apps = listedApps(await new Catalogue().shown(), config, text);
  if (options.json === true) {
    const { defaultProfile } = config;
    print(JSON.stringify({ schema, ...(defaultProfile === undefined ? {} : { defaultProfile }), apps }));
    return;
  }
  const rows = apps.map(({ id, name, profile, kind }) => [id, name, profile ?? '-', kind]);
  write(1, table(columns, rows, { isTerminal: isatty(1), style: styleFor(1) }));
}

/**
 * Has an app use a profile from now on; prints its id. Throws `app-unknown`, `app-ambiguous`, `app-refused`,
 * `profile-unknown` and what writing may.
 */
export async function bind(app: string, profile: string): Promise<void> {
  const [id] = (await typedApp(app, new Catalogue())).names;
  if (id.length > 255) throw new CulvertError('option-invalid', { detail: 'the path is too long' });
  await ConfigStore.open().update((config) => bindApp(config, id, namedProfile(config, profile).id));
  print(id);
}

/** Has an app use the default profile again; prints its id. Throws `app-ambiguous` and what writing may. */
export async function unbind(app: string): Promise<void> {
  const store = ConfigStore.open();
  const { apps } = store.read();
  // As it is written first: what is bound may not be installed any more.
  const names = Object.hasOwn(apps, app) ? [app] : await namesOfText(app, new Catalogue());
  const id = names.find((name) => Object.hasOwn(apps, name));
  if (id === undefined) {
    complain(`nothing was changed — ${app} is bound to no profile — see \`culvert app ls\``);
    return;
  }
  await store.update((config) => unbindApp(config, id));
  print(id);
}
