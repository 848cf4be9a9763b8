/**
 * Runs before the tests of each kind: builds dist/ and refuses kinds that need root to anyone else. Unit tests
 * run even where the product does not build: they are how one finds out why.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

const root = fileURLToPath(new URL('..', import.meta.url));

export function setup(project: TestProject): void {
  const needsNothing = ['unit', 'renderer'].includes(project.name);
  if (!needsNothing && process.getuid?.() !== 0) {
    throw new Error(
      `the ${project.name} tests make network namespaces and start apps as other users: run them as root ` +
        '(sudo npm test), or only the others with npm run test:unit',
    );
  }
  const { status } = spawnSync(process.execPath, [join(root, 'build/build.js')], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0 && !needsNothing) throw new Error('dist/ could not be built, so nothing can be tested');
}
