/**
 * What the screen of connections costs: the real window, with its sandbox and its border, over an engine that tells of
 * 10,000 connections once a second. Main-thread time is what Chromium counts as tasks of the page, whatever they are for.
 */
import { join } from 'node:path';
import { version } from '../../../electron/shared/version.ts';
import { repository } from '../../world/artefact.ts';
import { electron, installWindow } from '../../world/window.ts';
import { World } from '../../world/world.ts';
import { atMost, type Single } from './goals.ts';
import { memoryOf, type Memory } from './memory.ts';

/** A number that no process has (proc(5), pid_max). */
const enginePid = 4_194_301;
const user = 'culvert-a';
const folder = join(repository, 'test/bench/measure');

interface Measured {
  readonly error?: string;
  /** Milliseconds of the page's main thread for each update, and for all else in its second. */
  readonly updates: readonly {
    readonly task: number;
    readonly cpu: number;
    readonly layout: number;
  }[];
  /** Milliseconds of each task of more than 50 ms while scrolling. */
  readonly longTasks: readonly number[];
  /** Processor time of the main thread for each turn of the wheel, in milliseconds. */
  readonly turnMs: number;
  readonly scrolled: number;
  /** Of the page's process. */
  readonly pid: number;
  readonly heap: number;
}

/** `seconds`: how many updates are measured. */
export async function windowOfConnections(seconds: number): Promise<Single[]> {
  await using world = await World.create();
  const { product, display } = await installWindow(world);
  const dir = `/run/user/${world.users[user].uid}/culvert`;
  await world.must(['mkdir', '-p', '-m', '700', dir], { user });
  const parts = ['connections-engine.cjs', 'connections-probe.cjs'].map((name) =>
    world.share(join(folder, name)),
  );
  const [script = '', probe = ''] = parts;
  const socket = `${dir}/engine-${enginePid}.sock`;
  await using engine = world.spawn([process.execPath, script, socket, String(enginePid), version], { user });
  await engine.says(/listening/);
  const env = { DISPLAY: display, LANG: 'en_US.UTF-8', DBUS_SESSION_BUS_ADDRESS: 'disabled:' };
  await using window = world.spawn([electron, '-r', probe, join(product.dir, 'main.cjs')], { user, env });
  await window.says(/loaded/, 60_000);
  window.write(`${seconds}\n`);
  const [, json = ''] = await window.says(/measured (.*)\n/, (seconds + 60) * 1000);
  const found = JSON.parse(json) as Measured;
  if (found.error !== undefined) throw new Error(found.error);
  if (found.scrolled < 1000) throw new Error('the table did not scroll');
  const memory = memoryOf(found.pid);
  window.write('quit\n');
  await window.ended;
  return verdicts(found, memory, await emptyPage(world, env));
}

/** What any page of this Electron has, of which nothing is Culvert's. */
async function emptyPage(world: World, env: Record<string, string>): Promise<Memory> {
  const script = world.share(join(folder, 'empty-page.cjs'));
  await using window = world.spawn([electron, script], { user, env });
  const [, pid] = await window.says(/page ([0-9]+)/, 60_000);
  const memory = memoryOf(Number(pid));
  window.write('quit\n');
  await window.ended;
  return memory;
}

function verdicts({ updates, turnMs, longTasks, heap }: Measured, page: Memory, empty: Memory): Single[] {
  const of = (part: 'task' | 'cpu' | 'layout') => updates.map((update) => update[part]);
  const tasks = of('task');
  return [
    atMost('connections: main thread for one update of 10,000, median', at(tasks, 0.5), 'ms', 30),
    atMost('connections: the same in time of the processor', at(of('cpu'), 0.5), 'ms', 30),
    atMost('connections: of that layout and style', at(of('layout'), 0.5), 'ms', 30),
    atMost('connections: main thread for one update, 95th percentile', at(tasks, 0.95), 'ms', 30),
    atMost('connections: main thread for one update, longest', at(tasks, 1), 'ms', 50),
    atMost('connections: tasks of more than 50 ms in 5 s of scrolling', longTasks.length, '', 0),
    atMost('connections: time of the processor for a turn of the wheel', turnMs, 'ms', 16),
    atMost('connections: longest task while scrolling', Math.max(0, ...longTasks), 'ms', 50),
    atMost('connections: memory of the page, what is shared by its share', page.proportionalMib, 'MiB', 300),
    atMost('connections: of that the heap', heap / 2 ** 20, 'MiB', 100),
    figure('connections: of that what an empty page of this Electron has', empty.proportionalMib),
    figure('connections: memory of the page, what is shared counted whole', page.residentMib),
    figure('connections: of that what an empty page has', empty.residentMib),
  ];
}

function figure(name: string, value: number): Single {
  return { name, value, unit: 'MiB' };
}

function at(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
