/**
 * Makes packages of Culvert, in dist/package/made:
 *
 *   node build/package.js                     deb, rpm and AppImage for x64 and arm64, as electron-builder.js says
 *   node build/package.js deb rpm --x64       only some of them; arm64 needs a compiler for it and npm's packages for it
 *   node build/package.js dir                 only the product as packages have it, in linux-unpacked
 *   node build/package.js dir --runtime DIR   with the Electron in DIR, where the declared one cannot be downloaded;
 *                                             never for others to use
 *
 * Then `build/package-deb.sh` makes a deb of linux-unpacked by Debian's own tools, which needs no download.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Arch, build, Platform } from 'electron-builder';
import { configuration, staging } from './electron-builder.js';
import { stage } from './package-stage.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** @typedef {'x64' | 'arm64'} ArchName */

function asked() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { x64: { type: 'boolean' }, arm64: { type: 'boolean' }, runtime: { type: 'string' } },
  });
  const archs = /** @type {ArchName[]} */ (['x64', 'arm64']);
  const chosen = archs.filter((arch) => values[arch] === true);
  const isDir = positionals.includes('dir');
  const here = /** @type {ArchName} */ (process.arch);
  return {
    targets: positionals.length === 0 ? ['deb', 'rpm', 'AppImage'] : positionals,
    archs: chosen.length > 0 ? chosen : isDir ? [here] : archs,
    runtime: values.runtime === undefined ? undefined : resolve(values.runtime),
  };
}

/**
 * The Electron that is taken: the one in a directory; for this machine the declared one where set-up has downloaded it;
 * else electron-builder downloads that.
 * @param {string | undefined} runtime
 * @param {readonly ArchName[]} archs
 */
function electronOf(runtime, archs) {
  const declared = join(root, 'node_modules/electron/dist');
  const isHere = archs.every((arch) => arch === process.arch) && existsSync(join(declared, 'electron'));
  const directory = runtime ?? (isHere ? declared : undefined);
  if (directory === undefined) return {};
  const version = readFileSync(join(directory, 'version'), 'utf8').trim().replace(/^v/, '');
  return { electronDist: directory, electronVersion: version };
}

async function main() {
  const { targets, archs, runtime } = asked();
  if (runtime !== undefined && targets.some((target) => target !== 'dir'))
    throw new Error('packages for others are made with the declared Electron only: --runtime goes with dir');
  const { status } = spawnSync(process.execPath, [join(root, 'build/build.js')], { stdio: 'inherit' });
  if (status !== 0 || !existsSync(join(root, 'dist/main.cjs')))
    throw new Error('the build failed: see above');
  stage(root, join(root, staging), archs);
  rmSync(join(root, staging, 'made'), { recursive: true, force: true });
  await build({
    projectDir: root,
    targets: Platform.LINUX.createTarget(targets, ...archs.map((arch) => Arch[arch])),
    config: { ...configuration, ...electronOf(runtime, archs) },
    publish: 'never',
  });
}

try {
  await main();
} catch (error) {
  process.stderr.write(`package: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
