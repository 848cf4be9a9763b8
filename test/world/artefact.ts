/**
 * Builds what a world runs beside the product: C tools with gcc, scripts for child processes with esbuild.
 * Everything lands in dist/test/ under a name that contains the hash of its source, so parallel test files
 * never run each other's half-written output.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';

/** The repository; tests and the benchmark are started at its top. */
export const repository = process.cwd();
const out = join(repository, 'dist', 'test');
// esbuild finds its program beside its own files, so it cannot be part of a bundle such as the benchmark's.
const esbuild = createRequire(join(repository, 'package.json'))('esbuild') as typeof import('esbuild');

/**
 * Compiles C files (paths from the repository's top) to one program, named for the first, and returns its path.
 * Static unless `flags` say otherwise: then it runs in any mount namespace, and nothing can be preloaded.
 */
export function compile(sources: string | readonly string[], flags: readonly string[] = ['-static']): string {
  const from = [sources].flat().map((source) => resolve(repository, source));
  const options = ['-std=c11', '-O2', '-Wall', '-Wextra', '-Werror', '-D_GNU_SOURCE', '-pthread', ...flags];
  const program = join(out, `${basename(from[0] ?? '', '.c')}-${markOf(from, options)}`);
  if (existsSync(program)) return program;
  mkdirSync(out, { recursive: true });
  const fresh = `${program}.${process.pid}`;
  execFileSync('gcc', [...options, '-o', fresh, ...from], { stdio: ['ignore', 'inherit', 'inherit'] });
  renameSync(fresh, program);
  return program;
}

function markOf(files: readonly string[], options: readonly string[]): string {
  const hash = createHash('sha256').update(options.join(' '));
  const folder = dirname(files[0] ?? '');
  const headers = readdirSync(folder).filter((name) => name.endsWith('.h'));
  for (const file of [...files, ...headers.map((name) => join(folder, name))])
    hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 12);
}

/**
 * Bundles one TypeScript file (path from the repository's top) for Node and returns the script's path. `define` says
 * what names in it become, as esbuild takes it.
 */
export function bundle(
  source: string,
  define: Record<string, string> = { 'import.meta.dirname': '__dirname' },
): string {
  const result = esbuild.buildSync({
    entryPoints: [resolve(repository, source)],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external: ['koffi'],
    // As build/build.js has it.
    alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
    define,
    write: false,
    logLevel: 'error',
  });
  const text = result.outputFiles[0]?.text ?? '';
  const mark = createHash('sha256').update(text).digest('hex').slice(0, 12);
  const script = join(out, `${basename(source, '.ts')}-${mark}.cjs`);
  if (existsSync(script)) return script;
  mkdirSync(out, { recursive: true });
  const fresh = `${script}.${process.pid}`;
  writeFileSync(fresh, text);
  renameSync(fresh, script);
  return script;
}
