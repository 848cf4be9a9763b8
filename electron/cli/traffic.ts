/** `culvert traffic`: how much goes through lanes, and how fast, by lane, app or profile. */
import { setTimeout as delay } from 'node:timers/promises';
import { isatty } from 'node:tty';
import type { EngineClient } from '#shared/control/client.ts';
import type { TrafficEvent } from '#shared/engine-protocol.ts';
import { CulvertError } from '#shared/failure.ts';
import type { LaneView } from '#shared/model.ts';
import { askEngines, followEngines } from './engines.ts';
import { type Column, formatBytes, print, styleFor, table, write } from './output.ts';

export const groupings = ['lane', 'app', 'profile'] as const;
export type Grouping = (typeof groupings)[number];

export interface TrafficOptions {
  readonly by?: Grouping | undefined;
  readonly json?: boolean | undefined;
  readonly watch?: boolean | undefined;
}

/** Version of the JSON that `--json` prints; rises when a field changes its meaning or goes. */
const schema = 1;
const secondMs = 1000;

/** Bytes since the start, and bytes a second. */
export interface Amounts {
  readonly connections: number;
  readonly bytesDown: number;
  readonly bytesUp: number;
  readonly downPerSecond: number;
  readonly upPerSecond: number;
}

export interface LaneTraffic extends Amounts {
  readonly lane: string;
  readonly app: string;
  readonly name: string;
  readonly profile: string;
}

export interface Traffic {
  readonly lanes: readonly LaneTraffic[];
  readonly apps: readonly (Amounts & { readonly app: string; readonly lanes: number })[];
  readonly profiles: readonly (Amounts & { readonly profile: string; readonly lanes: number })[];
  readonly total: Amounts;
}

type Counted = Pick<LaneView, 'bytesDown' | 'bytesUp' | 'flowsOpen'>;

/** The traffic of a lane between two looks, `ms` milliseconds apart; one that is new had nothing before. */
export function laneTraffic(
  lane: LaneView,
  now: Counted,
  before: Omit<Counted, 'flowsOpen'> | undefined,
  ms: number,
): LaneTraffic {
  const perSecond = (bytes: number): number =>
    ms > 0 ? Math.max(0, Math.round((bytes * secondMs) / ms)) : 0;
  return {
    lane: lane.id,
    app: lane.app,
    name: lane.name,
    profile: lane.profile.id ?? lane.profile.name,
    connections: now.flowsOpen,
    bytesDown: now.bytesDown,
    bytesUp: now.bytesUp,
    downPerSecond: perSecond(now.bytesDown - (before?.bytesDown ?? 0)),
    upPerSecond: perSecond(now.bytesUp - (before?.bytesUp ?? 0)),
  };
}

/** The sums by app and by profile, the busiest first, and of all. */
export function trafficOf(lanes: readonly LaneTraffic[]): Traffic {
  const groups = <K extends 'app' | 'profile'>(key: K) =>
    [...new Set(lanes.map((lane) => lane[key]))]
      .map((value) => {
        const own = lanes.filter((lane) => lane[key] === value);
        return { [key]: value, lanes: own.length, ...sumOf(own) } as Record<K, string> & {
          lanes: number;
        } & Amounts;
      })
      .toSorted((a, b) => b.bytesDown + b.bytesUp - (a.bytesDown + a.bytesUp));
  return { lanes, apps: groups('app'), profiles: groups('profile'), total: sumOf(lanes) };
}

function sumOf(all: readonly Amounts[]): Amounts {
  const sum = (key: keyof Amounts): number => all.reduce((total, amounts) => total + amounts[key], 0);
  return {
    connections: sum('connections'),
    bytesDown: sum('bytesDown'),
    bytesUp: sum('bytesUp'),
    downPerSecond: sum('downPerSecond'),
    upPerSecond: sum('upPerSecond'),
  };
}

const amountColumns: readonly Column[] = ['CONNS', 'DOWN/S', 'UP/S', 'DOWN', 'UP'].map((title) => ({
  title,
  align: 'right',
}));

function amountCells({ connections, downPerSecond, upPerSecond, bytesDown, bytesUp }: Amounts): string[] {
  return [String(connections), ...[downPerSecond, upPerSecond, bytesDown, bytesUp].map(formatBytes)];
}

/** The table of one grouping; on a terminal with a last line of totals where there are several rows. */
export function trafficAsText(traffic: Traffic, by: Grouping, isTerminal: boolean): string {
  const { total, lanes, apps, profiles } = traffic;
  if (lanes.length === 0) return isTerminal ? 'Nothing is running. Start an app with `culvert run`.\n' : '';
  const views = {
    lane: {
      titles: ['LANE', 'APP', 'PROFILE'],
      rows: lanes.map((one) => [one.lane, one.name, one.profile, ...amountCells(one)]),
    },
    app: {
      titles: ['APP', 'LANES'],
      rows: apps.map((one) => [one.app, String(one.lanes), ...amountCells(one)]),
    },
    profile: {
      titles: ['PROFILE', 'LANES'],
      rows: profiles.map((one) => [one.profile, String(one.lanes), ...amountCells(one)]),
    },
  } as const;
  const { titles, rows } = views[by];
  const blank = titles.slice(1).map(() => '');
  const last = isTerminal && rows.length > 1 ? [['all', ...blank, ...amountCells(total)]] : [];
  const columns = [...titles.map((title) => ({ title })), ...amountColumns];
  return table(columns, [...rows, ...last], { isTerminal, style: styleFor(1) });
}

/** Takes a second, because a rate does. Throws `option-invalid`. */
export async function traffic({ by = 'lane', json, watch }: TrafficOptions): Promise<void> {
  if (!groupings.includes(by))
    throw new CulvertError('option-invalid', { detail: `--by is one of ${groupings.join(', ')}` });
  const show = (found: Traffic) => {
    if (json === true) print(JSON.stringify({ schema, at: Date.now(), ...found }));
    else write(1, trafficAsText(found, by, isatty(1)));
  };
  if (watch === true) {
    await watchTraffic((found, isFirst) => {
      if (json !== true && !isFirst) print('');
      show(found);
    });
    return;
  }
  const before = await allLanes();
  if (before.lanes.length > 0) await delay(secondMs);
  const after = before.lanes.length > 0 ? await allLanes() : before;
  const known = new Map(before.lanes.map((lane) => [lane.id, lane]));
  const ms = after.at - before.at;
  show(trafficOf(after.lanes.map((lane) => laneTraffic(lane, lane, known.get(lane.id), ms))));
}

async function allLanes(): Promise<{ at: number; lanes: LaneView[] }> {
  const answers = await askEngines((client) => client.call('snapshot', {}));
  const lanes = answers.flatMap((answer) => answer.lanes);
  return { at: performance.now(), lanes: lanes.toSorted((a, b) => a.startedAt - b.startedAt) };
}

/** Shows the traffic every second until the last engine has ended. */
async function watchTraffic(show: (found: Traffic, isFirst: boolean) => void): Promise<void> {
  const watched = new Map<EngineClient, WatchedLanes>();
  let isFirst = true;
  const timer = setInterval(() => {
    if (watched.size === 0) return;
    show(trafficOf([...watched.values()].flatMap((lanes) => lanes.traffic())), isFirst);
    isFirst = false;
  }, secondMs);
  const join = async (client: EngineClient): Promise<void> => {
    const lanes = new WatchedLanes();
    watched.set(client, lanes);
    client.on('snapshot', (snapshot) => {
      lanes.set(snapshot.lanes);
    });
    client.on('traffic', (event) => {
      lanes.heard(event);
    });
    lanes.set((await client.call('watch', {})).lanes);
    for (const event of (await client.call('traffic.watch', {})).past.slice(-2)) lanes.heard(event);
  };
  try {
    await followEngines(join, (client) => {
      watched.delete(client);
    });
  } finally {
    clearInterval(timer);
  }
}

/** The lanes of one engine with their figures of the last two events. */
export class WatchedLanes {
  #lanes: readonly LaneView[] = [];
  #last: TrafficEvent | undefined;
  #previous: TrafficEvent | undefined;

  set(lanes: readonly LaneView[]): void {
    this.#lanes = lanes;
  }

  heard(event: TrafficEvent): void {
    if (event.at <= (this.#last?.at ?? 0)) return;
    this.#previous = this.#last;
    this.#last = event;
  }

  traffic(): LaneTraffic[] {
    const [last, previous] = [this.#last, this.#previous];
    const ms = last === undefined || previous === undefined ? 0 : last.at - previous.at;
    return this.#lanes.map((lane) => {
      const now = last?.lanes.find(({ id }) => id === lane.id) ?? lane;
      return laneTraffic(
        lane,
        now,
        previous?.lanes.find(({ id }) => id === lane.id),
        ms,
      );
    });
  }
}
