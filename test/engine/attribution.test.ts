/** Which process holds a flow: how often the helper is asked for that, and for whom. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { SocketEntry } from '#shared/helper-protocol.ts';
import { Attribution } from '../../electron/engine/attribution.ts';
import { FlowTable, type Flow } from '../../electron/engine/flows.ts';

let table: FlowTable;
let attribution: Attribution;
/** The lanes that were looked at, in their order. */
let looks: string[];
let held: SocketEntry[];
let named: string[];

beforeEach(() => {
  vi.useFakeTimers();
  [looks, held, named] = [[], [], []];
  table = new FlowTable(Date.now, () => undefined);
  attribution = new Attribution({
    now: () => Date.now(),
    sockets: (lane) => {
      looks.push(lane);
      return Promise.resolve(held);
    },
    openFlows: () => table.openFlows(),
    onChange: (flow) => {
      named.push(`${flow.sourcePort} ${flow.process ?? ''}`);
    },
  });
});
afterEach(() => {
  attribution.stop();
  vi.useRealTimers();
});

function begin(sourcePort: number, lane = '1-1'): Flow {
  const [address, port] = ['192.0.2.1', 80] as const;
  const flow = table.begin({ lane, proto: 'tcp', sourcePort, address, port, via: 'direct' });
  table.opened(flow);
  return flow;
}

const entry = (localPort: number, pid: number, name: string): SocketEntry => {
  const [localAddress, remoteAddress] = ['192.0.0.2', '192.0.2.1'] as const;
  return { proto: 'tcp', localAddress, localPort, remoteAddress, remotePort: 80, pid, name };
};

/** Lets what is due happen, and nothing else. */
const due = () => vi.advanceTimersByTimeAsync(0);

test('nobody is looked at while nobody asks', async () => {
  begin(1000);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(looks).toEqual([]);
});

test('a thousand flows that begin in one second are two looks: one at once, one for the rest', async () => {
  for (let port = 1; port <= 1000; port += 1) {
    begin(port);
    attribution.wanted();
    await vi.advanceTimersByTimeAsync(1);
  }
  await vi.advanceTimersByTimeAsync(5000);
  expect(looks).toHaveLength(2);
});

test('all who ask within a second get the same look, which is not before the second is over', async () => {
  begin(1000);
  await Promise.all([attribution.attribute(), due()]);
  expect(looks).toEqual(['1-1']);
  begin(1001);
  held = [entry(1001, 7, 'curl')];
  const all = Promise.all([attribution.attribute(), attribution.attribute(), attribution.attribute()]);
  await vi.advanceTimersByTimeAsync(990);
  expect(looks).toEqual(['1-1']);
  await vi.advanceTimersByTimeAsync(10);
  await all;
  expect(looks).toEqual(['1-1', '1-1']);
  expect(named).toEqual(['1001 curl']);
});

test('who shows flows every second has their processes with them, and never waits for a look', async () => {
  begin(1000);
  held = [entry(1000, 7, 'curl')];
  await Promise.all([attribution.attributeIfDue(), due()]);
  expect(named).toEqual(['1000 curl']);
  begin(1001);
  held = [entry(1001, 8, 'git')];
  await attribution.attributeIfDue();
  expect(named).toEqual(['1000 curl']);
  await vi.advanceTimersByTimeAsync(1000);
  expect(named).toEqual(['1000 curl', '1001 git']);
});

test('flows that have their process ask for nothing more', async () => {
  begin(1000);
  held = [entry(1000, 7, 'curl')];
  await Promise.all([attribution.attribute(), due()]);
  await vi.advanceTimersByTimeAsync(10_000);
  await attribution.attribute();
  expect(looks).toHaveLength(1);
});

test('only lanes with flows that have none are looked at', async () => {
  begin(1000, '1-1');
  begin(1001, '1-2');
  held = [entry(1000, 7, 'curl')];
  await Promise.all([attribution.attribute(), due()]);
  expect(looks).toEqual(['1-1', '1-2']);
  await vi.advanceTimersByTimeAsync(2000);
  await Promise.all([attribution.attribute(), due()]);
  expect(looks.slice(2)).toEqual(['1-2']);
});

test('a rule that wants to know has one look for all who ask meanwhile, and no two within 50 ms', async () => {
  vi.useRealTimers();
  held = [entry(1000, 7, 'curl'), entry(1001, 8, 'git')];
  const asked = [1000, 1001, 1002].map((port) => attribution.processOf('1-1', 'tcp', port));
  expect(await Promise.all(asked)).toEqual(['curl', 'git', null]);
  expect(looks).toHaveLength(1);
  const since = performance.now();
  expect(await attribution.processOf('1-1', 'tcp', 1000)).toBe('curl');
  expect(looks).toHaveLength(2);
  // The clock has whole milliseconds, and the first look is over already.
  expect(performance.now() - since).toBeGreaterThan(40);
});
