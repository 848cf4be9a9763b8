/**
 * Six kinds of tests, one after the other: `unit` and `renderer` (the window's page in a simulated browser), then
 * with real namespaces and proxies, as root, `system`, `alone` (those of them that expect something within
 * fractions of a second), `app` (the real window) and `leaks`. Two files at once, or more where there are cores for
 * it; `alone`, `app` and `leaks` have the machine for themselves. build/test-setup.ts builds dist/ before.
 */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { rendererPlugins } from './vite.config.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Whose folders below test/ have which kind of tests; a test file that is nobody's would never be run. */
export const foldersOf = {
  unit: ['shared', 'engine', 'helper', 'cli', 'main', 'build', 'native', 'hostile'],
  renderer: ['renderer'],
  system: ['system'],
  app: ['app'],
  leaks: ['leaks'],
} as const;

/** Tests of test/system/ that are of the kind `alone` by their names. */
export const alone = '.alone.test.ts';

/** A kind of tests; kinds of a later order start when the earlier ones are done. */
interface Kind {
  readonly order: number;
  readonly timeoutMs: number;
  readonly atOnce: boolean;
  readonly include: string[];
  readonly exclude?: string[];
}

function kind(name: string, { order, timeoutMs, atOnce, include, exclude = [] }: Kind) {
  return {
    test: {
      name,
      include,
      exclude,
      root,
      pool: 'forks' as const,
      globalSetup: ['build/test-setup.ts'],
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      fileParallelism: atOnce,
      sequence: { groupOrder: order },
      // vitest leaves one core to itself, which on two cores would leave one for the tests.
      maxWorkers: atOnce ? Math.max(2, availableParallelism() - 1) : 1,
    },
  };
}

function filesOf(name: keyof typeof foldersOf): string[] {
  return foldersOf[name].map((folder) => `test/${folder}/**/*.test.ts`);
}

const quick = { order: 0, timeoutMs: 20_000, atOnce: true };
const real = { timeoutMs: 120_000, atOnce: false };

export default defineConfig({
  root,
  test: {
    passWithNoTests: false,
    projects: [
      kind('unit', { ...quick, include: filesOf('unit') }),
      {
        ...kind('renderer', { ...quick, include: filesOf('renderer') }),
        plugins: rendererPlugins(root),
      },
      kind('system', {
        ...real,
        order: 1,
        atOnce: true,
        include: filesOf('system'),
        exclude: [`**/*${alone}`],
      }),
      kind('alone', { ...real, order: 2, include: [`test/system/**/*${alone}`] }),
      kind('app', { ...real, order: 3, include: filesOf('app') }),
      kind('leaks', { ...real, order: 4, include: filesOf('leaks') }),
    ],
  },
});
