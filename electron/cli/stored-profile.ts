/** Profiles of the configuration, as people name them. Plain functions. */
import { CulvertError } from '#shared/failure.ts';
import { findProfile, type Config, type Profile } from '#shared/profile.ts';
import { boundProfile } from '#engine';

/** The profile with this id, or the one of this name. Throws `profile-unknown`, also where two have the name. */
export function namedProfile(config: Config, name: string): Profile {
  const byId = findProfile(config, name);
  if (byId !== undefined) return byId;
  const named = config.profiles.filter((profile) => profile.name === name);
  const [only, ...more] = named;
  if (only === undefined) throw new CulvertError('profile-unknown', { detail: name });
  if (more.length > 0) {
    const ids = named.map(({ id }) => id).join(', ');
    throw new CulvertError('profile-unknown', { detail: `${name} is the name of several: ${ids}` });
  }
  return only;
}

/**
 * The profile that an app gets: the named one, else the one that it is bound to, else the default. Throws
 * `profile-unknown`, and `profile-missing` where there is none at all.
 */
export function profileFor(config: Config, name: string | undefined, apps: readonly string[]): Profile {
  const chosen = name ?? boundProfile(config, apps) ?? config.defaultProfile;
  if (chosen !== undefined) return namedProfile(config, chosen);
  throw new CulvertError('profile-missing', { detail: apps[0] ?? '' });
}
