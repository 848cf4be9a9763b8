/** The answers to the calls of shared/history-protocol.ts. */
import type { historyCalls } from '#shared/history-protocol.ts';
import type { CallParts, RoomHandlers } from './call-parts.ts';

export class HistoryCalls {
  readonly handlers: RoomHandlers<typeof historyCalls>;

  constructor({ engine }: Pick<CallParts, 'engine'>) {
    this.handlers = {
      'history.read': ({ step, seconds }) => engine.history().memory.read(step, seconds),
      'history.hosts': ({ from, to, app }) => engine.history().memory.hosts(from, to, app),
      'history.past': (query) => engine.history().files.past(query),
      'history.state': () => engine.history().files.state(),
      'history.keep': (change) => engine.history().files.keep(change),
      'history.clear': () => {
        const { memory, files } = engine.history();
        memory.clear();
        files.clear();
        return {};
      },
    };
  }
}
