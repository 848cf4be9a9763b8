import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CulvertError } from '#shared/failure.ts';
import { WayHealth } from '../../../electron/engine/ways/way-health.ts';

let isThere = true;
let probes = 0;
let changes: string[] = [];
let health: WayHealth;

beforeEach(() => {
  vi.useFakeTimers();
  [isThere, probes, changes] = [true, 0, []];
  health = new WayHealth({
    probe: () => {
      probes += 1;
      return isThere ? Promise.resolve() : Promise.reject(new CulvertError('proxy-unreachable'));
    },
    now: () => Date.now(),
  });
});
afterEach(() => {
  vi.useRealTimers();
});

const hold = () =>
  health.hold(() => {
    changes.push(health.state.health);
  });

test('nobody is looked for while nobody uses the chain', async () => {
  health.settled({ code: 'proxy-unreachable' });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(probes).toBe(0);
  expect(health.state).toEqual({ health: 'unreachable', trouble: { code: 'proxy-unreachable' } });
});

test('a proxy that is back is seen within a second, and later within ten', async () => {
  hold();
  isThere = false;
  health.settled({ code: 'proxy-unreachable' });
  for (const awayMs of [5000, 300_000]) {
    await vi.advanceTimersByTimeAsync(awayMs);
    expect(health.state.health).toBe('unreachable');
    isThere = true;
    await vi.advanceTimersByTimeAsync(awayMs < 120_000 ? 1000 : 10_000);
    expect(health.state.health).toBe('reachable');
    isThere = false;
    health.settled({ code: 'proxy-unreachable' });
  }
  expect(changes).toEqual(['unreachable', 'reachable', 'unreachable', 'reachable', 'unreachable']);
});

test('the looks of a long absence grow rare', async () => {
  hold();
  isThere = false;
  health.settled({ code: 'proxy-timeout' });
  await vi.advanceTimersByTimeAsync(120_000);
  const before = probes;
  await vi.advanceTimersByTimeAsync(600_000);
  expect(probes - before).toBeLessThan(75);
  expect(before).toBeGreaterThan(120);
});

test('whoever stops using it ends the looks', async () => {
  const letGo = hold();
  isThere = false;
  health.settled({ code: 'proxy-unreachable' });
  await vi.advanceTimersByTimeAsync(1000);
  letGo();
  const before = probes;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(probes).toBe(before);
  expect(vi.getTimerCount()).toBe(0);
});

test('a destination that is refused shows that the chain works', () => {
  hold();
  health.settled({ code: 'proxy-unreachable' });
  health.settled({ code: 'proxy-refused' });
  expect(health.state).toEqual({ health: 'reachable' });
});

test('a failure of the app’s or of this computer says nothing of the chain', () => {
  health.settled({ code: 'host-name-invalid' });
  health.settled({ code: 'engine-limit' });
  expect(health.state).toEqual({ health: 'unknown' });
});

test('a wrong password is not over because the proxy can be connected to; after a while it is tried again', async () => {
  hold();
  health.settled({ code: 'proxy-sign-in-refused' });
  await vi.advanceTimersByTimeAsync(25_000);
  expect(health.state.health).toBe('unreachable');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(health.state).toEqual({ health: 'unknown' });
  expect(changes).toEqual(['unreachable', 'unknown']);
});

/** A probe that takes a second, unless it is called off. */
function slowHealth(): WayHealth {
  return new WayHealth({
    probe: ({ signal }) => {
      probes += 1;
      return new Promise((resolve, reject) => {
        const timer = setTimeout(resolve, 1000);
        signal.addEventListener('abort', () => {
          clearTimeout(timer);
          reject(signal.reason as Error);
        });
      });
    },
    now: () => Date.now(),
  });
}

test('all who look at the same time are one look, and none takes the other’s end for its own', async () => {
  health = slowHealth();
  const first = health.look(5000);
  await vi.advanceTimersByTimeAsync(500);
  const second = health.look(5000);
  const hasty = health.look(100);
  await vi.advanceTimersByTimeAsync(500);
  expect(await Promise.all([first, second, hasty])).toEqual([true, true, false]);
  expect(probes).toBe(1);
  expect(health.state.health).toBe('reachable');
});

test('a look during which a flow comes through has found that the chain is there', async () => {
  health = slowHealth();
  const looking = health.look(5000);
  await vi.advanceTimersByTimeAsync(500);
  health.settled(undefined);
  await vi.advanceTimersByTimeAsync(0);
  expect(await looking).toBe(true);
  expect(health.state.health).toBe('reachable');
  // The next one is one of its own.
  const again = health.look(5000);
  await vi.advanceTimersByTimeAsync(1000);
  expect(await again).toBe(true);
  expect(probes).toBe(2);
});

test('a look that was asked for and found nobody is followed by others, until somebody is there', async () => {
  hold();
  isThere = false;
  expect(await health.look(1000)).toBe(false);
  await vi.advanceTimersByTimeAsync(3000);
  expect(probes).toBeGreaterThan(3);
  isThere = true;
  await vi.advanceTimersByTimeAsync(1000);
  expect(health.state).toEqual({ health: 'reachable' });
});
