/** Files that are written whole or not at all, also through a loss of power. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { appId } from '#shared/identity.ts';

/**
 * Puts a text in the place of a file; a link that lies there is replaced and not followed. Makes the directory. The
 * text is on the disk when this returns. Throws the system's error, and then what was there is unchanged.
 */
export async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const beside = join(folder, `.${appId}-${randomBytes(6).toString('hex')}`);
  try {
    const file = await open(beside, 'wx', mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  const directory = await open(folder, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
