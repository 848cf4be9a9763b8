/** After electron-builder has laid a product out: takes away what is Electron's demo, and what others could write. */
import { chmodSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Nothing is set-uid, Chromium's own sandbox program neither: it is the kernel's user namespaces that the window's
 * sandbox is made of.
 * @param {string} dir
 */
export function settle(dir) {
  for (const name of ['resources/default_app.asar', 'version']) rmSync(join(dir, name), { force: true });
  for (const name of ['', ...readdirSync(dir, { recursive: true })]) {
    const path = join(dir, String(name));
    const stat = lstatSync(path);
    if (!stat.isSymbolicLink()) chmodSync(path, (stat.mode & 0o111) === 0 ? 0o644 : 0o755);
  }
}
