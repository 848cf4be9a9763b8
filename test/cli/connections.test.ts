/** What the verbs about connections make of flows and figures; with real ones: test/system/connections.test.ts. */
import { describe, expect, test } from 'vitest';
import { choiceOf, type Connection, connectionOf, rowOf } from '../../electron/cli/connection.ts';
import { connectionsAsText, FollowedFlows } from '../../electron/cli/connections.ts';
import { laneTraffic, trafficAsText, trafficOf, WatchedLanes } from '../../electron/cli/traffic.ts';
import type { FlowView, LaneView } from '../../electron/shared/model.ts';

const now = 1_700_000_000_000;

const lane: LaneView = {
  id: '123-1',
  name: 'Firefox',
  app: 'firefox',
  command: ['firefox'],
  profile: { id: 'work', name: 'Work', colour: '#5b6ee1', letter: 'W' },
  health: 'reachable',
  via: 'socks5://192.0.2.1:1080',
  state: 'running',
  mode: 'rootless',
  interception: 'tproxy',
  pid: 456,
  startedAt: now - 60_000,
  flowsOpen: 2,
  flowsTotal: 5,
  bytesUp: 2000,
  bytesDown: 5000,
  notes: [],
};
const other: LaneView = { ...lane, id: '123-2', name: 'curl', app: 'curl', bytesDown: 9000, flowsOpen: 1 };

const flow: FlowView = {
  id: 7,
  lane: lane.id,
  proto: 'tcp',
  sourcePort: 40_000,
  host: 'www.example.test',
  address: '198.18.0.7',
  port: 443,
  via: 'socks5://192.0.2.1:1080',
  rule: 'corp',
  state: 'open',
  pid: 42,
  process: 'Web Content',
  bytesUp: 100,
  bytesDown: 2048,
  openedAt: now - 65_000,
};
const ended: FlowView = {
  ...flow,
  id: 8,
  state: 'refused',
  closedAt: now - 1000,
  openedAt: now - 2000,
  failure: { code: 'proxy-refused' },
};

test('a connection is one row with all that is known of it', () => {
  expect(rowOf(connectionOf(flow, lane), now)).toEqual([
    ...['open', 'Firefox', 'Web Content', 'www.example.test', '443', 'tcp', 'Work', 'corp'],
    ...['socks5://192.0.2.1:1080', '2 KiB', '100 B', '1m 5s', ''],
  ]);
});

test('what is not known of it is a hyphen, its address stands for its name, and an end has its age and its reason', () => {
  const { host, rule, process, pid, ...bare } = ended;
  expect([host, rule, process, pid]).not.toContain(undefined);
  expect(rowOf(connectionOf(bare, undefined), now)).toEqual([
    ...['refused', '123-1', '-', '198.18.0.7', '443', 'tcp', '-', '-'],
    ...['socks5://192.0.2.1:1080', '2 KiB', '100 B', '1s', 'proxy-refused'],
  ]);
});

test('none is a sentence on a terminal and nothing in a pipe', () => {
  expect(connectionsAsText([], now, true)).toMatch(/No connections/);
  expect(connectionsAsText([], now, false)).toBe('');
  expect(connectionsAsText([flow], now, false).split('\t')).toHaveLength(13);
});

test('those that are open are meant, unless an option or the query says otherwise', () => {
  expect(choiceOf(['app:x'], {}).which).toBe('active');
  expect(choiceOf(['-state:open'], {}).which).toBe('active');
  expect(choiceOf(['state:refused'], {}).which).toBe('all');
  expect(choiceOf([], { all: true }).which).toBe('all');
  expect(choiceOf(['state:refused'], { closed: true }).which).toBe('closed');
  expect(() => choiceOf(['--frob'], {})).toThrow(/--frob is none/);
});

describe('connections that are followed', () => {
  function followed(words: string[], options = {}) {
    const told: [number, string, boolean][] = [];
    const flows = new FollowedFlows(
      choiceOf(words, options),
      ({ id, state }: Connection, isNews) => {
        told.push([id, state, isNews]);
      },
      now,
    );
    flows.setLanes([lane]);
    return { flows, take: () => told.splice(0) };
  }

  test('are told when they are new, when they change, and when they end', () => {
    const { flows, take } = followed(['app:firefox']);
    flows.changed([flow, ended], now);
    expect(take()).toEqual([[7, 'open', true]]);
    flows.changed([{ ...flow, bytesDown: 3000 }], now + 1000);
    expect(take()).toEqual([[7, 'open', false]]);
    flows.changed([{ ...flow, state: 'closed', closedAt: now + 1500 }], now + 2000);
    expect(take()).toEqual([[7, 'closed', true]]);
  });

  test('begin with ended ones only where those are wanted', () => {
    const { flows, take } = followed([], { all: true });
    flows.changed([flow, ended], now);
    expect(take().map(([id]) => id)).toEqual([7, 8]);
    const closed = followed([], { closed: true });
    closed.flows.changed([flow, ended], now);
    expect(closed.take()).toEqual([[8, 'refused', true]]);
  });

  test('are told of though they ended within the second in which they began', () => {
    const { flows, take } = followed([]);
    flows.changed([{ ...ended, openedAt: now + 10, closedAt: now + 20 }], now + 1000);
    expect(take()).toEqual([[8, 'refused', true]]);
  });

  test('are told of from when on the query takes them, and to their end', () => {
    const { flows, take } = followed(['>10kB']);
    flows.changed([flow], now);
    expect(take()).toEqual([]);
    flows.changed([{ ...flow, bytesDown: 20_000 }], now + 1000);
    expect(take()).toEqual([[7, 'open', true]]);
    const open = followed(['state:open']);
    open.flows.changed([flow], now);
    open.flows.changed([{ ...flow, state: 'closed', closedAt: now }], now);
    expect(open.take()).toEqual([
      [7, 'open', true],
      [7, 'closed', true],
    ]);
  });

  test('end with their engine', () => {
    const { flows, take } = followed([]);
    flows.changed([flow], now);
    flows.gone(now + 1);
    expect(take()).toEqual([
      [7, 'open', true],
      [7, 'closed', true],
    ]);
  });

  test('keep the profile that they began with when their lane is given another', () => {
    const profiles: (string | undefined)[] = [];
    const flows = new FollowedFlows(
      choiceOf([], {}),
      ({ profile }) => {
        profiles.push(profile?.id);
      },
      now,
    );
    const { app, name, profile } = lane;
    const home = { ...profile, id: 'home' };
    flows.setLanes([{ ...lane, profile: home }]);
    flows.changed([{ ...flow, app, name, profile }], now);
    flows.changed([{ ...flow, id: 9, app, name, profile: home }], now);
    flows.counted([7, 1, 2], now);
    expect(profiles).toEqual(['work', 'home', 'work']);
  });

  test('are told with their new figures, which come alone, and by them to a query for these', () => {
    const { flows, take } = followed(['>10kB']);
    flows.changed([flow], now);
    flows.counted([7, 100, 20_000, 99, 5, 5], now + 1000);
    flows.counted([7, 100, 20_001], now + 2000);
    expect(take()).toEqual([
      [7, 'open', true],
      [7, 'open', false],
    ]);
  });
});

describe('traffic', () => {
  test('of a lane is its total, and what came since the last look by the time between', () => {
    expect(laneTraffic(lane, lane, { bytesUp: 1000, bytesDown: 1000 }, 2000)).toEqual({
      lane: '123-1',
      app: 'firefox',
      name: 'Firefox',
      profile: 'work',
      connections: 2,
      bytesDown: 5000,
      bytesUp: 2000,
      downPerSecond: 2000,
      upPerSecond: 500,
    });
    expect(laneTraffic(lane, lane, undefined, 0)).toMatchObject({ downPerSecond: 0, upPerSecond: 0 });
  });

  test('is summed by app, by profile and in all, the busiest first', () => {
    const one = laneTraffic(lane, lane, undefined, 1000);
    const { apps, profiles, total } = trafficOf([one, one, laneTraffic(other, other, undefined, 1000)]);
    expect(apps.map(({ app, lanes, bytesDown }) => [app, lanes, bytesDown])).toEqual([
      ['firefox', 2, 10_000],
      ['curl', 1, 9000],
    ]);
    expect(profiles).toMatchObject([{ profile: 'work', lanes: 3, connections: 5, upPerSecond: 6000 }]);
    expect(total.bytesDown).toBe(19_000);
  });

  test('is a table of what it is asked by', () => {
    const traffic = trafficOf([lane, other].map((one) => laneTraffic(one, one, undefined, 1000)));
    expect(trafficAsText(traffic, 'lane', false).split('\n')[0]?.split('\t')).toEqual([
      ...['123-1', 'Firefox', 'work', '2', '4.9 KiB', '2 KiB', '4.9 KiB', '2 KiB'],
    ]);
    expect(trafficAsText(traffic, 'profile', true)).toMatch(/^PROFILE +LANES +CONNS.*\nwork +2 +3 /);
    expect(trafficAsText(traffic, 'app', true)).toMatch(/\nall +3 /);
    expect(trafficAsText(trafficOf([]), 'lane', true)).toMatch(/Nothing is running/);
  });

  test('of watched lanes is what the last two events say', () => {
    const watched = new WatchedLanes();
    watched.set([lane]);
    expect(watched.traffic()).toMatchObject([{ bytesDown: 5000, downPerSecond: 0 }]);
    const event = { id: lane.id, bytesUp: 2000, bytesDown: 6000, flowsOpen: 3 };
    watched.heard({ at: now, lanes: [event] });
    watched.heard({ at: now + 500, lanes: [{ ...event, bytesDown: 8000 }] });
    expect(watched.traffic()).toMatchObject([{ connections: 3, bytesDown: 8000, downPerSecond: 4000 }]);
  });
});
