/**
 * The passwords of proxies, by the ids of profile and server: in the keyring of the session, else in a file that
 * only its owner can read, else in this process; where each of them is, is remembered.
 *
 * Does: find a password wherever it was put, and say when that is not the keyring (S55). Must not: touch the keyring
 * for a server that has no password there, wait for it without end, or let a password into an error, a log, an
 * argument or an environment (S57).
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { is } from 'valibot';
import { CulvertError } from '#shared/failure.ts';
import { phrase, type PhraseValue, type Said } from '#shared/phrase.ts';
import { configDir } from '#shared/paths.ts';
import { slug } from '#shared/profile.ts';
import { withLock } from '../config/lock.ts';
import { unwritable } from '../config/file.ts';
import { FileWatch, markOf } from '../config/watch.ts';
import { Keyring, KeyringError, usualPatience, type KeyringPatience } from './keyring.ts';
import {
  readSecrets,
  secretsName,
  writeSecrets,
  type SecretEntries,
  type SecretEntry,
} from './secrets-file.ts';

export type SecretsKind = 'keyring' | 'file' | 'memory';

export interface SecretsOptions {
  /** Where the program for the keyring is, keyring.cjs. */
  readonly productDir: string;
  /** By default the user's directory of the configuration. */
  readonly dir?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly patience?: Partial<KeyringPatience>;
}

/** More than any proxy takes: SOCKS5 has one byte for the length (RFC 1929 §2), HTTP a header line. */
const maxLength = 4096;
const lockName = 'culvert.lock';

export class Secrets implements Disposable {
  readonly #dir: string;
  readonly #keyring: Keyring;
  readonly #memory = new Map<string, string>();
  #kind: SecretsKind = 'keyring';
  #keyringNotice: PhraseValue | undefined;
  #modeNotice: PhraseValue | undefined;

  private constructor(dir: string, keyring: Keyring) {
    this.#dir = dir;
    this.#keyring = keyring;
  }

  /** Looks at the file only; the keyring is asked when a password is wanted that is in it, or a new one is kept. */
  static open({ productDir, dir, env = process.env, patience }: SecretsOptions): Promise<Secrets> {
    const keyring = new Keyring(join(productDir, 'keyring.cjs'), env, { ...usualPatience, ...patience });
    return Promise.resolve(new Secrets(dir ?? configDir(env), keyring));
  }

  /** Where the last password went, or would go as far as is known: `probe` makes sure. */
  get kind(): SecretsKind {
    return this.#kind;
  }

  /** What the user should know: that passwords are not in a keyring, or that others could read the file. */
  get notices(): readonly PhraseValue[] {
    return [this.#keyringNotice, this.#modeNotice].filter((said) => said !== undefined);
  }

  /** Asks the keyring whether it is there, within two seconds. */
  async probe(): Promise<SecretsKind> {
    if (await this.#keyring.probe()) this.#use('keyring');
    else this.#use('file', phrase('password.no-keyring'));
    return this.#kind;
  }

  /** A password; undefined where none was set. Throws `secret-unreadable`. */
  async get(profileId: string, serverId: string): Promise<string | undefined> {
    const account = accountOf(profileId, serverId);
    const inMemory = this.#memory.get(account);
    if (inMemory !== undefined) return inMemory;
    const entry = this.#read()[account];
    if (entry?.password !== undefined || entry?.inKeyring === undefined) return entry?.password;
    let password: string | undefined;
    try {
      password = await this.#keyring.get(account);
    } catch (error) {
      throw keyringFailure(error, 'get');
    }
    if (password !== undefined) return password;
    throw new CulvertError('secret-unreadable', {
      detail: phrase('password.gone', { account }),
    });
  }

  /** Where the password of a server is kept, undefined for nowhere. Asks no keyring. Throws `secret-unreadable`. */
  placeOf(profileId: string, serverId: string): SecretsKind | undefined {
    const account = accountOf(profileId, serverId);
    if (this.#memory.has(account)) return 'memory';
    const entry = this.#read()[account];
    if (entry?.password !== undefined) return 'file';
    return entry?.inKeyring === true ? 'keyring' : undefined;
  }

  /** Keeps a password, in the safest place there is. Throws `option-invalid`, `config-locked`, `secret-unreadable`. */
  async set(profileId: string, serverId: string, password: string): Promise<void> {
    const account = accountOf(profileId, serverId);
    if (password.length > maxLength)
      throw new CulvertError('option-invalid', { detail: phrase('password.too-long', { most: maxLength }) });
    const refusal = await this.#putIntoKeyring(account, password);
    try {
      await this.#change((entries) => {
        const wasInKeyring = entries[account]?.inKeyring === true;
        const entry: SecretEntry =
          refusal === undefined
            ? { inKeyring: true }
            : { ...(wasInKeyring ? { inKeyring: true } : {}), password };
        return { ...entries, [account]: entry };
      });
      this.#memory.delete(account);
      this.#use(refusal === undefined ? 'keyring' : 'file', refusal);
    } catch (error) {
      if (!(error instanceof CulvertError && error.failure.code === 'config-unwritable')) throw error;
      this.#memory.set(account, password);
      this.#use('memory', refusal ?? error.failure.phrase ?? error.failure.detail);
    }
  }

  /** Forgets a password wherever it is. Throws `secret-unreadable` where the keyring keeps it and does not answer. */
  async remove(profileId: string, serverId: string): Promise<void> {
    await this.#removeAll([accountOf(profileId, serverId)]);
  }

  /** Forgets all passwords of a profile. */
  async removeProfile(profileId: string): Promise<void> {
    const accounts = [...Object.keys(this.#read()), ...this.#memory.keys()];
    await this.#removeAll(accounts.filter((account) => account.startsWith(`${profileId}/`)));
  }

  /** Tells when a password was set or removed by any process, those in this process's memory apart. */
  watch(listener: () => void): () => void {
    const path = join(this.#dir, secretsName);
    const watch = new FileWatch(path, () => markOf(path), listener, listener);
    return () => {
      watch.close();
    };
  }

  /** Ends what was started for the keyring. */
  [Symbol.dispose](): void {
    this.#keyring.close();
  }

  async #removeAll(accounts: readonly string[]): Promise<void> {
    for (const account of accounts) this.#memory.delete(account);
    const entries = this.#read();
    const known = accounts.filter((account) => Object.hasOwn(entries, account));
    if (known.length === 0) return;
    const inKeyring = known.filter((account) => entries[account]?.inKeyring === true);
    // First what lies open; the keyring may refuse, and then it is still known that it has something.
    await this.#change((now) => without(now, known, inKeyring));
    for (const account of inKeyring) {
      try {
        await this.#keyring.remove(account);
      } catch (error) {
        throw keyringFailure(error, 'remove');
      }
      await this.#change((now) => without(now, [account], []));
    }
  }

  /** Why the keyring did not take it; undefined when it did. */
  async #putIntoKeyring(account: string, password: string): Promise<Said | undefined> {
    try {
      await this.#keyring.set(account, password);
      return undefined;
    } catch (error) {
      if (error instanceof KeyringError) return error.why;
      throw error;
    }
  }

  #read(): SecretEntries {
    const { entries, isRepaired } = readSecrets(this.#dir);
    if (isRepaired) this.#modeNotice = phrase('password.was-open', { file: secretsName });
    return entries;
  }

  async #change(change: (entries: SecretEntries) => SecretEntries): Promise<void> {
    try {
      mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw unwritable(error);
    }
    await withLock(this.#dir, lockName, async (lock) => {
      await writeSecrets(this.#dir, change(this.#read()), () => lock.isHeld());
    });
  }

  #use(kind: SecretsKind, why: Said = ''): void {
    this.#kind = kind;
    const detail = kind === 'memory' ? phrase('password.in-memory', { why }) : why;
    const { failure } = new CulvertError('secrets-unavailable', { detail });
    this.#keyringNotice = kind === 'keyring' ? undefined : { whole: failure };
  }
}

/** The entries without some, of which others stay as a mark that the keyring has them. */
function without(entries: SecretEntries, gone: readonly string[], marked: readonly string[]): SecretEntries {
  return Object.fromEntries(
    Object.entries(entries).flatMap(([account, entry]): [string, SecretEntry][] => {
      if (marked.includes(account)) return [[account, { inKeyring: true }]];
      return gone.includes(account) ? [] : [[account, entry]];
    }),
  );
}

function accountOf(profileId: string, serverId: string): string {
  if (!is(slug, profileId) || !is(slug, serverId))
    throw new CulvertError('option-invalid', { detail: 'an id of a profile or server' });
  return `${profileId}/${serverId}`;
}

function keyringFailure(error: unknown, step: string): unknown {
  if (!(error instanceof KeyringError)) return error;
  return new CulvertError('secret-unreadable', {
    step,
    detail: phrase('password.keyring', { why: error.why }),
  });
}
