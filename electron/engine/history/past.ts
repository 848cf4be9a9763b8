/** The past of an engine: in memory in any case, and on disk while its user wants that. */
import { uptime } from 'node:os';
import { History } from './history.ts';
import { HistoryKeeper } from './keeper.ts';

export class Past {
  readonly memory = new History({ now: Date.now, uptime: () => uptime() * 1000 });
  readonly files = new HistoryKeeper(this.memory, Date.now);

  /** To be called each second, after the bytes were counted; answers whether nothing is left to be written. */
  ticked(): boolean {
    this.memory.settle();
    return this.files.ticked();
  }

  /** The engine ends. */
  finish(): void {
    this.memory.settle();
    this.files.finish();
  }
}
