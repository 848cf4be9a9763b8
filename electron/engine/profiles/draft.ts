/** A profile as a form has it, before it is saved: checked as a part of the configuration that it would make. Pure. */
import { CulvertError } from '#shared/failure.ts';
import { findProfile, type Config, type Profile } from '#shared/profile.ts';
import { addProfile, replaceProfile } from '../config/edit.ts';
import { checkConfig } from '../config/parse.ts';
import { InvalidConfig, invalidConfig, type Path } from '../config/problems.ts';
import { readServer } from '../import/upstream.ts';
import type { PasswordChange } from './profile-keeper.ts';

/**
 * The profile as it would be written, with all that was left out; a new one with an id that is free. Throws
 * `config-invalid` with the fields as the profile has them (`chain.servers[0].host`), `profile-unknown`, and
 * `option-invalid` for a built-in one.
 */
export function checkedDraft(
  config: Config,
  draft: Profile,
  { isNew, passwords }: { isNew: boolean; passwords: readonly PasswordChange[] },
): Profile {
  const { id, ...fields } = draft;
  const at = isNew ? config.profiles.length : config.profiles.findIndex((profile) => profile.id === id);
  const profile = inFieldsOf(at, () => {
    if (isNew) return addProfile(config, fields).profile;
    return findProfile(checkConfig(replaceProfile(config, draft)), id);
  });
  if (profile === undefined) throw new CulvertError('profile-unknown', { detail: id });
  checkServers(profile, passwords);
  return profile;
}

/** What no schema can say of a server: that its proxy could be told all this. */
function checkServers({ chain }: Profile, passwords: readonly PasswordChange[]): void {
  const problems = chain.servers.flatMap((server, index) => {
    const password = passwords.find((change) => change.server === server.id)?.password ?? undefined;
    const read = readServer({ ...server, password: server.user === undefined ? undefined : password });
    return read.ok ? [] : [{ path: ['chain', 'servers', index], message: read.reason }];
  });
  if (problems.length > 0) throw invalidConfig(problems);
}

/** The same problems, told of the profile instead of the configuration that has it at this place. */
function inFieldsOf<T>(at: number, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof InvalidConfig)) throw error;
    const isOfIt = ([list, index]: Path): boolean => list === 'profiles' && index === at;
    throw invalidConfig(
      error.problems.map((problem) =>
        isOfIt(problem.path) ? { ...problem, path: problem.path.slice(2) } : problem,
      ),
    );
  }
}
