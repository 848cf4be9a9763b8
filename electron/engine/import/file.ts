/** A file that is to be imported, read without waiting for what is no file. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { phrase } from '#shared/phrase.ts';
import { limits, refuse } from './result.ts';

/** The bytes of a regular file. Throws `import-invalid` with the name and why not. */
export function readImportFile(path: string): Buffer {
  const name = basename(path);
  let fd: number | undefined;
  try {
    // A pipe or a device must not hold up anybody.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(fd);
    if (!stats.isFile()) return refuse(phrase('import-refusal.not-file', { name }));
    if (stats.size > limits.bytes)
      return refuse(phrase('import-refusal.file-most', { name, most: limits.bytes >> 20 }));
    return readFileSync(fd);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return refuse(phrase('import-refusal.file-error', { name, error: code }));
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
