/**
 * Three kinds of tests, one after the other on a small machine: `unit` in parallel, then `system` and `leaks`
 * (real namespaces and proxies, root, one file at a time). build/test-setup.ts builds dist/ before.
 */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('..', import.meta.url));

/** One kind of tests; kinds of a later order start when the earlier ones are done. */
function kind(
  name: string,
  include: string[],
  order: number,
  options: { timeoutMs: number; atOnce: boolean },
) {
  return {
    test: {
      name,
      include,
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
      kind('unit', ['test/{shared,engine,helper,cli,build,native}/**/*.test.ts'], 0, {
        timeoutMs: 20_000,
        atOnce: true,
      }),
      kind('system', ['test/system/**/*.test.ts'], 1, { timeoutMs: 120_000, atOnce: false }),
      kind('leaks', ['test/leaks/**/*.test.ts'], 2, { timeoutMs: 120_000, atOnce: false }),
    ],
  },
});
