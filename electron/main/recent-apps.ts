/**
 * The apps that the user opened lately, newest first: kept in a file, so that they are there after the next start.
 *
 * An app is known by what opens it again; what it is called is learnt from its lane, once that is shown.
 */
import * as v from 'valibot';
import type { ShownLane } from '#shared/contract.ts';
import { readKept, writeKept } from './kept-file.ts';
import { maxRecent, type RecentApp } from './tray-menu.ts';

const text = v.pipe(v.string(), v.nonEmpty(), v.maxLength(4096));
const kept = v.object({
  apps: v.optional(v.pipe(v.array(v.object({ app: text, name: text })), v.maxLength(maxRecent)), []),
});

export class RecentApps {
  readonly #path: string;
  /** By their lanes: opened, and not shown yet. */
  readonly #awaited = new Map<string, string>();
  #now: readonly RecentApp[];

  constructor(path: string) {
    this.#path = path;
    this.#now = readKept(path, kept).apps;
  }

  get now(): readonly RecentApp[] {
    return this.#now;
  }

  /** The user has opened an app; `lanes` is what it runs on. */
  opened(app: string, lanes: readonly string[]): void {
    const [first] = lanes;
    if (first === undefined) return;
    this.#awaited.clear();
    this.#awaited.set(first, app);
  }

  /** What runs now. */
  update(lanes: readonly Pick<ShownLane, 'id' | 'name'>[]): void {
    for (const { id, name } of lanes) {
      const app = this.#awaited.get(id);
      if (app === undefined) continue;
      this.#awaited.delete(id);
      this.#add({ app, name });
    }
  }

  #add(recent: RecentApp): void {
    const others = this.#now.filter(({ app }) => app !== recent.app);
    this.#now = [recent, ...others].slice(0, maxRecent);
    try {
      writeKept(this.#path, { apps: this.#now });
    } catch {
      // A full or read-only disk: they are known until this process ends, which is no reason to fail.
    }
  }
}
