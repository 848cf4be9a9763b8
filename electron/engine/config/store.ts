/**
 * The configuration file, `culvert.json`, as everything else sees it: read, change, be told of changes.
 *
 * Beside it lie `culvert.json.good`, the last text that was read or written without a complaint;
 * `culvert.json.old`, the text before the file was last written as a whole; `culvert.schema.json` for editors; and
 * `culvert.lock` while somebody writes. Must not: write over a text that it does not understand.
 */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Failure } from '#shared/failure.ts';
import { configDir } from '#shared/paths.ts';
import type { Config } from '#shared/profile.ts';
import { readText, replaceCopy, replaceFile, unwritable } from './file.ts';
import { schemaText } from './json-schema.ts';
import { withLock } from './lock.ts';
import { checkConfig, parseConfig } from './parse.ts';
import { editText, schemaName, writeAnew } from './rewrite.ts';
import { FileWatch } from './watch.ts';

const configName = 'culvert.json';
export const lockName = 'culvert.lock';
const maxBytes = 8 << 20;

export class ConfigStore {
  readonly dir: string;
  readonly path: string;
  /** What was read or written last: thousands of rules take a quarter of a second to read. */
  #known: { readonly text: string; readonly config: Config } | undefined;

  private constructor(dir: string) {
    this.dir = dir;
    this.path = join(dir, configName);
  }

  /** Of a directory, by default of the user's. Nothing is read or written yet. */
  static open(dir: string = configDir()): ConfigStore {
    return new ConfigStore(dir);
  }

  /** The configuration as it is now, the same object while it is the same; an empty one where there is no file. Throws `config-invalid`, `config-newer`. */
  read(): Config {
    const file = readText(this.path, maxBytes);
    if (file === undefined) return emptyConfig();
    if (file.text === this.#known?.text) return this.#known.config;
    const { config } = parseConfig(file.text);
    this.#keepGood(file.text);
    this.#known = { text: file.text, config };
    return config;
  }

  /** The last configuration that was read or written without a complaint, if there was one. */
  readLastGood(): Config | undefined {
    const file = readText(this.#good, maxBytes);
    return file === undefined ? undefined : parseConfig(file.text, `${configName}.good`).config;
  }

  /**
   * Changes the configuration: no update of another process comes between reading and writing. `change` may throw,
   * and then nothing happens. Throws `config-invalid` (the file, or what `change` made), `config-newer`,
   * `config-locked`, `config-unwritable`; the file is then as it was.
   */
  async update(change: (config: Config) => Config): Promise<Config> {
    try {
      mkdirSync(this.dir, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw unwritable(error);
    }
    return withLock(this.dir, lockName, async (lock) => {
      const file = readText(this.path, maxBytes);
      const parsed = file === undefined ? { config: emptyConfig() } : parseConfig(file.text);
      const next = checkConfig(change(parsed.config));
      const isMigrated = parsed.migratedFrom !== undefined;
      if (!isMigrated && isDeepStrictEqual(next, parsed.config)) return next;
      const edited =
        file === undefined || isMigrated
          ? undefined
          : editText(file.text, parsed.config, next, (text) => parseConfig(text).config);
      if (file !== undefined && edited === undefined) await replaceFile(`${this.path}.old`, file.text);
      const text = edited ?? writeAnew(next);
      await replaceFile(this.path, text, () => lock.isHeld());
      this.#keepGood(text);
      this.#writeSchema();
      return next;
    });
  }

  /**
   * Tells every change of the file, whoever made it, within a second: the new configuration, or why it is none,
   * and then the last good one stays in force. Nothing is told of the file as it is now. The answer ends it.
   */
  watch(listener: (config: Config) => void, onProblem: (failure: Failure) => void): () => void {
    const watch = new FileWatch(this.path, () => this.read(), listener, onProblem);
    return () => {
      watch.close();
    };
  }

  get #good(): string {
    return `${this.path}.good`;
  }

  #keepGood(text: string): void {
    this.#keepCopy(this.#good, text);
  }

  #writeSchema(): void {
    this.#keepCopy(join(dirname(this.path), schemaName), schemaText());
  }

  #keepCopy(path: string, text: string): void {
    try {
      if (readText(path, maxBytes)?.text !== text) replaceCopy(path, text);
    } catch {
      // A convenience: where it cannot be kept, as in a directory that is only to be read, all else works.
    }
  }
}

function emptyConfig(): Config {
  return checkConfig({ version: 1 });
}
