/** What the page of the window is made of, as one hash: unchanged, it need not be built again. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const folders = ['renderer', 'electron/shared'];
const files = ['build/vite.config.js', 'package-lock.json'];

/**
 * The hash over every source of the page, names included.
 * @param {string} root
 */
export function rendererSources(root) {
  const inFolders = folders
    .flatMap((folder) => readdirSync(join(root, folder), { withFileTypes: true, recursive: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const alone = files.map((file) => join(root, file)).filter((file) => existsSync(file));
  const hash = createHash('sha256');
  for (const path of [...inFolders, ...alone].toSorted()) {
    hash.update(relative(root, path)).update('\0').update(readFileSync(path)).update('\0');
  }
  return `${hash.digest('hex')}\n`;
}
