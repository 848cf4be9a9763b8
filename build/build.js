/**
 * Makes dist/, the product as it runs from a clone:
 *
 *   node build/build.js          dist/{cli,engine,helper,keyring,main,preload}.cjs, dist/cli.code, dist/renderer/,
 *                                dist/native/, dist/bin/culvert, dist/bin/culvert-helper
 *   node build/build.js bench    the same, and the benchmark in dist/test/
 *
 * Files are written beside their place and then renamed, so that a program which starts meanwhile meets the old
 * file or the new one.
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
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, parse, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { rendererSources } from './renderer-sources.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');

/** Programs of the product: each becomes dist/NAME.cjs. */
const programs = {
  cli: 'electron/cli/index.ts',
  engine: 'electron/engine/host.ts',
  helper: 'electron/helper/index.ts',
  keyring: 'electron/engine/secrets/keyring-program.ts',
  main: 'electron/main/index.ts',
  preload: 'electron/preload/preload.ts',
};

/** @param {string} line */
function say(line) {
  process.stderr.write(`build: ${line}\n`);
}

/**
 * Writes a file unless it has these bytes already; true when it wrote.
 * @param {string} path
 * @param {string | Uint8Array} content
 * @param {number} [mode]
 */
function put(path, content, mode = 0o644) {
  const bytes = Buffer.from(content);
  if (existsSync(path) && readFileSync(path).equals(bytes)) {
    chmodSync(path, mode);
    return false;
  }
  mkdirSync(dirname(path), { recursive: true });
  const beside = `${path}.${process.pid}`;
  writeFileSync(beside, bytes, { mode });
  chmodSync(beside, mode);
  renameSync(beside, path);
  return true;
}

/**
 * Bundles TypeScript programs for Node; names are the files in `outdir` without their ending.
 * @param {Record<string, string>} entryPoints
 * @param {string} outdir
 */
async function bundle(entryPoints, outdir) {
  const result = await build({
    absWorkingDir: root,
    entryPoints,
    outdir,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: ['koffi', '@napi-rs/keyring', 'electron'],
    // Its main file asks for its parts in a way that no bundler follows.
    alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
    sourcemap: 'external',
    legalComments: 'none',
    define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
    logOverride: { 'empty-import-meta': 'error' },
    logLevel: 'warning',
    logLimit: 4,
    charset: 'ascii',
    write: false,
  });
  const written = result.outputFiles.filter((file) => put(file.path, withHash(file)));
  for (const { path } of written) if (path.endsWith('.cjs')) say(relative(root, path));
}

/**
 * A program with a hash of itself as its last line: to what was compiled of it, it is the same only with that.
 * @param {import('esbuild').OutputFile} file
 */
function withHash({ path, contents }) {
  if (!path.endsWith('.cjs')) return contents;
  const hash = createHash('sha256').update(contents).digest('hex').slice(0, 32);
  return Buffer.concat([contents, Buffer.from(`//# hash=${hash}\n`)]);
}

/**
 * dist/cli.code: what this Node's V8 makes of the command line while it runs a command. Where no network of its own
 * can be made, that is what it needs to say so.
 */
function buildCode() {
  const program = join(dist, 'cli.cjs');
  const code = join(dist, 'cli.code');
  const command = ['run', '--isolation', 'rootless', '--proxy', 'socks5://127.0.0.1:9', '--', 'sleep', '0.3'];
  const keep = [join(root, 'build/keep-code.js'), program, code, ...command];
  // Whoever builds has settings and a log, which are not the build's.
  const home = mkdtempSync(join(tmpdir(), 'culvert-build-'));
  const env = { PATH: process.env['PATH'], HOME: home, XDG_RUNTIME_DIR: home };
  const { status } = spawnSync(process.execPath, keep, { stdio: 'ignore', env });
  rmSync(home, { recursive: true, force: true });
  // Not having it costs time at a start and nothing else.
  if (status !== 0) rmSync(code, { force: true });
}

/**
 * Runs a program with this one's output; ends the build when it fails.
 * @param {string} command
 * @param {string[]} args
 */
function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) throw new Error(`${command} could not be started (${error.message}): run build/setup.sh run`);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
}

/** One program that cannot be bundled does not keep the others from it. */
async function buildPrograms() {
  const results = await Promise.allSettled(
    Object.entries(programs).map(([name, entry]) => bundle({ [name]: entry }, dist)),
  );
  return results.every(({ status }) => status === 'fulfilled');
}

/** dist/renderer/, the page of the window, made by Vite; only when what it is made of has changed. */
async function buildRenderer() {
  const out = join(dist, 'renderer');
  const mark = join(dist, 'renderer.sources');
  const sources = rendererSources(root);
  if (existsSync(join(out, 'index.html')) && existsSync(mark) && readFileSync(mark, 'utf8') === sources)
    return;
  // Loaded only here: a build of the command line alone does not wait for it.
  const { build: buildPage } = await import('vite');
  const { rendererConfig } = await import('./vite.config.js');
  const made = `${out}.${process.pid}`;
  try {
    await buildPage(rendererConfig(root, made));
    rmSync(out, { recursive: true, force: true });
    renameSync(made, out);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  put(mark, sources);
  say('dist/renderer');
}

function buildNative() {
  run('make', ['--silent', '-C', 'native', `OUT=${join(dist, 'native')}`]);
}

/** The two programs that people and pkexec start, with this build's Node as the one that root runs. */
function buildStarters() {
  const from = join(root, 'build/bin');
  put(join(dist, 'start.cjs'), readFileSync(join(from, 'start.cjs')));
  put(join(dist, 'bin/culvert'), readFileSync(join(from, 'culvert')), 0o755);
  const helper = readFileSync(join(from, 'culvert-helper'), 'utf8');
  if (!helper.includes('@NODE@'))
    throw new Error('build/bin/culvert-helper has no place for the path of Node');
  put(join(dist, 'bin/culvert-helper'), helper.replaceAll('@NODE@', process.execPath), 0o755);
}

/** dist/test/NAME.cjs for every test/bench/NAME.ts. What tests run besides, they build themselves. */
async function buildBenchmark() {
  const folder = 'test/bench';
  const names = readdirSync(join(root, folder)).filter((name) => name.endsWith('.ts'));
  const entries = names.map((name) => [parse(name).name, join(folder, name)]);
  await bundle(Object.fromEntries(entries), join(dist, 'test'));
}

async function main() {
  const [what = 'product'] = process.argv.slice(2);
  if (!['product', 'test', 'bench'].includes(what))
    throw new Error(`nothing is built by the name of ${what}`);
  const isComplete = await buildPrograms();
  buildNative();
  buildStarters();
  buildCode();
  await buildRenderer();
  if (what === 'bench') await buildBenchmark();
  if (!isComplete) throw new Error('a program could not be bundled: see above');
}

try {
  await main();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
