/** A tree with the real rules of this repository and none of its code, for samples that break them. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = fileURLToPath(new URL('../..', import.meta.url));

const rules = [
  'package.json',
  '.dependency-cruiser.cjs',
  'build/eslint.config.js',
  'build/tsconfig.base.json',
];
const rooms = ['cli', 'engine', 'helper', 'main', 'preload', 'shared'].map((name) => `electron/${name}`);

/** Path in the tree to text. */
export type Samples = Readonly<Record<string, string>>;

/** File to the names of the rules that it breaks; files in order are not there. */
export type Refusals = Readonly<Record<string, readonly string[]>>;

export class SampleTree implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'culvert-samples-'));

  constructor(samples: Samples) {
    symlinkSync(join(repository, 'node_modules'), join(this.root, 'node_modules'));
    for (const path of rules) cpSync(join(repository, path), join(this.root, path), { recursive: true });
    for (const room of [...rooms, 'renderer', 'test']) {
      const base = `${'../'.repeat(room.split('/').length)}build/tsconfig.base.json`;
      const include = ['**/*.ts', '**/*.vue'];
      const compilerOptions = {
        composite: false,
        noEmit: true,
        emitDeclarationOnly: false,
        lib: ['es2023', 'dom'],
      };
      this.#write(`${room}/tsconfig.json`, JSON.stringify({ extends: base, compilerOptions, include }));
    }
    for (const [path, text] of Object.entries(samples)) this.#write(path, text);
  }

  #write(path: string, text: string): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /** What `npm run check:rooms` refuses. */
  refusedByRooms(): Refusals {
    const report = this.#run('depcruise', [
      ...['--config', '.dependency-cruiser.cjs', '--output-type', 'json'],
      '{electron,renderer,test,build}/**/*.{ts,js,cjs,vue}',
    ]);
    const { summary } = JSON.parse(report) as {
      summary: { violations: { from: string; to: string; rule: { name: string } }[] };
    };
    // A module that nothing reaches is the *to* of its refusal, the program that does not reach it the *from*.
    return group(
      summary.violations.map(({ from, to, rule }) => [rule.name === 'no-orphans' ? to : from, rule.name]),
    );
  }

  /** What `npm run check:lint` refuses. */
  refusedByLint(): Refusals {
    const report = this.#run('eslint', ['--config', 'build/eslint.config.js', '--format', 'json', '.']);
    const files = JSON.parse(report) as {
      filePath: string;
      messages: { ruleId: string | null; message: string }[];
    }[];
    return group(
      files.flatMap(({ filePath, messages }) =>
        messages.map(
          ({ ruleId, message }) => [filePath.slice(this.root.length + 1), ruleId ?? message] as const,
        ),
      ),
    );
  }

  /** Standard output of a tool of node_modules; its status only says whether it refused something. */
  #run(tool: string, args: readonly string[]): string {
    const { stdout, stderr, status } = spawnSync(join(this.root, 'node_modules/.bin', tool), args, {
      cwd: this.root,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    if (!stdout.startsWith('{') && !stdout.startsWith('[')) {
      throw new Error(`${tool} did not report (status ${status}): ${stderr}${stdout}`);
    }
    return stdout;
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

function group(pairs: readonly (readonly [string, string])[]): Refusals {
  const refusals: Record<string, string[]> = {};
  for (const [file, rule] of pairs) (refusals[file] ??= []).push(rule);
  return refusals;
}
