/** The passwords of a profile's servers on their way to where they are kept, and telling of it. */
import { CulvertError } from '#shared/failure.ts';
import type { Profile } from '#shared/profile.ts';
import { Secrets } from '#engine';
import { complain } from './output.ts';

export interface ServerPassword {
  readonly profile: string;
  readonly server: string;
  readonly password: string;
}

/** `productDir` is where the program is that asks the keyring. */
export function openSecrets(productDir: string): Promise<Secrets> {
  return Secrets.open({ productDir });
}

/**
 * Keeps them all, and says on stderr where. Throws `config-unwritable` where they would be lost with this process,
 * and what `Secrets.set` may; those before it are kept then.
 */
export async function keepPasswords(secrets: Secrets, passwords: readonly ServerPassword[]): Promise<void> {
  if (passwords.length === 0) return;
  for (const { profile, server, password } of passwords) {
    await secrets.set(profile, server, password);
    if (secrets.kind !== 'memory') continue;
    await secrets.remove(profile, server);
    throw new CulvertError('config-unwritable', { detail: 'the password cannot be kept anywhere' });
  }
  tellPlace(secrets, passwords.length);
}

function tellPlace(secrets: Secrets, number: number): void {
  const { notice } = secrets;
  if (notice !== undefined) notice.split('\n').forEach(complain);
  else
    complain(
      `${number === 1 ? 'the password is' : `${number} passwords are`} kept — in the keyring of this session — ` +
        'the configuration has none',
    );
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
