/** The shape of the repository: what may lie on its top level, what folders may not be called, how long files are. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { foldersOf } from '../../build/vitest.config.ts';
import { repository } from './sample-tree.ts';

const topLevel = [
  ...['package.json', 'package-lock.json', 'tsconfig.json', 'CHANGELOG.md', 'LICENSE'],
  ...['README.md', 'README.zh-CN.md'],
  ...['electron', 'renderer', 'native', 'build', 'test'],
  // Files that a tool looks for at the top and nowhere else.
  ...[
    '.ci',
    '.dependency-cruiser.cjs',
    '.editorconfig',
    '.gitignore',
    '.npmrc',
    '.prettierignore',
    '.prettierrc.json',
  ],
];

/** Lines that a file may have, by the end of its name: STYLE's "near 300" and, for C, "near 500". */
const longest = { '.ts': 350, '.vue': 350, '.js': 350, '.cjs': 350, '.sh': 350, '.c': 550 };

const files = execFileSync('git', ['-c', 'safe.directory=*', 'ls-files'], {
  cwd: repository,
  encoding: 'utf8',
})
  .split('\n')
  .filter((name) => name !== '');

test('the top level holds what its readers expect and nothing else', () => {
  const found = new Set(files.map((name) => name.split('/')[0]));
  expect([...found].filter((name) => !topLevel.includes(name ?? ''))).toEqual([]);
});

test('no folder and no file is named for being a drawer', () => {
  const drawer = /^(utils?|helpers|common|types|misc|lib)$/;
  expect(
    files.filter((name) => name.split('/').some((part) => drawer.test(part.replace(/\..*$/, '')))),
  ).toEqual([]);
});

test('no file has grown in secret', () => {
  const lengths = files.flatMap((name) => {
    const limit = Object.entries(longest).find(([ending]) => name.endsWith(ending))?.[1];
    if (limit === undefined) return [];
    return [{ name, limit, lines: readFileSync(join(repository, name), 'utf8').split('\n').length - 1 }];
  });
  expect(lengths.length).toBeGreaterThan(20);
  expect(lengths.filter(({ lines, limit }) => lines > limit)).toEqual([]);
});

test('every test is of exactly one kind: one that is of none would never be run', () => {
  const folders: readonly string[] = Object.values(foldersOf).flat();
  const tests = files.filter((name) => name.endsWith('.test.ts'));
  expect(tests.length).toBeGreaterThan(200);
  expect(tests.filter((name) => !folders.some((folder) => name.startsWith(`test/${folder}/`)))).toEqual([]);
  expect(new Set(folders).size).toBe(folders.length);
});
