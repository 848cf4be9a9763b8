/**
 * Profiles and their passwords, changed together: the configuration has the ones, `Secrets` the others.
 *
 * Must not: let a password into the configuration, leave a profile half made (where its password cannot be kept it
 * goes again), or leave a password behind whose server is gone.
 */
import { CulvertError } from '#shared/failure.ts';
import { findProfile, type Config, type Profile } from '#shared/profile.ts';
import { listLaunchers, type Launcher } from '../apps/index.ts';
import {
  addProfile,
  duplicateProfile,
  removeProfile,
  renameProfile,
  replaceProfile,
  setDefault,
  usesOfProfile,
  type Added,
  type ProfileFields,
  type ProfileUses,
} from '../config/edit.ts';
import type { ConfigStore } from '../config/store.ts';
import { mergeImport, type ImportResult, type MergedImport } from '../import/index.ts';
import type { Secrets } from '../secrets/secrets.ts';
import { keepPasswords, passwordsOf, type ServerPassword } from './kept-passwords.ts';

export interface KeeperOptions {
  readonly store: ConfigStore;
  readonly secrets: Secrets;
  /** Whether passwords that no other place takes may stay in this process, and end with it. */
  readonly mayBeLost: boolean;
}

/** The password of one server of the profile that is meant; null forgets it. */
export interface PasswordChange {
  readonly server: string;
  readonly password: string | null;
}

/** Of how a profile becomes another one. */
export interface ProfileChange {
  /** From the profile as it is when it is written. */
  readonly apply: (profile: Profile) => Profile;
  readonly passwords: readonly PasswordChange[];
  readonly isDefault?: boolean;
}

/** What uses a profile, the launchers that open apps through it among it. */
export interface AllUses extends ProfileUses {
  readonly launchers: readonly Launcher[];
}

export class ProfileKeeper {
  readonly #store: ConfigStore;
  readonly #secrets: Secrets;
  readonly #mayBeLost: boolean;

  constructor({ store, secrets, mayBeLost }: KeeperOptions) {
    this.#store = store;
    this.#secrets = secrets;
    this.#mayBeLost = mayBeLost;
  }

  /**
   * A new profile with the passwords of its servers. `isDefault` is asked with the configuration before it. Throws
   * `config-invalid` and what writing may; then there is no such profile.
   */
  async add(
    fields: ProfileFields,
    passwords: readonly PasswordChange[],
    isDefault: (config: Config) => boolean,
  ): Promise<Profile> {
    return this.#addWith(
      (config) => {
        const added = addProfile(config, fields);
        return isDefault(config) ? { ...added, config: setDefault(added.config, added.profile.id) } : added;
      },
      ({ id }) => Promise.resolve(kept(id, passwords)),
    );
  }

  /** A copy under another name, with its passwords. Throws `profile-unknown` and as `add`. */
  async duplicate(id: string): Promise<Profile> {
    return this.#addWith(
      (config) => duplicateProfile(config, id),
      async (copy) => {
        const original = findProfile(this.#store.read(), id);
        const passwords = original === undefined ? [] : await passwordsOf(this.#secrets, original);
        return passwords.map((password) => ({ ...password, profile: copy.id }));
      },
    );
  }

  /**
   * Changes a profile, and forgets the passwords of servers that go or lose their users. Throws `profile-unknown`,
   * `option-invalid` for a built-in one, `config-invalid` with fields of the profile, and what writing may.
   */
  async change(id: string, { apply, passwords, isDefault = false }: ProfileChange): Promise<Profile> {
    const changed = (config: Config): Config => {
      const before = ownProfile(config, id);
      const next = replaceProfile(config, apply(before));
      return isDefault ? setDefault(next, id) : next;
    };
    const config = this.#store.read();
    const before = ownProfile(config, id);
    // Refuses a built-in one before anything is kept.
    replaceProfile(config, before);
    const had = new Set(before.chain.servers.map(({ id: server }) => server));
    // First the passwords: lanes that run follow the configuration, and read them then.
    await keepPasswords(this.#secrets, kept(id, passwords), this.#mayBeLost);
    const next = await this.#store.update(changed).catch(async (error: unknown) => {
      for (const { server } of passwords) if (!had.has(server)) await this.#secrets.remove(id, server);
      throw error;
    });
    const profile = ownProfile(next, id);
    for (const server of forgotten(before, profile, passwords)) await this.#secrets.remove(id, server);
    return profile;
  }

  /**
   * Gives a profile another id, with its passwords and all that names it but launchers, which are answered. Throws
   * as `renameProfile`, and what writing may.
   */
  async rename(id: string, next: string): Promise<Launcher[]> {
    const passwords = await passwordsOf(this.#secrets, ownProfile(this.#store.read(), id));
    await this.#store.update((config) => renameProfile(config, id, next));
    if (id === next) return [];
    const moved = passwords.map((password) => ({ ...password, profile: next }));
    await keepPasswords(this.#secrets, moved, this.#mayBeLost);
    await this.#secrets.removeProfile(id);
    return launchersOf(id);
  }

  /**
   * Removes a profile with its passwords; answers what used it. Launchers stay and open nothing any more. Throws as
   * `removeProfile`, and what writing may.
   */
  async remove(id: string, force: boolean): Promise<AllUses> {
    let uses: ProfileUses | undefined;
    await this.#store.update((config) => {
      uses = usesOfProfile(config, id);
      return removeProfile(config, id, { force });
    });
    await this.#secrets.removeProfile(id);
    if (uses === undefined) throw new CulvertError('internal', { detail: 'nothing was removed' });
    return { ...uses, launchers: await launchersOf(id) };
  }

  /** Takes over what was read, with its passwords. Throws as `mergeImport`, `config-invalid`, and what writing may. */
  async import(result: ImportResult): Promise<MergedImport> {
    let merged: MergedImport | undefined;
    await this.#store.update((config) => {
      merged = mergeImport(config, result);
      return merged.config;
    });
    if (merged === undefined) throw new CulvertError('internal', { detail: 'nothing was imported' });
    const { profiles, rules, secrets } = merged;
    try {
      await keepPasswords(this.#secrets, secrets, this.#mayBeLost);
    } catch (error) {
      await this.#store.update((config) => ({
        ...config,
        profiles: without(config.profiles, profiles),
        rules: without(config.rules, rules),
      }));
      for (const { id } of profiles) await this.#forget(id);
      throw error;
    }
    return merged;
  }

  async #addWith(
    change: (config: Config) => Added,
    passwords: (profile: Profile) => Promise<readonly ServerPassword[]>,
  ): Promise<Profile> {
    let added: Profile | undefined;
    let defaultBefore: string | undefined;
    await this.#store.update((config) => {
      const next = change(config);
      added = next.profile;
      defaultBefore = config.defaultProfile;
      return next.config;
    });
    if (added === undefined) throw new CulvertError('internal', { detail: 'no profile was added' });
    const { id } = added;
    try {
      await keepPasswords(this.#secrets, await passwords(added), this.#mayBeLost);
    } catch (error) {
      await this.#store.update((config) => {
        const wasDefault = config.defaultProfile === id;
        const others = removeProfile(config, id, { force: true });
        return wasDefault ? setDefault(others, defaultBefore) : others;
      });
      await this.#forget(id);
      throw error;
    }
    return added;
  }

  /** What was kept of a profile that is taken back. */
  async #forget(id: string): Promise<void> {
    try {
      await this.#secrets.removeProfile(id);
    } catch {
      // Passwords could not be kept, and so cannot be read now either: the failure that is told says why.
    }
  }
}

/** What uses a profile of the configuration. */
export async function allUsesOf(config: Config, id: string): Promise<AllUses> {
  return { ...usesOfProfile(config, id), launchers: await launchersOf(id) };
}

async function launchersOf(profile: string): Promise<Launcher[]> {
  return (await listLaunchers()).filter((launcher) => launcher.profile === profile);
}

function without<T extends { readonly id: string }>(items: readonly T[], gone: readonly T[]): T[] {
  const ids = new Set(gone.map(({ id }) => id));
  return items.filter(({ id }) => !ids.has(id));
}

function kept(profile: string, passwords: readonly PasswordChange[]): ServerPassword[] {
  return passwords.flatMap(({ server, password }) =>
    password === null ? [] : [{ profile, server, password }],
  );
}

/** The servers whose passwords go. */
function forgotten(before: Profile, after: Profile, passwords: readonly PasswordChange[]): string[] {
  const named = passwords.flatMap(({ server, password }) => (password === null ? [server] : []));
  const signsIn = (profile: Profile): string[] =>
    profile.chain.servers.flatMap(({ id, user }) => (user === undefined ? [] : [id]));
  const still = new Set(signsIn(after));
  return [...new Set([...named, ...signsIn(before).filter((server) => !still.has(server))])];
}

function ownProfile(config: Config, id: string): Profile {
  const profile = findProfile(config, id);
  if (profile === undefined) throw new CulvertError('profile-unknown', { detail: id });
  return profile;
}
