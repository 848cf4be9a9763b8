/** The configuration of a user of a world, written as a person would: by hand. */
import { chownSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '#shared/profile.ts';
import type { Proxy } from '../world/proxies.ts';
import type { UserName, World } from '../world/world.ts';

/** Writes culvert.json for a user, whole. Passwords are in secrets.json, as where there is no keyring. */
export function writeConfig(
  world: World,
  config: object & Partial<Record<keyof Config, unknown>>,
  user: UserName = 'culvert-a',
): void {
  const { home, uid, gid } = world.users[user];
  const dir = join(home, '.config', 'culvert');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, 'culvert.json');
  writeFileSync(`${file}.new`, JSON.stringify({ version: 1, ...config }, null, 2), { mode: 0o600 });
  for (const path of [join(home, '.config'), dir, `${file}.new`]) chownSync(path, uid, gid);
  renameSync(`${file}.new`, file);
}

/** A server of a profile for a proxy of the world without a sign-in. */
export function serverOf({ url, address, port }: Pick<Proxy, 'url' | 'address' | 'port'>, id = 's1') {
  return { id, kind: url.slice(0, url.indexOf(':')), host: address, port };
}
