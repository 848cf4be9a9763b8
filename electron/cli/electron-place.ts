/** Where Electron is for this product: in a package above it, in a clone in node_modules or where set-up put it. */
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { installedWindow } from '#engine';

/** The program, or undefined where there is none. `productDir` is where bin/, native/ and the other programs are. */
export function findElectron(productDir: string): string | undefined {
  const installed = installedWindow(productDir);
  if (installed !== undefined) return installed;
  const given = process.env['XDG_CACHE_HOME'] ?? '';
  const cache = join(isAbsolute(given) ? given : join(homedir(), '.cache'), 'culvert');
  const cached = existsSync(cache) ? readdirSync(cache).filter((name) => name.startsWith('electron-')) : [];
  const places = [
    join(productDir, '..', 'node_modules', 'electron', 'dist', 'electron'),
    ...cached.map((name) => join(cache, name, 'electron')),
  ];
  return places.find((path) => existsSync(path));
}
