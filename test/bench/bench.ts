/**
 * `npm run bench`: how fast a lane is beside no proxy, proxychains4 and redsocks, all in one run on one
 * machine, through a proxy that is not the limit. Prints a table with verdicts, and writes it and the figures
 * to dist/bench.md and dist/bench.json.
 *
 *   --quick          one round of one second each: to see that it works
 *   --rounds N       rounds of the comparison, 3 by default
 *   --seconds N      length of each measurement, 3 by default
 *   --udp, --dns     also these, for an engine that has them
 *   --strict         ends with 1 when a goal is missed
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { repository } from '../world/artefact.ts';
import { World } from '../world/world.ts';
import { dns, udp } from './measure/datagrams.ts';
import type { Single } from './measure/goals.ts';
import { peers } from './measure/peers.ts';
import { isReached, markdown, type Report } from './measure/report.ts';
import { compare, type Pace } from './measure/rounds.ts';
import { memoryOfAssociations, memoryOfFlows, startUp } from './measure/singles.ts';
import { startTools } from './measure/tools.ts';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    udp: { type: 'boolean', default: false },
    dns: { type: 'boolean', default: false },
    strict: { type: 'boolean', default: false },
  },
});

function machine(): string {
  const [first] = cpus();
  const gib = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${first?.model.trim() ?? 'unknown'}, ${gib} GiB, Linux ${release()}, Node ${process.version}`;
}

/** Measures in turn; one that fails is told and the rest goes on. */
async function collect(parts: readonly (() => Promise<Single | Single[]>)[]): Promise<Single[]> {
  const found: Single[] = [];
  for (const part of parts) {
    try {
      found.push(...[await part()].flat());
    } catch (error) {
      process.stderr.write(`not measured: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    }
  }
  return found;
}

async function bench(): Promise<Report> {
  const pace: Pace = options.quick
    ? { rounds: 1, seconds: 1 }
    : { rounds: Number(options.rounds), seconds: Number(options.seconds) };
  await using world = await World.create();
  const tools = await startTools(world);
  const comparison = await compare(world, tools, peers, pace);
  const isBuilt = comparison.missing.culvert === undefined;
  const singles = await collect([
    ...(isBuilt ? [() => startUp(world, options.quick ? 5 : 20), () => memoryOfFlows(world, tools)] : []),
    ...(options.udp ? [() => udp(world, tools, pace, isBuilt)] : []),
    ...(options.udp && isBuilt ? [() => memoryOfAssociations(world, tools)] : []),
    ...(options.dns && isBuilt ? [() => dns(world, tools, pace)] : []),
  ]);
  return { date: new Date().toISOString().slice(0, 10), machine: machine(), comparison, singles };
}

void bench().then((report) => {
  const text = markdown(report);
  const dist = join(repository, 'dist');
  mkdirSync(dist, { recursive: true });
  writeFileSync(join(dist, 'bench.json'), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(join(dist, 'bench.md'), text);
  process.stdout.write(text);
  if (options.strict && !isReached(report)) process.exitCode = 1;
});
