/** `culvert ps`: the lanes of all engines of this user, as a table, as JSON, or again whenever they change. */
import { setTimeout as delay } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { EngineClient } from '#shared/control/client.ts';
import type { LaneView } from '#shared/model.ts';
import { type Column, formatBytes, formatDuration, print, styleFor, table, write } from './output.ts';

export interface PsOptions {
  readonly json?: boolean | undefined;
  readonly watch?: boolean | undefined;
}

/** Version of the JSON that `--json` prints; rises when a field changes its meaning or goes. */
const schema = 1;
const lookAgainMs = 1000;

const columns: readonly Column[] = [
  { title: 'LANE' },
  { title: 'APP' },
  { title: 'STATE' },
  { title: 'VIA' },
  { title: 'ISOLATION' },
  { title: 'PID', align: 'right' },
  { title: 'UPTIME', align: 'right' },
  { title: 'CONNS', align: 'right' },
  { title: 'UP', align: 'right' },
  { title: 'DOWN', align: 'right' },
];

/** One row of the table; `now` in milliseconds since the epoch. */
export function rowOf(lane: LaneView, now: number): string[] {
  return [
    lane.id,
    lane.name,
    stateOf(lane),
    lane.via,
    lane.interception === 'redirect' ? `${lane.mode}, TCP only` : lane.mode,
    lane.pid === undefined ? '-' : String(lane.pid),
    formatDuration(now - lane.startedAt),
    String(lane.flowsOpen),
    formatBytes(lane.bytesUp),
    formatBytes(lane.bytesDown),
  ];
}

/** What an app that runs has no network for is more to the point than that it runs. */
function stateOf({ state, health }: LaneView): string {
  return state === 'running' && health === 'unreachable' ? 'proxy unreachable: blocked' : state;
}

export function lanesAsJson(lanes: readonly LaneView[]): string {
  return JSON.stringify({ schema, lanes });
}

export function lanesAsText(lanes: readonly LaneView[], now: number, isTerminal: boolean): string {
  if (lanes.length === 0) return isTerminal ? 'Nothing is running. Start an app with `culvert run`.\n' : '';
  const rows = lanes.map((lane) => rowOf(lane, now));
  return table(columns, rows, { isTerminal, style: styleFor(1) });
}

/** Lanes of every engine that answers, oldest first. An engine that ends while it is asked has no lanes. */
export async function allLanes(): Promise<LaneView[]> {
  const clients = await EngineClient.all();
  const answers = await Promise.all(
    clients.map(async (client) => {
      try {
        return (await client.call('snapshot', {})).lanes;
      } catch {
        // Gone between finding and asking: the same as not found.
        return [];
      } finally {
        client.close();
      }
    }),
  );
  return answers.flat().sort((a, b) => a.startedAt - b.startedAt || a.id.localeCompare(b.id));
}

export async function ps(options: PsOptions): Promise<void> {
  const show = (lanes: readonly LaneView[]) => {
    if (options.json === true) print(lanesAsJson(lanes));
    else write(1, lanesAsText(lanes, Date.now(), isatty(1)));
  };
  let lanes = await allLanes();
  show(lanes);
  if (options.watch !== true) return;
  let shown = lanesAsJson(lanes);
  for (;;) {
    await delay(lookAgainMs);
    lanes = await allLanes();
    const text = lanesAsJson(lanes);
    if (text === shown) continue;
    shown = text;
    if (options.json !== true) print('');
    show(lanes);
  }
}
