/**
 * What the files of these tests begin with: the programs, made before the tests of a file and removed after them, and
 * a start of one. Where the tests do not run as root nothing is made.
 */
import { afterAll, beforeAll } from 'vitest';
import { launch, Programs, type Launched, type LaunchOptions } from './world.ts';

export const isRoot = process.getuid?.() === 0;
export const modes = ['privileged', 'rootless'] as const;

let made: Programs | undefined;

/** To be called once in a file. */
export function usePrograms(): void {
  beforeAll(() => {
    if (isRoot) made = new Programs();
  });
  afterAll(() => {
    made?.remove();
  });
}

export function programs(): Programs {
  if (made === undefined) throw new Error('the programs are there while tests run, for root');
  return made;
}

/** Starts what stays; it ends with the result. */
export function start(options: LaunchOptions): Launched {
  return launch(programs(), options);
}

/** Starts, waits for the end, and answers all that was said. */
export async function run(options: LaunchOptions): ReturnType<Launched['end']> {
  await using launched = start(options);
  return await launched.end();
}
