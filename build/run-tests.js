/**
 * Runs every test, shows what vitest shows, and ends with the figures alone on one line, in the words that a
 * person and a machine can read: "N passed, N failed", with ", N skipped" where some were.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number }} Figures
 */

/**
 * The closing line. A run that failed without a failed test (a file that does not load, an error outside of
 * every test) counts as one failure, so that the line never says less than the status.
 * @param {Figures | undefined} figures
 * @param {boolean} isGood
 */
export function closingLine(figures, isGood) {
  const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, numTodoTests = 0 } = figures ?? {};
  const failed = isGood ? numFailedTests : Math.max(1, numFailedTests);
  const skipped = numPendingTests + numTodoTests;
  return `${numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** @param {string[]} args to vitest, as on its command line */
function main(args) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const report = join(root, 'dist/test-report.json');
  rmSync(report, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const { status } = spawnSync(
    process.execPath,
    [vitest, 'run', '--config', 'build/vitest.config.ts', ...reporters, ...args],
    { cwd: root, stdio: 'inherit' },
  );
  const figures = existsSync(report)
    ? /** @type {Figures} */ (JSON.parse(readFileSync(report, 'utf8')))
    : undefined;
  process.stdout.write(`${closingLine(figures, status === 0)}\n`);
  process.exitCode = status ?? 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));
