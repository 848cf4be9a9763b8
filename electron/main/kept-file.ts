/** A small JSON file that is read once and written whole: old or new, never half (S60). */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import * as v from 'valibot';

/** What the file holds, or what the schema makes of `{}` where there is none or it makes no sense. */
export function readKept<S extends v.GenericSchema>(path: string, schema: S): v.InferOutput<S> {
  try {
    return v.parse(schema, JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // Not there yet, or not to be understood: looks are not worth a question to the user.
    return v.parse(schema, {});
  }
}

/** Writes the file, with its directory. Throws what the system says. */
export function writeKept(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const beside = `${path}.${process.pid}`;
  try {
    const file = openSync(beside, 'w', 0o600);
    try {
      writeSync(file, `${JSON.stringify(value, undefined, 2)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
    const directory = openSync(dirname(path), 'r');
    fsyncSync(directory);
    closeSync(directory);
  } finally {
    rmSync(beside, { force: true });
  }
}
