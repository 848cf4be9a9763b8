/** Tests of profiles that are under way, by who asked for them and the names that these gave them. */
import type { CheckLine, CheckReport } from '#shared/model.ts';

type Test = (signal: AbortSignal, onLine: (line: CheckLine) => void) => Promise<CheckReport>;

export class ProfileTests {
  readonly #running = new Map<object, Map<string, AbortController>>();

  /**
   * Runs a test until it is done, `ended` aborts, or somebody ends it; what was found until then is the report then,
   * and it says `unknown`. Another one of the same name ends. Rejects as the test does.
   */
  async run(asker: object, name: string, ended: AbortSignal, test: Test): Promise<CheckReport> {
    this.end(asker, name);
    const own = new AbortController();
    const named = this.#running.get(asker) ?? new Map<string, AbortController>();
    this.#running.set(asker, named.set(name, own));
    const lines: CheckLine[] = [];
    const signal = AbortSignal.any([own.signal, ended]);
    try {
      return await test(signal, (line) => {
        if (!signal.aborted) lines.push(line);
      });
    } catch (error) {
      if (signal.aborted) return { outcome: 'unknown', lines };
      throw error;
    } finally {
      if (named.get(name) === own) named.delete(name);
      if (named.size === 0) this.#running.delete(asker);
    }
  }

  /** Ends a test that this asker has under way; nothing happens where there is none. */
  end(asker: object, name: string): void {
    this.#running.get(asker)?.get(name)?.abort();
  }

  /** Ends all. */
  close(): void {
    for (const named of this.#running.values()) for (const test of named.values()) test.abort();
  }
}
