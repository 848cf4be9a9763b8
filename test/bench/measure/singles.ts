/** Figures of Culvert alone: what a start costs, and how much memory the engine needs for an idle flow. */
import { readFileSync } from 'node:fs';
import type { Running } from '../../world/running.ts';
import type { World } from '../../world/world.ts';
import { atMost, median, type Single } from './goals.ts';
import type { Bench, CulvertRun } from './tools.ts';

const user = 'culvert-a';

async function millisecondsOf(world: World, command: readonly string[]): Promise<number> {
  const start = performance.now();
  await world.must(command, { user });
  return performance.now() - start;
}

/** Median of `runs`, each beside the bare command at once, so that a busy moment hits both. */
export async function startUp({ world }: Bench, culvertRun: CulvertRun, runs: number): Promise<Single> {
  const differences: number[] = [];
  for (let run = 0; run < runs; run++) {
    const bare = await millisecondsOf(world, ['true']);
    differences.push((await millisecondsOf(world, culvertRun(['true']))) - bare);
  }
  return atMost('culvert run -- true, added, rootless', median(differences), 'ms', 250);
}

/** Resident bytes of one process (proc(5)). */
function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+([0-9]+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) * 1024;
}

interface Idle {
  readonly name: string;
  /** Of the load tool; the count is its second word. */
  readonly mode: readonly [string, number];
  readonly limitKib: number;
}

/** The growth of the process of `culvert run`, which is the engine, over so many open and quiet flows. */
async function idleMemory(
  { world, tools }: Bench,
  culvertRun: CulvertRun,
  { name, mode, limitKib }: Idle,
): Promise<Single> {
  const [, count] = mode;
  await using engine: Running = world.spawn(culvertRun(tools.load(mode)), { user });
  await engine.says(/waiting/);
  const before = residentBytes(engine.pid);
  engine.write('\n');
  await engine.says(/ready/, 120_000);
  const failures = Number(/"failures":([0-9]+)/.exec(engine.stdout)?.[1]);
  if (failures > 0) throw new Error(`${failures} of ${count} idle flows were not opened: ${engine.stderr}`);
  const kib = (residentBytes(engine.pid) - before) / 1024 / count;
  engine.child.stdin?.end();
  await engine.ended;
  return atMost(name, kib, 'KiB', limitKib);
}

export function memoryOfFlows(bench: Bench, culvertRun: CulvertRun): Promise<Single> {
  const name = "engine's memory for an idle TCP flow, of 5,000";
  return idleMemory(bench, culvertRun, { name, mode: ['idle', 5_000], limitKib: 20 });
}

export function memoryOfAssociations(bench: Bench, culvertRun: CulvertRun): Promise<Single> {
  const name = "engine's memory for a UDP association, of 2,000";
  return idleMemory(bench, culvertRun, { name, mode: ['udp-idle', 2_000], limitKib: 32 });
}
