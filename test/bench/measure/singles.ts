/** Figures of Culvert alone: what a start costs, and how much memory the engine needs for an idle flow. */
import { readFileSync } from 'node:fs';
import type { Running } from '../../world/running.ts';
import type { World } from '../../world/world.ts';
import { atMost, median, type Single } from './goals.ts';
import { culvertRun } from './peers.ts';
import type { Tools } from './tools.ts';

const user = 'culvert-a';

async function millisecondsOf(world: World, command: readonly string[]): Promise<number> {
  const start = performance.now();
  await world.must(command, { user });
  return performance.now() - start;
}

/** Median of `runs`, each beside the bare command at once, so that a busy moment hits both. */
export async function startUp(world: World, runs = 20): Promise<Single> {
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

async function idleMemory(
  world: World,
  name: string,
  mode: readonly (string | number)[],
  limitKib: number,
  tools: Tools,
) {
  const count = Number(mode[1]);
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

/** The engine is the process of `culvert run`: its growth over so many open and quiet connections. */
export function memoryOfFlows(world: World, tools: Tools, count = 5_000): Promise<Single> {
  const name = `engine's memory for an idle TCP flow, of ${count.toLocaleString('en')}`;
  return idleMemory(world, name, ['idle', count], 20, tools);
}

export function memoryOfAssociations(world: World, tools: Tools, count = 2_000): Promise<Single> {
  const name = `engine's memory for a UDP association, of ${count.toLocaleString('en')}`;
  return idleMemory(world, name, ['udp-idle', count], 32, tools);
}
