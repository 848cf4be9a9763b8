/** Saves a text where its user wants it: whole or not at all, and readable by nobody else, for it may hold passwords. */
import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { dialog } from 'electron';
import { CulvertError } from '#shared/failure.ts';

/** Asks for the place; its path, or null where none was chosen. Throws `file-unwritable`. */
export async function saveFile({ name, text }: { name: string; text: string }): Promise<string | null> {
  const { filePath } = await dialog.showSaveDialog({
    defaultPath: join(homedir(), name),
    properties: ['showOverwriteConfirmation', 'createDirectory'],
  });
  if (filePath === '') return null;
  writeWhole(filePath, text);
  return filePath;
}

function writeWhole(path: string, text: string): void {
  const beside = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(beside, text, { mode: 0o600, flag: 'wx' });
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    const detail = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new CulvertError('file-unwritable', { detail, cause: error });
  }
}
