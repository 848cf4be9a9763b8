/** Which servers a path has, by mode, as proxychains-ng documents them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chainModes } from '#shared/profile.ts';
import { choosePath, startAfter, type Choice } from '../../../electron/engine/upstream/selection.ts';

const none: ReadonlySet<number> = new Set<number>();

function choose(choice: Partial<Choice>): number[] | undefined {
  return choosePath({
    mode: 'strict',
    count: 4,
    length: 2,
    dead: none,
    failed: none,
    start: 0,
    random: () => 0,
    ...choice,
  });
}

describe('strict', () => {
  it('takes all in order, also those that were dead lately', () => {
    expect(choose({ dead: new Set([1]) })).toEqual([0, 1, 2, 3]);
  });

  it('has no path once a server has failed', () => {
    expect(choose({ failed: new Set([3]) })).toBeUndefined();
  });
});

describe('dynamic', () => {
  it('takes all that are alive, in order', () => {
    expect(choose({ mode: 'dynamic', dead: new Set([1]), failed: new Set([2]) })).toEqual([0, 3]);
  });

  it('tries the dead again when nobody else is left, but none that has just failed', () => {
    expect(choose({ mode: 'dynamic', dead: new Set([0, 1, 2]), failed: new Set([3, 1]) })).toEqual([0, 2]);
    expect(choose({ mode: 'dynamic', failed: new Set([0, 1, 2, 3]) })).toBeUndefined();
  });
});

describe('random', () => {
  it('draws distinct living servers', () => {
    const random = sequence([0.9, 0.1]);
    expect(choose({ mode: 'random', length: 2, dead: new Set([2]), random })).toEqual([3, 0]);
  });

  it('puts another server in the place of one that failed and keeps the rest', () => {
    const random = sequence([0.99]);
    expect(choose({ mode: 'random', length: 3, before: [2, 0, 1], failed: new Set([0]), random })).toEqual([
      2, 3, 1,
    ]);
  });

  it('has no path when it is longer than there are servers', () => {
    expect(choose({ mode: 'random', length: 5 })).toBeUndefined();
  });
});

describe('round-robin', () => {
  it('goes on behind the last server used, round the end', () => {
    let start = 0;
    const paths = Array.from({ length: 4 }, () => {
      const path = choose({ mode: 'round-robin', length: 3, start }) ?? [];
      start = startAfter(path, 4);
      return path;
    });
    expect(paths).toEqual([
      [0, 1, 2],
      [3, 0, 1],
      [2, 3, 0],
      [1, 2, 3],
    ]);
  });

  it('passes dead servers over', () => {
    expect(choose({ mode: 'round-robin', start: 3, dead: new Set([0]) })).toEqual([3, 1]);
  });
});

it('never takes a server twice, one that failed, or a dead one while enough others live', () => {
  const servers = fc.uniqueArray(fc.nat(7)).map((list) => new Set(list));
  const choices = fc.record({
    mode: fc.constantFrom(...chainModes),
    count: fc.integer({ min: 1, max: 8 }),
    length: fc.integer({ min: 1, max: 8 }),
    dead: servers,
    failed: servers,
    start: fc.nat(7),
    random: fc.double({ min: 0, max: 0.999 }).map((value) => () => value),
  });
  fc.assert(
    fc.property(choices, (choice) => {
      const path = choosePath({ ...choice, start: choice.start % choice.count });
      if (path === undefined) return;
      const { mode, count, length, dead, failed } = choice;
      expect(new Set(path).size).toBe(path.length);
      expect(path.every((server) => server < count && !failed.has(server))).toBe(true);
      if (mode === 'random' || mode === 'round-robin') expect(path).toHaveLength(length);
      if (mode === 'strict' || mode === 'dynamic') expect([...path].sort((a, b) => a - b)).toEqual(path);
      const living = Array.from({ length: count }, (_, index) => index).filter(
        (index) => !dead.has(index) && !failed.has(index),
      );
      if (mode !== 'strict' && living.length >= (mode === 'dynamic' ? 1 : length)) {
        expect(path.some((server) => dead.has(server))).toBe(false);
      }
    }),
  );
});

function sequence(values: number[]): () => number {
  return () => values.shift() ?? 0;
}
