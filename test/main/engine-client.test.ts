/** Many engines shown as one, over real sockets; what speaks there is a script. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Engines } from '../../electron/main/engine-client.ts';
import { LineReader } from '../../electron/shared/control/line-reader.ts';
import type { TrafficEvent } from '../../electron/shared/engine-protocol.ts';
import type { LaneView, Snapshot } from '../../electron/shared/model.ts';
import { version } from '../../electron/shared/version.ts';
import { until } from '../world/until.ts';

const lane: LaneView = {
  id: '4194301-1',
  name: 'sleep',
  app: 'sleep',
  command: ['sleep', '9'],
  profile: { name: 'x', colour: '#000000', letter: 'X' },
  via: 'socks5://203.0.113.7:1080',
  health: 'unknown',
  state: 'running',
  mode: 'rootless',
  interception: 'tproxy',
  startedAt: 1,
  flowsOpen: 0,
  flowsTotal: 0,
  bytesUp: 0,
  bytesDown: 0,
  notes: [],
};

const minute: TrafficEvent = { at: 1000, lanes: [{ id: lane.id, bytesUp: 1, bytesDown: 2, flowsOpen: 3 }] };

/** An engine as a window hears it, under a process number that no process has. */
class ScriptedEngine {
  readonly pid: number;
  isMute = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly asked: string[] = [];

  constructor(dir: string, pid: number, ofVersion = version) {
    this.pid = pid;
    const snapshot: Snapshot = {
      engine: { pid, version: ofVersion, startedAt: pid },
      helpers: [],
      lanes: [{ ...lane, id: `${pid}-1` }],
    };
    const values: Record<string, unknown> = {
      hello: { version: ofVersion, pid },
      watch: snapshot,
      'traffic.watch': { past: [minute] },
    };
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      const lines = new LineReader(1 << 20, (line) => {
        const { id, method } = JSON.parse(line) as { id: number; method: string };
        this.asked.push(method);
        if (!this.isMute) socket.write(`${JSON.stringify({ id, result: values[method] ?? {} })}\n`);
      });
      socket.on('data', (bytes) => lines.push(bytes));
    });
    this.#server.listen(join(dir, `engine-${pid}.sock`));
  }

  end(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

let parent: string;
let dir: string;
let engines: Engines;
const scripted: ScriptedEngine[] = [];

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'culvert-engines-'));
  vi.stubEnv('XDG_RUNTIME_DIR', parent);
  dir = join(parent, 'culvert');
  mkdirSync(dir, { mode: 0o700 });
});
afterEach(() => {
  engines.close();
  for (const engine of scripted.splice(0)) engine.end();
  vi.unstubAllEnvs();
  rmSync(parent, { recursive: true, force: true });
});

function start(pid: number, ofVersion?: string): ScriptedEngine {
  const engine = new ScriptedEngine(dir, pid, ofVersion);
  scripted.push(engine);
  return engine;
}
const shown = () => engines.view(undefined).lanes.map(({ id }) => id);

test('engines that were there and engines that come are shown together, oldest first', async () => {
  start(4194302);
  engines = new Engines();
  await until('the first', () => shown().length === 1);
  start(4194301);
  await until('both', () => shown().length === 2);
  expect(shown()).toEqual(['4194301-1', '4194302-1']);
  expect(engines.view(4194301).engines.map(({ isOwn }) => isOwn)).toEqual([true, false]);
});

test('an engine that ends is gone from the picture at once', async () => {
  const engine = start(4194301);
  engines = new Engines();
  await until('it', () => shown().length === 1);
  engine.end();
  await until('nothing', () => shown().length === 0, 1000);
});

test('an engine that says nothing for longer than it should is shown as silent within a second', async () => {
  const engine = start(4194301);
  engines = new Engines();
  await until('it', () => shown().length === 1);
  const answers = () => engines.view(undefined).engines[0]?.isAnswering;
  expect(answers()).toBe(true);
  engine.isMute = true;
  await until('its silence to be seen', () => answers() === false, 1000);
  engine.isMute = false;
  await until('it to be heard', () => answers() === true, 1000);
});

test('while nobody sees it little is asked and no traffic; seen again it has the past and the truth at once', async () => {
  const engine = start(4194301);
  engines = new Engines();
  const past: TrafficEvent[][] = [];
  engines.on('pastTraffic', (events) => past.push(events));
  await until('it', () => shown().length === 1);
  await until('its traffic', () => past.length === 1);
  engines.setSeen(false);
  await until('its traffic to be let go of', () => engine.asked.includes('traffic.unwatch'));
  const asked = engine.asked.length;
  await new Promise((resolve) => setTimeout(resolve, 1500));
  // Seen, it would be asked five times.
  expect(engine.asked.length - asked).toBeLessThanOrEqual(1);
  engine.isMute = true;
  engines.setSeen(true);
  await until('its silence', () => engines.view(undefined).engines[0]?.isAnswering === false, 1000);
  expect(engine.asked.at(-1)).toBe('hello');
  engine.isMute = false;
  await engines.look();
  engines.tellPast();
  await until('the past to be told', () => past.length === 2);
  expect(past).toEqual([[minute], [minute]]);
});

test('an engine that falls silent while nobody looks is noticed all the same', async () => {
  const engine = start(4194301);
  engines = new Engines();
  await until('it', () => shown().length === 1);
  engines.setSeen(false);
  engine.isMute = true;
  await until('its silence', () => engines.view(undefined).engines[0]?.isAnswering === false, 4000);
});

test('an engine of another version is not shown', async () => {
  const other = start(4194301, '9.9.9');
  start(4194302);
  engines = new Engines();
  await until('the one that fits', () => shown().length === 1);
  await until('the other to have been asked', () => other.asked.includes('watch'));
  expect(shown()).toEqual(['4194302-1']);
});

test('who watches flows watches those of engines that come later, too, and a lane of no engine is unknown', async () => {
  engines = new Engines();
  await engines.watchFlows(true);
  const engine = start(4194301);
  await until('its flows to be watched', () => engine.asked.includes('flows.watch'));
  expect(engines.ofLane('4194301-1').pid).toBe(4194301);
  expect(() => engines.ofLane('12-1')).toThrow(
    expect.objectContaining({ failure: { code: 'lane-unknown', detail: '12-1' } }),
  );
});
