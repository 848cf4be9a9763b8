/** `culvert connections`: what apps are connected to, as a table, as JSON, or each change as it comes. */
import { isatty } from 'node:tty';
import type { EngineClient } from '#shared/control/client.ts';
import { eachCount } from '#shared/flow-counts.ts';
import type { FlowView, LaneView } from '#shared/model.ts';
import {
  type Choice,
  type ChoiceOptions,
  choiceOf,
  chosenConnections,
  columns,
  type Connection,
  connectionOf,
  isActive,
  isChosen,
  isWanted,
  rowOf,
} from './connection.ts';
import { followEngines } from './engines.ts';
import { print, printable, styleFor, table, write } from './output.ts';

export interface ConnectionsOptions extends ChoiceOptions {
  readonly follow?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** Version of the JSON that `--json` prints; rises when a field changes its meaning or goes. */
const schema = 1;

/** Throws `query-invalid`, `option-invalid`, `lane-unknown`. */
export async function connections(words: readonly string[], options: ConnectionsOptions): Promise<void> {
  const choice = choiceOf(words, options);
  if (options.follow === true) {
    // A lane that is not there has no connections to come.
    if (choice.lane !== undefined) await chosenConnections(choice);
    await follow(choice, options.json === true ? jsonTeller : textTeller(isatty(1)));
    return;
  }
  const found = await chosenConnections(choice);
  if (options.json === true) print(JSON.stringify({ schema, connections: found }));
  else write(1, connectionsAsText(found, Date.now(), isatty(1)));
}

export function connectionsAsText(found: readonly Connection[], now: number, isTerminal: boolean): string {
  if (found.length === 0) return isTerminal ? 'No connections.\n' : '';
  const rows = found.map((connection) => rowOf(connection, now));
  return table(columns, rows, { isTerminal, style: styleFor(1) });
}

/** Tells of a connection; `isNews`: it is new, or its state is. */
export type Teller = (connection: Connection, isNews: boolean, now: number) => void;

const jsonTeller: Teller = (connection) => {
  print(JSON.stringify({ schema, connection }));
};

function textTeller(isTerminal: boolean): Teller {
  const line = (cells: readonly string[]): string =>
    isTerminal
      ? columns
          .map(({ width, align }, i) =>
            align === 'right' ? (cells[i] ?? '').padStart(width) : (cells[i] ?? '').padEnd(width),
          )
          .join('  ')
          .trimEnd()
      : cells.join('\t');
  if (isTerminal) print(styleFor(1).bold(line(columns.map(({ title }) => title))));
  return (connection, isNews, now) => {
    if (isNews) print(line(rowOf(connection, now).map(printable)));
  };
}

async function follow(choice: Choice, tell: Teller): Promise<void> {
  const followed = new Map<EngineClient, FollowedFlows>();
  await followEngines(
    async (client) => {
      const flows = new FollowedFlows(choice, tell, Date.now());
      followed.set(client, flows);
      client.on('snapshot', ({ lanes }) => {
        flows.setLanes(lanes);
      });
      client.on('flows', ({ at, changed, counted }) => {
        flows.changed(changed, at);
        flows.counted(counted, at);
      });
      flows.setLanes((await client.call('watch', {})).lanes);
      await client.call('flows.watch', {});
    },
    (client) => {
      followed.get(client)?.gone(Date.now());
      followed.delete(client);
    },
  );
}

/** The connections of one engine, from change to change. */
export class FollowedFlows {
  readonly #choice: Choice;
  readonly #tell: Teller;
  /** Lanes that are gone are kept: connections that ended with them are still theirs. */
  readonly #lanes = new Map<string, LaneView>();
  /** Those that are not over, as they were last told of. */
  readonly #flows = new Map<number, FlowView>();
  readonly #active = new Map<number, Connection>();
  readonly #since: number;

  /** `since`: from when on it is followed, in milliseconds since the epoch. */
  constructor(choice: Choice, tell: Teller, since: number) {
    this.#choice = choice;
    this.#tell = tell;
    this.#since = since;
  }

  setLanes(lanes: readonly LaneView[]): void {
    for (const lane of lanes) this.#lanes.set(lane.id, lane);
  }

  /** What has changed; the first time all that there is. `now` in milliseconds since the epoch. */
  changed(flows: readonly FlowView[], now: number): void {
    for (const flow of flows) this.#one(flow, now);
  }

  /** Figures of flows that were told of before; see `FlowsEvent.counted`. */
  counted(figures: readonly number[], now: number): void {
    eachCount(figures, (id, bytesUp, bytesDown) => {
      const flow = this.#flows.get(id);
      if (flow !== undefined) this.#one({ ...flow, bytesUp, bytesDown }, now);
    });
  }

  /** The engine has ended, and with it every connection through it. */
  gone(now: number): void {
    for (const connection of this.#active.values()) {
      this.#tell({ ...connection, state: 'closed', closedAt: now }, true, now);
    }
    this.#active.clear();
  }

  #one(flow: FlowView, now: number): void {
    const lane = this.#lanes.get(flow.lane);
    const before = this.#active.get(flow.id);
    const connection = connectionOf(flow, lane);
    if (isActive(flow)) {
      this.#flows.set(flow.id, flow);
      if (isWanted(this.#choice, flow, lane, now)) this.#active.set(flow.id, connection);
    } else {
      this.#flows.delete(flow.id);
      this.#active.delete(flow.id);
    }
    if (this.#isTold(flow, lane, before, now)) this.#tell(connection, before?.state !== flow.state, now);
  }

  #isTold(flow: FlowView, lane: LaneView | undefined, before: Connection | undefined, now: number): boolean {
    if (this.#choice.which === 'closed') return isChosen(this.#choice, flow, lane, now);
    // Who was told of a connection is told of its end, though a query such as state:open takes it no more.
    if (before !== undefined) return true;
    // What had ended before is history, and told where that was asked for.
    const isHistory = (flow.closedAt ?? now) < this.#since;
    return (this.#choice.which === 'all' || !isHistory) && isWanted(this.#choice, flow, lane, now);
  }
}
