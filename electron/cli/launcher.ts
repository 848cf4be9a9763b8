/** `culvert launcher`: entries in the desktop's menu that open an app through a profile. */
import { isatty } from 'node:tty';
import { CulvertError } from '#shared/failure.ts';
import { findProfile } from '#shared/profile.ts';
import {
  Catalogue,
  ConfigStore,
  createLauncher,
  listLaunchers,
  ownProgram,
  removeLauncher,
  typedApp,
  type Launcher,
} from '#engine';
import { type Column, complain, print, styleFor, table, write } from './output.ts';
import { namedProfile } from './stored-profile.ts';

export interface LauncherCreateOptions {
  readonly profile: string;
  readonly name?: string | undefined;
}

export interface LauncherListOptions {
  readonly json?: boolean | undefined;
}

const schema = 1;
const columns: readonly Column[] = [
  { title: 'ID' },
  { title: 'NAME' },
  { title: 'APP' },
  { title: 'PROFILE' },
  { title: 'WARNING' },
];

/**
 * Prints the id. Throws `option-invalid`, `app-unknown`, `app-ambiguous`, `app-refused`, `profile-unknown`,
 * `app-untrusted`, `entry-invalid` and what writing may.
 */
export async function createOne(
  app: string,
  options: LauncherCreateOptions,
  productDir: string,
): Promise<void> {
  const profile = namedProfile(ConfigStore.open().read(), options.profile);
  const found = await typedApp(app, new Catalogue());
  if (found.untrusted !== undefined)
    throw new CulvertError('app-untrusted', { detail: found.untrusted.command.join(' ') });
  const culvert = ownProgram(productDir);
  const { id } = await createLauncher({
    culvert,
    app: found.app.id,
    profile: { id: profile.id, name: profile.name },
    ...(found.program === undefined ? { source: found.app.source } : {}),
    ...(options.name === undefined ? {} : { name: options.name }),
  });
  print(id);
}

/** Throws what reading the configuration may. */
export async function listAll(options: LauncherListOptions): Promise<void> {
  const config = ConfigStore.open().read();
  const launchers = (await listLaunchers()).map((launcher) => ({
    ...launcher,
    isProfileGone: findProfile(config, launcher.profile) === undefined,
  }));
  if (options.json === true) {
    print(JSON.stringify({ schema, launchers }));
    return;
  }
  const rows = launchers.map(({ id, name, app, profile, isProfileGone }) => [
    ...[id, name, app, profile],
    isProfileGone ? 'its profile is gone' : '',
  ]);
  write(1, table(columns, rows, { isTerminal: isatty(1), style: styleFor(1) }));
}

/** Prints the ids. Throws `launcher-unknown`. */
export async function removeSome(ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const { name, file }: Launcher = await removeLauncher(id);
    complain(`the launcher “${name}” is gone — it was ${file} — the app itself is as it was`);
  }
}
