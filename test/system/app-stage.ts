/** A user of a world who has apps: desktop entries and scripts in the home, written as installers would. */
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { World } from '../world/world.ts';

/** Writes a file of culvert-a's below its home, with the directories above it; answers its path. */
export function put(world: World, path: string, content: string | Uint8Array, mode = 0o644): string {
  const { home, uid, gid } = world.users['culvert-a'];
  const file = join(home, path);
  const missing: string[] = [];
  for (let dir = dirname(file); dir.length > home.length; dir = dirname(dir)) missing.unshift(dir);
  for (const dir of missing) {
    mkdirSync(dir, { recursive: true, mode: 0o755 });
    chownSync(dir, uid, gid);
  }
  writeFileSync(file, content);
  chmodSync(file, mode);
  chownSync(file, uid, gid);
  return file;
}

/** A desktop entry in the user's application folder. */
export function install(world: World, id: string, exec: string, more = ''): string {
  return put(world, `.local/share/applications/${id}.desktop`, entryText(exec, more));
}

export function entryText(exec: string, more = ''): string {
  return `[Desktop Entry]\nType=Application\nName=The App\nExec=${exec}\n${more}`;
}
