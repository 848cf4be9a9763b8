/**
 * Five kinds of tests, one after the other on a small machine: `unit` and `renderer` (the window's page in a
 * simulated browser) in parallel, then `system`, `app` (the real window) and `leaks`, with real namespaces and
 * proxies, as root, one file at a time. build/test-setup.ts builds dist/ before.
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

/** One kind of tests; kinds of a later order start when the earlier ones are done. */
function kind(name: keyof typeof foldersOf, order: number, options: { timeoutMs: number; atOnce: boolean }) {
  return {
    test: {
      name,
      include: foldersOf[name].map((folder) => `test/${folder}/**/*.test.ts`),
      root,
      pool: 'forks' as const,
      globalSetup: ['build/test-setup.ts'],
      testTimeout: options.timeoutMs,
      hookTimeout: options.timeoutMs,
      fileParallelism: options.atOnce,
      sequence: { groupOrder: order },
      // vitest leaves one core to itself, which on two cores would leave one for the tests.
      maxWorkers: options.atOnce ? Math.max(2, availableParallelism() - 1) : 1,
    },
  };
}

export default defineConfig({
  root,
  test: {
    passWithNoTests: false,
    projects: [
      kind('unit', 0, { timeoutMs: 20_000, atOnce: true }),
      { ...kind('renderer', 0, { timeoutMs: 20_000, atOnce: true }), plugins: rendererPlugins(root) },
      kind('system', 1, { timeoutMs: 120_000, atOnce: false }),
      kind('app', 2, { timeoutMs: 120_000, atOnce: false }),
      kind('leaks', 3, { timeoutMs: 120_000, atOnce: false }),
    ],
  },
});
