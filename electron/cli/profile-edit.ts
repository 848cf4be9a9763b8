/**
 * `culvert profile add`, `edit`, `rm` and `default`. Must not: let a password into the configuration, or leave a
 * profile half made: where its password cannot be kept it goes again.
 */
import { CulvertError } from '#shared/failure.ts';
import type { Profile, Server } from '#shared/profile.ts';
import { listLaunchers } from '#engine';
import {
  addProfile,
  ConfigStore,
  formatUses,
  removeProfile,
  renameProfile,
  replaceProfile,
  setDefault,
  usesOfProfile,
  type Secrets,
} from '#engine';
import { keepPasswords, openSecrets, passwordsOf, type ServerPassword } from './kept-passwords.ts';
import { complain, print } from './output.ts';
import { askOnTerminal } from './password.ts';
import { newProfile, serversOf, withOptions, type ProfileOptions } from './profile-options.ts';
import { endInterrupted, lineOfStdin, withPasswords, type PasswordOptions } from './proxy-passwords.ts';
import { namedProfile } from './stored-profile.ts';
import { readProxies } from './typed-proxies.ts';

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
  const { id: _, ...fields } = withOptions(newProfile(name, upstreams), options);
  const store = ConfigStore.open();
  let added: Profile | undefined;
  await store.update((config) => {
    const next = addProfile(config, { ...fields, ...(options.id === undefined ? {} : { id: options.id }) });
    added = next.profile;
    return options.default === true ? setDefault(next.config, added.id) : next.config;
  });
  if (added === undefined) throw new CulvertError('internal', { detail: 'no profile was added' });
  const { id, chain } = added;
  using secrets = await openSecrets(productDir);
  try {
    await keepPasswords(secrets, pairsOf(id, chain.servers, upstreams));
  } catch (error) {
    await store.update((config) => removeProfile(config, id, { force: true }));
    throw error;
  }
  print(id);
}

function pairsOf(
  profile: string,
  servers: readonly Server[],
  upstreams: readonly { readonly password?: string | undefined }[],
): ServerPassword[] {
  return servers.flatMap(({ id: server }, index) => {
    const password = upstreams[index]?.password;
    return password === undefined ? [] : [{ profile, server, password }];
  });
}

export interface EditOptions extends ProfileOptions, PasswordOptions {
  readonly addServer?: readonly string[] | undefined;
  readonly removeServer?: readonly string[] | undefined;
  /** Which one the password is for. */
  readonly server?: string | undefined;
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
  // First the passwords: lanes that run follow the configuration, and read them then.
  await keepPasswords(secrets, change.passwords);
  const next = await store
    .update((current) => {
      const changed = replaceProfile(current, change.apply(namedProfile(current, before.id)));
      return options.default === true ? setDefault(changed, before.id) : changed;
    })
    .catch(async (error: unknown) => {
      for (const server of change.added) await secrets.remove(before.id, server);
      throw error;
    });
  for (const server of change.removed) await secrets.remove(before.id, server);
  const { rename } = options;
  if (rename !== undefined) await moveProfile(store, secrets, namedProfile(next, before.id), rename);
  print(rename ?? before.id);
}

interface Change {
  readonly apply: (profile: Profile) => Profile;
  readonly passwords: readonly ServerPassword[];
  /** Ids of servers that come and go. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
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
    passwords: [...pairsOf(profile.id, servers, added), ...own],
    added: servers.map(({ id }) => id),
    removed,
  };
}

/** Another password for a server that the profile has. */
async function ownPassword(profile: Profile, options: EditOptions): Promise<ServerPassword[]> {
  if (options.passwordStdin !== true && options.askPassword !== true) return [];
  const { id: server } = serverFor(profile, options.server);
  if (options.passwordStdin === true) return [{ profile: profile.id, server, password: lineOfStdin() }];
  const asked = await askOnTerminal(`Password for ${profile.name}: `);
  if (asked.kind === 'interrupted') return endInterrupted();
  if (asked.kind === 'unasked') throw invalid('--ask-password needs a terminal; use --password-stdin');
  return [{ profile: profile.id, server, password: asked.text }];
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

async function moveProfile(
  store: ConfigStore,
  secrets: Secrets,
  profile: Profile,
  next: string,
): Promise<void> {
  const passwords = await passwordsOf(secrets, profile);
  await store.update((config) => renameProfile(config, profile.id, next));
  if (profile.id === next) return;
  await keepPasswords(
    secrets,
    passwords.map((password) => ({ ...password, profile: next })),
  );
  await secrets.removeProfile(profile.id);
  await tellLaunchers(profile.id);
}

export interface RemoveOptions {
  readonly force?: boolean | undefined;
}

/** Throws `profile-unknown`, `profile-in-use` with what uses it, and what writing may. */
export async function remove(name: string, options: RemoveOptions, productDir: string): Promise<void> {
  const store = ConfigStore.open();
  const { id } = namedProfile(store.read(), name);
  let used = '';
  await store.update((config) => {
    used = formatUses(usesOfProfile(config, id));
    return removeProfile(config, id, { force: options.force === true });
  });
  using secrets = await openSecrets(productDir);
  await secrets.removeProfile(id);
  if (used !== '')
    complain(`${id} is gone — it was in use: ${used} — see \`culvert rule ls\` and \`culvert app ls\``);
  await tellLaunchers(id);
  print(id);
}

async function tellLaunchers(profile: string): Promise<void> {
  for (const { id, name, profile: own } of await listLaunchers()) {
    if (own !== profile) continue;
    complain(
      `the launcher “${name}” opens nothing any more — its profile “${profile}” is gone — ` +
        `remove it with \`culvert launcher rm ${id}\``,
    );
  }
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
