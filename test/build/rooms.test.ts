/** The canary: samples that break the law between the rooms are refused by name, samples that keep it are not. */
import { beforeAll, describe, expect, test } from 'vitest';
import { SampleTree, type Refusals, type Samples } from './sample-tree.ts';

const vue = (script: string) =>
  `<script setup lang="ts">\n${script}</script>\n\n<template>\n  <p>word</p>\n</template>\n`;
const using = (...modules: string[]) => modules.map((path) => `import '${path}';\n`).join('');

/** A tree in order: every program of the product, each with what it may have. */
const lawful: Samples = {
  'electron/shared/model.ts': `import * as v from 'valibot';\nexport const word = v.string();\n`,
  'electron/shared/paths.ts': `import { join } from 'node:path';\nexport const file = join('a', 'b');\n`,
  'electron/shared/control/client.ts': `import { connect } from 'node:net';\nexport const door = connect;\n`,
  'electron/engine/index.ts': using('./native.ts', './elevate.ts', '#shared/model.ts', '#shared/paths.ts'),
  'electron/engine/host.ts': using('./native.ts', '#shared/paths.ts'),
  'electron/main/own-engine.ts': using('node:child_process', '#shared/model.ts'),
  'electron/engine/native.ts': using('koffi', 'node:net'),
  'electron/engine/elevate.ts': using('node:child_process', 'sudo-prompt'),
  'electron/helper/index.ts': using('./native.ts', './run.ts', '#shared/model.ts', 'valibot'),
  'electron/helper/native.ts': `import { Socket } from 'node:net';\nimport 'koffi';\nexport const socket = new Socket();\n`,
  'electron/helper/run.ts': using('node:child_process'),
  'electron/cli/index.ts': using(
    '#engine',
    '../engine/index.ts',
    '#shared/paths.ts',
    'commander',
    'node:child_process',
  ),
  'electron/main/index.ts': using('./ipc.ts', './own-engine.ts', './window.ts', '#shared/control/client.ts'),
  'electron/main/ipc.ts': `import { ipcMain } from 'electron';\nexport const door = ipcMain;\n`,
  'electron/main/window.ts': `import { BrowserWindow } from 'electron';\nexport const door = BrowserWindow;\n`,
  'electron/preload/preload.ts': `import { ipcRenderer } from 'electron';\nexport const door = ipcRenderer;\n`,
  'renderer/main.ts': using('./bridge.ts', './App.vue', '#shared/model.ts'),
  'renderer/bridge.ts': `declare const window: { readonly culvert: string };\nexport const door = window.culvert;\n`,
  'renderer/App.vue': vue(using('./bridge.ts')),
  'test/helper/some.test.ts': using('../../electron/helper/run.ts', 'vitest', 'node:child_process'),
};

/** What must be refused: the sentence, the file, its text, the rule. */
const unlawfulRooms: [string, string, string, string][] = [
  [
    'renderer imports the engine',
    'renderer/a.ts',
    using('../electron/engine/index.ts'),
    'no-room-imports-another',
  ],
  ['a .vue file imports the engine', 'renderer/A.vue', vue(using('#engine')), 'no-room-imports-another'],
  ['a .vue file imports node:fs', 'renderer/B.vue', vue(using('node:fs')), 'renderer-has-no-node'],
  ['renderer imports a module by its old name', 'renderer/b.ts', using('fs'), 'renderer-has-no-node'],
  [
    'renderer reaches Node through shared',
    'renderer/c.ts',
    using('#shared/paths.ts'),
    'renderer-reaches-no-node',
  ],
  [
    'renderer reaches Node through the engine client of shared',
    'renderer/d.ts',
    using('#shared/control/client.ts'),
    'renderer-reaches-no-node',
  ],
  ['helper imports the engine', 'electron/helper/a.ts', using('#engine'), 'no-room-imports-another'],
  [
    'helper imports the engine when it runs',
    'electron/helper/b.ts',
    `export const late = () => import('../engine/native.ts');\n`,
    'no-room-imports-another',
  ],
  [
    'helper imports a type of the engine',
    'electron/helper/c.ts',
    `import type { A } from '../engine/native.ts';\nexport type B = A;\n`,
    'no-room-imports-another',
  ],
  ['helper imports a package', 'electron/helper/d.ts', using('commander'), 'helper-is-small'],
  ['helper opens connections', 'electron/helper/e.ts', using('node:http'), 'helper-has-no-network'],
  [
    'helper starts programs outside of run.ts',
    'electron/helper/f.ts',
    using('node:child_process'),
    'one-door-child-process',
  ],
  [
    'shared imports the engine',
    'electron/shared/a.ts',
    using('../engine/native.ts'),
    'no-room-imports-another',
  ],
  ['shared imports a package', 'electron/shared/b.ts', using('commander'), 'shared-imports-nobody'],
  [
    'shared imports Node outside of paths.ts',
    'electron/shared/c.ts',
    using('node:os'),
    'shared-runs-anywhere',
  ],
  ['engine starts programs', 'electron/engine/a.ts', using('node:child_process'), 'one-door-child-process'],
  [
    'engine starts programs by the old name',
    'electron/engine/b.ts',
    `export const late = () => import('child_process');\n`,
    'one-door-child-process',
  ],
  ['engine loads native code outside of native.ts', 'electron/engine/c.ts', using('koffi'), 'one-door-koffi'],
  [
    'engine asks for root outside of elevate.ts',
    'electron/engine/d.ts',
    using('sudo-prompt'),
    'one-door-sudo-prompt',
  ],
  [
    'engine calls the keyring outside of its program',
    'electron/engine/l.ts',
    using('@napi-rs/keyring'),
    'one-door-keyring',
  ],
  ['engine imports Electron', 'electron/engine/e.ts', using('electron'), 'one-door-electron'],
  [
    'engine imports a test',
    'electron/engine/f.ts',
    using('../../test/helper/some.test.ts'),
    'no-room-imports-another',
  ],
  ['engine imports the build', 'electron/engine/g.ts', using('../../build/x.js'), 'no-room-imports-another'],
  ['engine imports a tool of the build', 'electron/engine/h.ts', using('esbuild'), 'not-to-dev-dependency'],
  ['engine imports what is not there', 'electron/engine/i.ts', using('./missing.ts'), 'not-to-unresolvable'],
  [
    'cli imports a file of the engine',
    'electron/cli/a.ts',
    using('../engine/native.ts'),
    'cli-hosts-engine-by-its-index',
  ],
  ['cli imports the helper', 'electron/cli/b.ts', using('../helper/run.ts'), 'cli-hosts-engine-by-its-index'],
  ['main imports the engine', 'electron/main/a.ts', using('#engine'), 'no-room-imports-another'],
  [
    'main starts programs outside of own-engine.ts',
    'electron/main/b.ts',
    using('node:child_process'),
    'one-door-child-process',
  ],
  ['main loads native code', 'electron/main/c.ts', using('koffi'), 'one-door-koffi'],
  [
    'main imports the page',
    'electron/main/d.ts',
    using('../../renderer/bridge.ts'),
    'no-room-imports-another',
  ],
  ['preload imports main', 'electron/preload/a.ts', using('../main/ipc.ts'), 'no-room-imports-another'],
  ['renderer imports main', 'renderer/e.ts', using('../electron/main/ipc.ts'), 'no-room-imports-another'],
  ['renderer imports Electron', 'renderer/f.ts', using('electron'), 'one-door-electron'],
  ['the build imports a room', 'build/x.js', using('../electron/engine/native.ts'), 'build-imports-no-room'],
  [
    'two modules need each other',
    'electron/engine/j.ts',
    `import { k } from './k.ts';\nexport const j = () => k;\n`,
    'no-cycles',
  ],
  ['nothing needs the module', 'electron/engine/alone.ts', 'export const alone = 1;\n', 'no-orphans'],
];
const otherHalf: Samples = {
  'electron/engine/k.ts': `import { j } from './j.ts';\nexport const k = () => j;\n`,
};

const unlawfulLint: [string, string, string, string][] = [
  [
    'a .vue file touches window.culvert',
    'renderer/LintA.vue',
    vue('declare const window: { culvert: string };\nexport const a = window.culvert;\n'),
    'no-restricted-syntax',
  ],
  [
    'a .vue file has any',
    'renderer/LintB.vue',
    vue('const a: any = 1;\nString(a);\n'),
    '@typescript-eslint/no-explicit-any',
  ],
  [
    'a .vue file makes markup of a string',
    'renderer/LintC.vue',
    `<script setup lang="ts">\nconst a = '<b>';\n</script>\n\n<template>\n  <p v-html="a" />\n</template>\n`,
    'vue/no-v-html',
  ],
  [
    'preload takes ipcMain',
    'electron/preload/lint-a.ts',
    `import { ipcMain } from 'electron';\nexport const a = ipcMain;\n`,
    'no-restricted-imports',
  ],
  [
    'main takes ipcMain outside of ipc.ts',
    'electron/main/tray.ts',
    `import { ipcMain } from 'electron';\nexport const a = ipcMain;\n`,
    'no-restricted-imports',
  ],
  [
    'main takes BrowserWindow outside of window.ts',
    'electron/main/menu.ts',
    `import { BrowserWindow } from 'electron';\nexport const a = BrowserWindow;\n`,
    'no-restricted-imports',
  ],
  [
    'main takes contextBridge',
    'electron/main/lint-a.ts',
    `import { contextBridge } from 'electron';\nexport const a = contextBridge;\n`,
    'no-restricted-imports',
  ],
  [
    'helper connects to somebody',
    'electron/helper/lint-a.ts',
    `import { connect } from 'node:net';\nexport const a = connect;\n`,
    'no-restricted-imports',
  ],
  [
    'a promise is left alone',
    'electron/engine/lint-a.ts',
    `export function a(): void {\n  Promise.resolve();\n}\n`,
    '@typescript-eslint/no-floating-promises',
  ],
  [
    'a switch forgets a case',
    'electron/engine/lint-b.ts',
    `export function b(x: 'on' | 'off'): number {\n  switch (x) {\n    case 'on':\n      return 1;\n  }\n  return 0;\n}\n`,
    '@typescript-eslint/switch-exhaustiveness-check',
  ],
  [
    'a module has a default export',
    'electron/engine/lint-c.ts',
    'export default 1;\n',
    'no-restricted-syntax',
  ],
  ['the engine writes to the terminal', 'electron/engine/lint-d.ts', `console.log('x');\n`, 'no-console'],
  ['a file is too long', 'electron/engine/lint-e.ts', 'export const e = 1;\n'.padEnd(400, '\n'), 'max-lines'],
  [
    'a function is too long',
    'electron/engine/lint-f.ts',
    `export function f(x: number): number {\n${'  x += 1;\n'.repeat(80)}  return x;\n}\n`,
    'max-lines-per-function',
  ],
];

function samplesOf(table: readonly (readonly [string, string, string, string])[]): Samples {
  return Object.fromEntries(table.map(([, file, text]) => [file, text]));
}

/** Both tools look at the whole tree: what is in order stands beside what is not. */
let refused: { rooms: Refusals; lint: Refusals };

beforeAll(() => {
  using tree = new SampleTree({
    ...lawful,
    ...samplesOf(unlawfulRooms),
    ...otherHalf,
    ...samplesOf(unlawfulLint),
  });
  refused = { rooms: tree.refusedByRooms(), lint: tree.refusedByLint() };
}, 180_000);

describe('the law between the rooms', () => {
  test.for(unlawfulRooms)('%s: refused', ([, file, , rule]) => {
    expect(refused.rooms[file]).toContain(rule);
  });

  test.for(Object.keys(lawful))('%s, which keeps it, passes', (file) => {
    expect(refused.rooms[file]).toBeUndefined();
  });
});

describe('the linter', () => {
  test.for(unlawfulLint)('%s: refused', ([, file, , rule]) => {
    expect(refused.lint[file]).toContain(rule);
  });

  test.for(Object.keys(lawful))('%s, which is in order, passes', (file) => {
    expect(refused.lint[file]).toBeUndefined();
  });
});
