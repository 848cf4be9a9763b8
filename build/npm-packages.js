/**
 * Says by its status whether node_modules is what package-lock.json asks for: 0 yes, 1 no. npm keeps what it
 * installed in node_modules/.package-lock.json; packages for other machines are missing there and may be.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, link?: boolean }} Entry
 * @typedef {Record<string, Entry>} Entries
 */

/**
 * Whether what is installed is what is wanted: the same versions, nothing missing that is not optional, nothing
 * too much. `isThere` tells whether a package's folder exists.
 * @param {Entries} wanted
 * @param {Entries} installed
 * @param {(path: string) => boolean} isThere
 */
export function fits(wanted, installed, isThere) {
  const isInstalled = Object.entries(wanted)
    .filter(([path]) => path !== '')
    .every(([path, { version, integrity, optional }]) => {
      const found = installed[path];
      if (found === undefined) return optional === true;
      return found.version === version && found.integrity === integrity && isThere(path);
    });
  return isInstalled && Object.keys(installed).every((path) => path in wanted);
}

/** @param {string} path */
function entriesOf(path) {
  return /** @type {{ packages: Entries }} */ (JSON.parse(readFileSync(path, 'utf8'))).packages;
}

/** @param {string} root */
export function hasNpmPackages(root) {
  const record = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(record)) return false;
  return fits(entriesOf(join(root, 'package-lock.json')), entriesOf(record), (path) =>
    existsSync(join(root, path)),
  );
}

const self = fileURLToPath(import.meta.url);
if (process.argv[1] === self) {
  process.exitCode = hasNpmPackages(join(self, '../..')) ? 0 : 1;
}
