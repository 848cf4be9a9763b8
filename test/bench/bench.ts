/**
 * `npm run bench`: how fast a lane is beside no proxy, proxychains4 and redsocks, all in one run on one
 * machine, through a proxy that is not the limit. Prints a table with verdicts, and writes it and the figures
 * to dist/bench.md and dist/bench.json.
 *
 *   --quick          one round of one second each: to see that it works
 *   --rounds N       rounds of the comparison, 3 by default
 *   --seconds N      length of each measurement, 3 by default
 *   --only TEXT      only the rows of the comparison, and the parts beside it, whose names have this in them
 *   --strict         ends with 1 when a goal is missed
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { repository } from '../world/artefact.ts';
import { World } from '../world/world.ts';
import { listingApps } from './measure/apps.ts';
import { windowOfConnections } from './measure/connections.ts';
import { dns, udp } from './measure/datagrams.ts';
import { measurements, type Single } from './measure/goals.ts';
import { installCulvert, peersOf } from './measure/peers.ts';
import { isReached, markdown, type Report } from './measure/report.ts';
import { compare, type Pace } from './measure/rounds.ts';
import { ruleDecisions } from './measure/rules.ts';
import { memoryOfAssociations, memoryOfFlows, startUp } from './measure/singles.ts';
import { startTools, type Bench } from './measure/tools.ts';
import { windowHidden, windowStart } from './measure/window.ts';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    strict: { type: 'boolean', default: false },
  },
});

function machine(): string {
  const [first] = cpus();
  const gib = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${first?.model.trim() ?? 'unknown'}, ${gib} GiB, Linux ${release()}, Node ${process.version}`;
}

/** What is measured beside the comparison, by its name for `--only`. */
type Parts = Readonly<Record<string, () => Promise<Single | Single[]>>>;

/** Measures in turn; one that fails is told and the rest goes on. */
async function collect(parts: Parts): Promise<Single[]> {
  const found: Single[] = [];
  for (const [name, part] of Object.entries(parts)) {
    if (!name.includes(options.only)) continue;
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
  const bench: Bench = { world, tools: await startTools(world), culvertRun: installCulvert(world) };
  const rows = measurements.filter((name) => name.includes(options.only));
  const comparison = await compare(bench, peersOf(bench), pace, rows);
  const singles = await collect(partsOf(bench, pace));
  return { date: new Date().toISOString().slice(0, 10), machine: machine(), comparison, singles };
}

/** As far as there is a Culvert. */
function partsOf(bench: Bench, pace: Pace): Parts {
  const { culvertRun } = bench;
  const datagrams = () => udp(bench, pace);
  if (culvertRun === undefined) return { udp: datagrams };
  return {
    'start-up': () => startUp(bench, culvertRun, options.quick ? 5 : 20),
    'memory-tcp': () => memoryOfFlows(bench, culvertRun),
    udp: datagrams,
    'memory-udp': () => memoryOfAssociations(bench, culvertRun),
    dns: () => dns(bench, culvertRun, pace),
    apps: () => listingApps(options.quick ? 1 : 5),
    rules: () => ruleDecisions(options.quick ? 0.1 : 1),
    'window-connections': () => windowOfConnections(options.quick ? 5 : 30),
    'window-start': () => windowStart(options.quick ? 1 : 5),
    'window-hidden': () => windowHidden(options.quick ? 5 : 60),
  };
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
