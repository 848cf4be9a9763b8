/** The passwords of a profile's servers on their way to where they are kept, and back. */
import { CulvertError } from '#shared/failure.ts';
import { phrase } from '#shared/phrase.ts';
import type { Upstream } from '#shared/model.ts';
import type { Profile, Server } from '#shared/profile.ts';
import type { Secrets } from '../secrets/secrets.ts';

export interface ServerPassword {
  readonly profile: string;
  readonly server: string;
  readonly password: string;
}

/** The passwords that came with the proxies of which these servers were made, in the same order. */
export function passwordsWith(
  profile: string,
  servers: readonly Server[],
  upstreams: readonly Pick<Upstream, 'password'>[],
): ServerPassword[] {
  return servers.flatMap(({ id: server }, index) => {
    const password = upstreams[index]?.password;
    return password === undefined ? [] : [{ profile, server, password }];
  });
}

/**
 * Keeps them all. Throws what `Secrets.set` may, and, unless they may be lost with this process, `config-unwritable`
 * where no other place takes them; those before it are kept then.
 */
export async function keepPasswords(
  secrets: Secrets,
  passwords: readonly ServerPassword[],
  mayBeLost: boolean,
): Promise<void> {
  for (const { profile, server, password } of passwords) {
    await secrets.set(profile, server, password);
    if (secrets.kind !== 'memory' || mayBeLost) continue;
    await secrets.remove(profile, server);
    throw new CulvertError('config-unwritable', { detail: phrase('password.nowhere') });
  }
}

/** The kept passwords of a profile's servers. Throws `secret-unreadable`. */
export async function passwordsOf(secrets: Secrets, profile: Profile): Promise<ServerPassword[]> {
  const found: ServerPassword[] = [];
  for (const { id: server, user } of profile.chain.servers) {
    const password = user === undefined ? undefined : await secrets.get(profile.id, server);
    if (password !== undefined) found.push({ profile: profile.id, server, password });
  }
  return found;
}
