/** Proxying off and all traffic blocked, as switches of lanes that find their way back. */
import { beforeEach, describe, expect, test } from 'vitest';
import { LaneSwitches } from '../../electron/main/lane-switches.ts';
import type { ShownLane } from '../../electron/shared/contract.ts';
import { laneWith, switched } from './shown.ts';

const [first, second] = [laneWith(1), laneWith(2, { profile: { ...laneWith(2).profile, id: 'tor' } })];
const typed = laneWith(3, { profile: { name: 'x', colour: '#000000', letter: 'X' } });

let lanes: Map<string, ShownLane>;
let calls: [string, string][];
let switches: LaneSwitches;

/** The engine does as it was told, and says so. */
function settle(): void {
  for (const [id, profile] of calls.splice(0)) {
    const lane = lanes.get(id);
    if (lane !== undefined) lanes.set(id, switched(lane, profile));
  }
  switches.update([...lanes.values()]);
}

function start(...started: readonly ShownLane[]): void {
  for (const lane of started) lanes.set(lane.id, lane);
  switches.update([...lanes.values()]);
}

const profiles = () => [...lanes.values()].map(({ profile }) => profile.id);

beforeEach(() => {
  lanes = new Map();
  calls = [];
  switches = new LaneSwitches((lane, profile) => calls.push([lane, profile]));
});

describe('blocking', () => {
  test('takes every app off the network, and gives each what it had', () => {
    start(first, second);
    switches.setBlocking(true);
    settle();
    expect(profiles()).toEqual(['none', 'none']);
    switches.setBlocking(false);
    settle();
    expect(profiles()).toEqual(['work', 'tor']);
    settle();
    expect(calls).toEqual([]);
  });

  test('takes hold of an app that starts meanwhile, and of one that is given another profile', () => {
    start(first);
    switches.setBlocking(true);
    settle();
    start(second);
    settle();
    expect(profiles()).toEqual(['none', 'none']);
    lanes.set(first.id, switched(first, 'other'));
    switches.update([...lanes.values()]);
    settle();
    expect(profiles()).toEqual(['none', 'none']);
    switches.setBlocking(false);
    settle();
    expect(profiles()).toEqual(['other', 'tor']);
  });

  test('asks an engine once, however often that says what it shows', () => {
    start(first);
    switches.setBlocking(true);
    for (let round = 0; round < 5; round += 1) switches.update([first]);
    expect(calls).toEqual([[first.id, 'none']]);
  });

  test('leaves an app blocked whose proxy was typed, and names it beforehand', () => {
    start(first, typed);
    expect(switches.typed).toEqual([typed]);
    switches.setBlocking(true);
    settle();
    switches.setBlocking(false);
    settle();
    expect(profiles()).toEqual(['work', 'none']);
  });

  test('keeps a profile that is chosen meanwhile for later', () => {
    start(first);
    switches.setBlocking(true);
    settle();
    switches.choose(first.id, 'tor');
    settle();
    expect(profiles()).toEqual(['none']);
    switches.setBlocking(false);
    settle();
    expect(profiles()).toEqual(['tor']);
  });

  test('goes before proxying that is off, which is so again afterwards', () => {
    start(first);
    switches.turnOff(switches.proxied);
    settle();
    switches.setBlocking(true);
    settle();
    expect(profiles()).toEqual(['none']);
    switches.setBlocking(false);
    settle();
    expect(profiles()).toEqual(['direct']);
    switches.turnOn();
    settle();
    expect(profiles()).toEqual(['work']);
  });

  test('turned on and off faster than an engine answers ends where it began', () => {
    start(first);
    switches.setBlocking(true);
    switches.setBlocking(false);
    settle();
    settle();
    expect(profiles()).toEqual(['work']);
    expect(calls).toEqual([]);
  });
});

describe('proxying', () => {
  test('is off for apps with a named proxy only, and never for those that start later', () => {
    const none = switched(laneWith(4), 'none');
    start(first, typed, none);
    switches.turnOff([...lanes.values()]);
    settle();
    expect(profiles()).toEqual(['direct', undefined, 'none']);
    expect(switches.isOff).toBe(true);
    start(second);
    settle();
    expect(profiles()).toEqual(['direct', undefined, 'none', 'tor']);
    expect(switches.isOff).toBe(false);
  });

  test('is on again for one app, or for all', () => {
    start(first, second);
    switches.turnOff(switches.proxied);
    settle();
    expect([...switches.restorable]).toEqual([first.id, second.id]);
    switches.turnOn(first.id);
    settle();
    expect(profiles()).toEqual(['work', 'direct']);
    switches.turnOn();
    settle();
    expect(profiles()).toEqual(['work', 'tor']);
    expect(switches.restorable.size).toBe(0);
  });

  test('forgets an app that has ended, and one whose user chose otherwise', () => {
    start(first, second);
    switches.turnOff(switches.proxied);
    settle();
    lanes.delete(first.id);
    lanes.set(second.id, switched(second, 'other'));
    switches.update([...lanes.values()]);
    switches.turnOn();
    settle();
    expect(profiles()).toEqual(['other']);
    expect(switches.isOff).toBe(false);
  });
});
