/**
 * Culvert as a package installs it, in a world: the product as electron-builder lays it out, a deb of it by Debian's
 * tools, and a host whose /usr, /var and /opt are its own for as long as the world is.
 */
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { installDir, productPath, windowProgram } from '#shared/identity.ts';
import { repository } from '../world/artefact.ts';
import type { World } from '../world/world.ts';

/** Where electron-builder puts what all packages are made of. */
export const unpacked = join(repository, 'dist/package/made/linux-unpacked');
export const installed = {
  window: join(installDir, windowProgram),
  product: join(installDir, productPath),
  culvert: '/usr/bin/culvert',
} as const;

/** The books of dpkg and its like, logs, and what other packages' triggers write anew each time. */
const books =
  /^\/var\/(lib\/(dpkg|apt|PackageKit)|log|cache\/(apt|man|debconf))(\/|$)|\.cache$|\/mimeinfo\.cache$/;

/** Builds the deb; the answer is its path. Takes the Electron that tests run with. */
export function makeDeb(): string {
  const run = (program: string, ...args: string[]) =>
    execFileSync(program, args, { cwd: repository, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const runtime = dirname(run(process.execPath, 'build/electron-runtime.js').trim());
  run(process.execPath, 'build/package.js', 'dir', '--runtime', runtime);
  return run('build/package-deb.sh', 'none').trim();
}

/** From now on what the world's host writes below these is gone with it. */
export async function ownSystem(world: World): Promise<void> {
  const dir = join(world.dir, 'system');
  const each = ['usr', 'var', 'opt'].map(
    (name) => `mkdir -p ${dir}/${name}/upper ${dir}/${name}/work /${name}
      chmod 755 ${dir}/${name}/upper
      mount -t overlay -o lowerdir=/${name},upperdir=${dir}/${name}/upper,workdir=${dir}/${name}/work culvert-world /${name}`,
  );
  await world.shell(`mkdir ${dir}
    mount -t tmpfs -o mode=755 culvert-world ${dir}
    ${each.join('\n')}`);
}

/** Every file of the system with kind, rights, owner, size and target: what a package may have to do with. */
export async function systemFiles(world: World): Promise<Map<string, string>> {
  const line = String.raw`%p\t%M %U:%G %l\t%y %s\n`;
  const printed = await world.must(['find', '/usr', '/etc', '/var', '/opt', '-xdev', '-printf', line]);
  const rows = printed.split('\n').filter((row) => row !== '');
  return new Map(
    rows.flatMap((row) => {
      const [path = '', rights = '', kind = ''] = row.split('\t');
      // A directory's size says how many names it once had.
      const size = kind.startsWith('d') ? '' : kind;
      return books.test(path) ? [] : [[path, `${rights} ${size}`] as const];
    }),
  );
}

/** What is in only one of two states, or otherwise in the other. */
export function differences(before: Map<string, string>, after: Map<string, string>): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => before.get(path) !== after.get(path)).sort();
}
