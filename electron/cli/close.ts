/** `culvert close`: resets the connections that a query takes. */
import { EngineClient } from '#shared/control/client.ts';
import { CulvertError } from '#shared/failure.ts';
import { choiceOf, chosenConnections, isActive } from './connection.ts';
import { verbExit } from './exit-codes.ts';
import { complain, count, print } from './output.ts';
import { enginePidOfLane } from './stop.ts';

export interface CloseOptions {
  readonly all?: boolean | undefined;
  readonly lane?: string | undefined;
}

/**
 * Prints how many were closed and answers the exit status: `unknown` where the query takes none. Throws
 * `option-invalid` for a query that is empty without `--all` and `--lane`, `query-invalid`, `lane-unknown`, and
 * `engine-unreachable` when there is no engine.
 */
export async function close(words: readonly string[], { all, lane }: CloseOptions): Promise<number> {
  const choice = { ...choiceOf(words, { lane }), which: 'active' } as const;
  const isEmpty = choice.query.terms.length === 0;
  if (isEmpty && all !== true && lane === undefined)
    throw new CulvertError('option-invalid', { detail: 'say which connections, or --all' });
  if (!isEmpty && all === true)
    throw new CulvertError('option-invalid', { detail: 'a query or --all, not both' });
  const clients = await EngineClient.all();
  try {
    if (clients.length === 0) throw new CulvertError('engine-unreachable');
    const found = (await chosenConnections(choice)).filter(isActive);
    let closed = 0;
    for (const client of clients) {
      const own = found.filter((connection) => enginePidOfLane(connection.lane) === client.pid);
      if (own.length === 0) continue;
      closed += (await client.call('flows.close', { ids: own.map(({ id }) => id) })).closed;
    }
    print(`${count(closed, 'connection')} closed`);
    if (found.length > 0 || isEmpty) return verbExit.ok;
    complain('nothing was closed — no open connection is one of these — see `culvert connections`');
    return verbExit.unknown;
  } finally {
    for (const client of clients) client.close();
  }
}
