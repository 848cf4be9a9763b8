/**
 * Which servers of a chain a connection goes through, as proxychains-ng documents its modes. Servers are numbers
 * here, their places in the chain; no clock, no chance but what is given.
 */
import type { ChainMode } from '#shared/profile.ts';

export interface Choice {
  readonly mode: ChainMode;
  /** How many servers the chain has. */
  readonly count: number;
  /** How many a path has; random and round-robin only. */
  readonly length: number;
  /** Servers that are believed to be dead: taken only where there are too few others. */
  readonly dead: ReadonlySet<number>;
  /** Servers that failed this very connection: not taken again. */
  readonly failed: ReadonlySet<number>;
  /** Where round-robin goes on. */
  readonly start: number;
  /** 0 up to but not including 1. */
  readonly random: () => number;
  /** The path before, in which some have failed; random keeps the others of it. */
  readonly before?: readonly number[];
}

/** The path, or undefined when too few servers are left for one. */
export function choosePath(choice: Choice): number[] | undefined {
  const all = Array.from({ length: choice.count }, (_, index) => index);
  switch (choice.mode) {
    case 'strict':
      return choice.failed.size === 0 && choice.count > 0 ? all : undefined;
    case 'dynamic': {
      const left = preferred(all, choice, 1);
      return left.length === 0 ? undefined : left;
    }
    case 'random':
      return randomPath(all, choice);
    case 'round-robin': {
      const turned = [...all.slice(choice.start), ...all.slice(0, choice.start)];
      const left = preferred(turned, choice, choice.length);
      return left.length < choice.length ? undefined : left.slice(0, choice.length);
    }
  }
}

/** Where round-robin goes on after a path. */
export function startAfter(path: readonly number[], count: number): number {
  return ((path.at(-1) ?? -1) + 1) % Math.max(1, count);
}

/** The living in their order; with too few of them all that have not failed. */
function preferred(order: readonly number[], { dead, failed }: Choice, enough: number): number[] {
  const left = order.filter((index) => !failed.has(index));
  const living = left.filter((index) => !dead.has(index));
  return living.length < enough ? left : living;
}

function randomPath(all: readonly number[], choice: Choice): number[] | undefined {
  const { before = [], failed, length } = choice;
  const kept = new Set(before.filter((index) => !failed.has(index)));
  const others = preferred(
    all.filter((index) => !kept.has(index)),
    choice,
    length - kept.size,
  );
  const path: number[] = [];
  for (let at = 0; at < length; at += 1) {
    const same = before[at];
    const next = same !== undefined && kept.has(same) ? same : draw(others, choice.random);
    if (next === undefined) return undefined;
    path.push(next);
  }
  return path;
}

/** Takes one out of the list. */
function draw(from: number[], random: () => number): number | undefined {
  return from.splice(Math.floor(random() * from.length), 1)[0];
}
