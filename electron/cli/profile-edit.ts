/**
 * `culvert profile add`, `edit`, `rm` and `default`. Must not: let a password into the configuration, or leave a
 * profile half made: where its password cannot be kept it goes again.
 */
import { CulvertError } from '#shared/failure.ts';
import { inEnglish } from '#shared/phrase.ts';
import type { Profile, Server } from '#shared/profile.ts';
import { ConfigStore, replaceProfile, sayUses, setDefault, type Launcher } from '#engine';
import {
  newProfile,
  passwordsWith,
  ProfileKeeper,
  readProxies,
  serversOf,
  type PasswordChange,
} from '#engine/profiles';
import { openSecrets, tellPlace } from './kept-passwords.ts';
import { complain, print } from './output.ts';
import { askOnTerminal } from './password.ts';
import { withOptions, type ProfileOptions } from './profile-options.ts';
import { endInterrupted, lineOfStdin, withPasswords, type PasswordOptions } from './proxy-passwords.ts';
import { namedProfile } from './stored-profile.ts';

export interface AddOptions extends ProfileOptions, PasswordOptions {
  readonly id?: string | undefined;
  readonly default?: boolean | undefined;
}

/** Prints the id. Throws `proxy-url-invalid`, `option-invalid`, `config-invalid` and what writing may. */
export async function add(
  proxies: readonly string[],
  options: AddOptions,
  productDir: string,
): Promise<void> {
  const typed = readProxies(proxies, process.env);
  const upstreams = await withPasswords(typed.upstreams, options);
  if (upstreams === 'interrupted') return endInterrupted();
  const name = options.name ?? typed.name;
  const { id, ...fields } = withOptions(newProfile(name, upstreams), options);
  const passwords = passwordsWith(id, fields.chain.servers, upstreams);
  using secrets = await openSecrets(productDir);
  const keeper = new ProfileKeeper({ store: ConfigStore.open(), secrets, mayBeLost: false });
  const added = await keeper.add(
    { ...fields, ...(options.id === undefined ? {} : { id: options.id }) },
    passwords,
    () => options.default === true,
  );
  tellPlace(secrets, passwords.length);
  print(added.id);
}

export interface EditOptions extends ProfileOptions, PasswordOptions {
  readonly addServer?: readonly string[] | undefined;
  readonly removeServer?: readonly string[] | undefined;
  readonly askPassword?: boolean | undefined;
  /** Another id. */
  readonly rename?: string | undefined;
  readonly default?: boolean | undefined;
}

/** Prints the id. Throws `profile-unknown`, `option-invalid`, `config-invalid` and what writing may. */
export async function edit(name: string, options: EditOptions, productDir: string): Promise<void> {
  const store = ConfigStore.open();
  const config = store.read();
  const before = namedProfile(config, name);
  // Refuses a built-in one before anything is asked or kept.
  replaceProfile(config, before);
  const change = await changeOf(before, options);
  using secrets = await openSecrets(productDir);
  const keeper = new ProfileKeeper({ store, secrets, mayBeLost: false });
  await keeper.change(before.id, { ...change, isDefault: options.default === true });
  tellPlace(secrets, change.passwords.length);
  const { rename } = options;
  if (rename !== undefined) tellLaunchers(before.id, await keeper.rename(before.id, rename));
  print(rename ?? before.id);
}

interface Change {
  readonly apply: (profile: Profile) => Profile;
  readonly passwords: readonly PasswordChange[];
}

async function changeOf(profile: Profile, options: EditOptions): Promise<Change> {
  const removed = options.removeServer ?? [];
  const unknown = removed.find((id) => profile.chain.servers.every((server) => server.id !== id));
  if (unknown !== undefined) throw invalid(`${profile.id} has no server “${unknown}”`);
  const typed = readProxies(options.addServer ?? [], process.env).upstreams;
  const isForNew = typed.some(({ user }) => user !== undefined) && options.server === undefined;
  const added = await withPasswords(typed, isForNew ? options : {});
  if (added === 'interrupted') return endInterrupted();
  const servers = serversOf(added, profile.chain.servers);
  const own = isForNew ? [] : await ownPassword(profile, options);
  return {
    apply: (current) => {
      const changed = withOptions(current, options);
      const kept = changed.chain.servers.filter(({ id }) => !removed.includes(id));
      return { ...changed, chain: { ...changed.chain, servers: [...kept, ...servers] } };
    },
    passwords: [...passwordsWith(profile.id, servers, added), ...own],
  };
}

/** Another password for a server that the profile has. */
async function ownPassword(profile: Profile, options: EditOptions): Promise<PasswordChange[]> {
  if (options.passwordStdin !== true && options.askPassword !== true) return [];
  const { id: server } = serverFor(profile, options.server);
  if (options.passwordStdin === true) return [{ server, password: lineOfStdin() }];
  const asked = await askOnTerminal(`Password for ${profile.name}: `);
  if (asked.kind === 'interrupted') return endInterrupted();
  if (asked.kind === 'unasked') throw invalid('--ask-password needs a terminal; use --password-stdin');
  return [{ server, password: asked.text }];
}

/** The named one, else the only one that has a user. */
function serverFor({ id, chain }: Profile, name: string | undefined): Server {
  const withUser = chain.servers.filter(({ user }) => user !== undefined);
  const found = name === undefined ? withUser : withUser.filter((server) => server.id === name);
  const [only, ...more] = found;
  if (only === undefined)
    throw invalid(`${id} has no server ${name === undefined ? '' : `“${name}” `}with a user name`);
  if (more.length > 0)
    throw invalid(`name one of its servers: --server ${found.map((server) => server.id).join('|')}`);
  return only;
}

export interface RemoveOptions {
  readonly force?: boolean | undefined;
}

/** Throws `profile-unknown`, `profile-in-use` with what uses it, and what writing may. */
export async function remove(name: string, options: RemoveOptions, productDir: string): Promise<void> {
  const store = ConfigStore.open();
  const { id } = namedProfile(store.read(), name);
  using secrets = await openSecrets(productDir);
  const keeper = new ProfileKeeper({ store, secrets, mayBeLost: false });
  const uses = await keeper.remove(id, options.force === true);
  const used = inEnglish(sayUses(uses));
  if (used !== '')
    complain(`${id} is gone — it was in use: ${used} — see \`culvert rule ls\` and \`culvert app ls\``);
  tellLaunchers(id, uses.launchers);
  print(id);
}

function tellLaunchers(profile: string, launchers: readonly Launcher[]): void {
  for (const { id, name } of launchers)
    complain(
      `the launcher “${name}” opens nothing any more — its profile “${profile}” is gone — ` +
        `remove it with \`culvert launcher rm ${id}\``,
    );
}

export interface DefaultOptions {
  readonly none?: boolean | undefined;
}

/** Sets the default profile, or prints its id. Throws `profile-unknown`, `option-invalid`. */
export async function setDefaultProfile(name: string | undefined, options: DefaultOptions): Promise<void> {
  const store = ConfigStore.open();
  if (name !== undefined && options.none === true) throw invalid('name a profile, or --none');
  if (name === undefined && options.none !== true) {
    const { defaultProfile } = store.read();
    if (defaultProfile !== undefined) print(defaultProfile);
    return;
  }
  await store.update((config) =>
    setDefault(config, name === undefined ? undefined : namedProfile(config, name).id),
  );
}

function invalid(detail: string): CulvertError {
  return new CulvertError('option-invalid', { detail });
}
