/**
 * `secrets.json`: for each password where it is kept, and the password itself where no keyring has it. For its owner
 * only.
 *
 * Must not: repeat any of its text in an error.
 */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { CulvertError } from '#shared/failure.ts';
import { phrase, type Said } from '#shared/phrase.ts';
import { readText, replaceFile, type FileText } from '../config/file.ts';

export const secretsName = 'secrets.json';
const maxBytes = 4 << 20;

const entry = v.strictObject({
  /** The keyring has it; an old one, where there is a password here too. */
  inKeyring: v.optional(v.literal(true)),
  password: v.optional(v.string()),
});
export type SecretEntry = v.InferOutput<typeof entry>;
/** By `PROFILE/SERVER`. */
export type SecretEntries = Readonly<Record<string, SecretEntry>>;

const file = v.strictObject({ version: v.literal(1), secrets: v.record(v.string(), entry) });

export interface SecretsRead {
  readonly entries: SecretEntries;
  /** The mode was wider than it may be, and is not any more. */
  readonly isRepaired: boolean;
}

/** What is written there. A mode that lets others read is repaired. Throws `secret-unreadable`. */
export function readSecrets(dir: string): SecretsRead {
  const path = join(dir, secretsName);
  const found = readQuietly(path);
  if (found === undefined) return { entries: {}, isRepaired: false };
  const isRepaired = repair(path, found);
  try {
    return { entries: v.parse(file, JSON.parse(found.text)).secrets, isRepaired };
  } catch {
    // Both reasons would repeat the text.
    throw unreadable(phrase('password.file-form', { file: secretsName }));
  }
}

/** Replaces all of it. Throws `config-unwritable`. */
export async function writeSecrets(
  dir: string,
  entries: SecretEntries,
  isAllowed: () => boolean,
): Promise<void> {
  const text = `${JSON.stringify({ version: 1, secrets: entries }, null, 2)}\n`;
  await replaceFile(join(dir, secretsName), text, isAllowed);
}

function readQuietly(path: string): FileText | undefined {
  try {
    return readText(path, maxBytes);
  } catch (error) {
    throw unreadable(error instanceof CulvertError ? detailOf(error) : secretsName);
  }
}

function repair(path: string, { stats }: FileText): boolean {
  const user = process.geteuid?.() ?? 0;
  if (stats.uid !== user && user !== 0)
    throw unreadable(phrase('password.file-owner', { file: secretsName }));
  if ((stats.mode & 0o077) === 0) return false;
  try {
    chmodSync(path, 0o600);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw unreadable(phrase('password.file-mode', { file: secretsName, error: code }));
  }
  return true;
}

function detailOf({ failure }: CulvertError): Said | undefined {
  return failure.phrase ?? failure.detail;
}

function unreadable(detail: Said | undefined): CulvertError {
  return new CulvertError('secret-unreadable', detail === undefined ? {} : { detail });
}
