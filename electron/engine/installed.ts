/**
 * Whether this is Culvert as a package has it: below Electron's own program, under the names of identity.ts. A clone's
 * build has no such program above it.
 */
import { existsSync } from 'node:fs';
import { join, sep } from 'node:path';
import { productPath, windowProgram } from '#shared/identity.ts';

/** Electron's program, or undefined for a clone. `productDir` is where bin/, native/ and the programs are. */
export function installedWindow(productDir: string): string | undefined {
  if (!productDir.endsWith(`${sep}${productPath}`)) return undefined;
  const program = join(productDir.slice(0, -productPath.length), windowProgram);
  return existsSync(program) ? program : undefined;
}
