/**
 * Where the helper is that root is asked to run, and whether root may.
 *
 * Does: refuse for a packaged copy in which somebody else than root could change what root would read (S20): an
 * AppImage, one that was unpacked at home. A clone is its developer's own affair, and is asked for by its whole path.
 */
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CulvertError } from '#shared/failure.ts';
import { policyName } from '#shared/identity.ts';
import { installedWindow } from './installed.ts';

/** Where polkit finds the actions of programs (polkit(8)); those below /etc and /usr/local since version 124. */
const policyFiles = ['/usr/share', '/etc', '/usr/local/share'].map(
  (dir) => `${dir}/polkit-1/actions/${policyName}`,
);
/** The helper's path. Throws `helper-untrusted` with what others than root can change. */
export function helperForRoot(productDir: string): string {
  const detail = changeable(productDir);
  if (detail !== undefined) throw new CulvertError('helper-untrusted', { detail });
  return join(productDir, 'bin', 'culvert-helper');
}

export function isForRoot(productDir: string): boolean {
  return changeable(productDir) === undefined;
}

/** The file by which polkit knows an action for this helper; undefined where it would ask in general words. */
export function policyFor(helper: string, files: readonly string[] = policyFiles): string | undefined {
  return files.find((path) => existsSync(path) && readFileSync(path, 'utf8').includes(`>${helper}<`));
}

/** The first file or directory of a packaged copy that is not root's alone; undefined for a clone. */
function changeable(productDir: string): string | undefined {
  const window = installedWindow(productDir);
  if (window === undefined) return undefined;
  const top = dirname(window);
  // Electron's libraries lie beside its program.
  const runtime = readdirSync(top).map((name) => join(top, name));
  const product = readdirSync(productDir, { recursive: true }).map((name) => join(productDir, String(name)));
  return [...parentsOf(productDir), productDir, ...runtime, ...product].find((path) => !isRootsAlone(path));
}

function parentsOf(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [...parentsOf(parent), parent];
}

/** A link counts as what everybody may write: it is not looked at where it leads. */
function isRootsAlone(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat !== undefined && !stat.isSymbolicLink() && stat.uid === 0 && (stat.mode & 0o022) === 0;
}
