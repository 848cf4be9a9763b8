/** Connections as the command line looks for them and shows them. Plain functions, but for the question to engines. */
import { CulvertError } from '#shared/failure.ts';
import type { FlowView, LaneView } from '#shared/model.ts';
import { matches, parseQuery, type Query } from '#shared/query.ts';
import { askEngines } from './engines.ts';
import { type Column, formatBytes, formatDuration } from './output.ts';

/** A flow with what is known of its lane, where it does not say that itself. */
export type Connection = FlowView;

export interface ChoiceOptions {
  readonly closed?: boolean | undefined;
  readonly all?: boolean | undefined;
  readonly lane?: string | undefined;
}

/** Which connections are wanted. */
export interface Choice {
  readonly query: Query;
  readonly lane: string | undefined;
  readonly which: 'active' | 'closed' | 'all';
}

/**
 * The choice of the words and options on a command line. A query that names states is not narrowed further. Throws
 * `query-invalid`, and `option-invalid` for an option that is none: what begins with one hyphen is a part of the query.
 */
export function choiceOf(words: readonly string[], { closed, all, lane }: ChoiceOptions): Choice {
  const option = words.find((word) => word.startsWith('--'));
  if (option !== undefined) throw new CulvertError('option-invalid', { detail: `${option} is none` });
  const query = parseQuery(words.join(' '));
  const namesState = query.terms.some(({ key, isNegated }) => key === 'state' && !isNegated);
  const which = closed === true ? 'closed' : all === true || namesState ? 'all' : 'active';
  return { query, lane, which };
}

export function isActive({ state }: Pick<FlowView, 'state'>): boolean {
  return state === 'dialling' || state === 'open';
}

/** Whether the query and the lane of a choice take a flow, whatever its state is; `now` in milliseconds since the epoch. */
export function isWanted(choice: Choice, flow: FlowView, lane: LaneView | undefined, now: number): boolean {
  return (choice.lane === undefined || choice.lane === flow.lane) && matches(choice.query, flow, lane, now);
}

/** The same, and its state is one of those that are wanted. */
export function isChosen(choice: Choice, flow: FlowView, lane: LaneView | undefined, now: number): boolean {
  const isInState = choice.which === 'all' || (choice.which === 'active') === isActive(flow);
  return isInState && isWanted(choice, flow, lane, now);
}

export function connectionOf(flow: FlowView, lane: LaneView | undefined): Connection {
  return lane === undefined ? flow : { app: lane.app, name: lane.name, profile: lane.profile, ...flow };
}

/**
 * All connections that are chosen, of all engines, oldest first. Throws `lane-unknown` where the choice names a lane
 * that no engine has.
 */
export async function chosenConnections(choice: Choice): Promise<Connection[]> {
  const answers = await askEngines(async (client) => ({
    lanes: (await client.call('snapshot', {})).lanes,
    flows: await client.call('flows', { attribute: true }),
  }));
  const lanes = new Map(answers.flatMap((answer) => answer.lanes).map((lane) => [lane.id, lane]));
  if (choice.lane !== undefined && !lanes.has(choice.lane))
    throw new CulvertError('lane-unknown', { detail: choice.lane });
  const now = Date.now();
  return answers
    .flatMap(({ flows }) => flows)
    .filter((flow) => isChosen(choice, flow, lanes.get(flow.lane), now))
    .map((flow) => connectionOf(flow, lanes.get(flow.lane)))
    .toSorted((a, b) => a.openedAt - b.openedAt || a.lane.localeCompare(b.lane) || a.id - b.id);
}

/** A column of connections, and how wide it is where rows come one by one. */
export type ConnectionColumn = Column & { readonly width: number };

export const columns: readonly ConnectionColumn[] = [
  { title: 'STATE', width: 8 },
  { title: 'APP', width: 12 },
  { title: 'PROCESS', width: 15 },
  { title: 'HOST', width: 30 },
  { title: 'PORT', width: 5, align: 'right' },
  { title: 'PROTO', width: 5 },
  { title: 'PROFILE', width: 12 },
  { title: 'RULE', width: 12 },
  { title: 'VIA', width: 26 },
  { title: 'DOWN', width: 8, align: 'right' },
  { title: 'UP', width: 8, align: 'right' },
  { title: 'AGE', width: 7, align: 'right' },
  { title: 'ERROR', width: 1 },
];

/** The cells of a connection; `now` in milliseconds since the epoch. */
export function rowOf(connection: Connection, now: number): string[] {
  const { state, name, lane, process, pid, host, serverName, address, port, proto } = connection;
  const { profile, rule, via, bytesDown, bytesUp, openedAt, closedAt, failure } = connection;
  return [
    state,
    name ?? lane,
    process ?? (pid === undefined ? '-' : String(pid)),
    host ?? serverName ?? address,
    String(port),
    proto,
    profile?.name ?? '-',
    rule ?? '-',
    via,
    formatBytes(bytesDown),
    formatBytes(bytesUp),
    formatDuration((closedAt ?? now) - openedAt),
    failure?.code ?? '',
  ];
}
