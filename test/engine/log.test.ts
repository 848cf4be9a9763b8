import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LogFile } from '../../electron/engine/log-file.ts';
import { EngineLog, redact, type LogLevel } from '../../electron/engine/log.ts';
import type { AppExit } from '../../electron/engine/lane-spec.ts';
import type { FlowView, LaneView } from '../../electron/shared/model.ts';
import { bundle } from '../world/artefact.ts';
import { Running } from '../world/running.ts';

const canary = 'canary-7f3a';
const proxy = `socks5://me:${canary}@192.0.2.9:1080`;

const view: LaneView = {
  id: '12-1',
  name: 'curl',
  app: 'curl',
  command: ['curl', `http://secret.example/?${canary}`],
  profile: { id: 'work', name: 'Work', colour: '#5b6ee1', letter: 'W' },
  health: 'unknown',
  via: proxy,
  state: 'running',
  mode: 'rootless',
  interception: 'tproxy',
  startedAt: 1000,
  flowsOpen: 0,
  flowsTotal: 0,
  bytesUp: 0,
  bytesDown: 0,
  notes: [`cannot reach ${proxy}`],
};
const flow: FlowView = {
  id: 1,
  lane: view.id,
  proto: 'tcp',
  sourcePort: 1,
  host: 'secret.example',
  address: '198.51.100.7',
  port: 443,
  via: proxy,
  state: 'refused',
  bytesUp: 0,
  bytesDown: 0,
  openedAt: 0,
  failure: { code: 'proxy-refused', detail: 'secret.example:443 by 198.51.100.7' },
};

function kept(level: LogLevel) {
  const lines: string[] = [];
  const log = new EngineLog({ level, now: () => 5000, append: (line) => lines.push(line) });
  const exit = Promise.resolve<AppExit>({ kind: 'code', code: 3 });
  const lane = { id: view.id, startedAt: view.startedAt, exit, empty: exit };
  const shown = (changes: Partial<LaneView> = {}) => ({ ...view, ...changes });
  const take = () => lines.splice(0).map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log, lane, shown, lines, take };
}

const ready = { state: 'ready', mode: 'rootless', why: 'this kernel allows it' } as const;

describe('the log of an engine', () => {
  test('tells of the engine, its helper, and a lane from its opening to its end', async () => {
    const { log, lane, shown, take } = kept('info');
    log.begin();
    log.look([{ state: 'starting', mode: 'rootless' }], []);
    log.look([ready], [shown({ state: 'starting' })]);
    log.look([ready], [shown()]);
    log.look([ready], [shown()]);
    log.follow(lane);
    await Promise.resolve().then(() => new Promise((resolve) => setImmediate(resolve)));
    log.end();
    const at = '1970-01-01T00:00:05.000Z';
    expect(take()).toMatchObject([
      { at, pid: process.pid, event: 'engine.started' },
      { event: 'helper.starting' },
      { event: 'helper.ready', mode: 'rootless', why: ready.why },
      { event: 'lane.opened', lane: '12-1', app: 'curl', profile: 'work', mode: 'rootless' },
      { event: 'lane.ended', lane: '12-1', ms: 4000, code: 3 },
      { event: 'engine.ended' },
    ]);
  });

  test('tells of another profile, of a chain that is lost and back, of failures and the configuration', () => {
    const { log, shown, take } = kept('info');
    log.look([ready], [shown()]);
    take();
    log.look([ready], [shown({ profile: { ...view.profile, id: 'home' } })]);
    log.look([ready], [shown({ profile: { name: proxy, colour: '', letter: '' } })]);
    log.look([ready], [shown({ health: 'unreachable', trouble: { code: 'proxy-timeout', detail: proxy } })]);
    log.look([ready], [shown({ health: 'reachable' })]);
    log.look([ready], [shown({ state: 'failed', cause: { code: 'launch-failed', step: 'exec' } })]);
    log.configProblem({ code: 'config-invalid', detail: `line 3: ${proxy}` });
    log.helperFailed({ code: 'pkexec-dismissed' });
    expect(take()).toMatchObject([
      { event: 'lane.switched', from: 'work', to: 'home' },
      { event: 'lane.switched', from: 'home', to: 'command line' },
      { event: 'lane.switched', from: 'command line', to: 'work' },
      { event: 'chain.unreachable', code: 'proxy-timeout' },
      { event: 'chain.reachable' },
      { event: 'lane.failed', code: 'launch-failed', step: 'exec' },
      { event: 'config.problem', code: 'config-invalid' },
      { event: 'helper.failed', code: 'pkexec-dismissed' },
    ]);
  });

  function everything({ log, shown }: ReturnType<typeof kept>): void {
    log.begin();
    log.look([{ ...ready, why: `as ${proxy} says` }], [shown()]);
    log.look([ready], [shown({ health: 'unreachable', trouble: { code: 'proxy-timeout', detail: proxy } })]);
    log.flow(flow);
    log.configProblem({ code: 'config-invalid', step: proxy, detail: 'secret.example:443' });
    process.emit(
      'uncaughtExceptionMonitor' as never,
      new Error(`no way to secret.example by ${proxy}`) as never,
    );
    log.end();
  }

  test('does not say where apps go to unless it is told to, and passwords never', () => {
    const usual = kept('info');
    everything(usual);
    expect(usual.lines.join('\n')).not.toMatch(/secret\.example|198\.51\.100|192\.0\.2/);
    expect(usual.lines.join('\n')).toContain('engine.failed');
    const debug = kept('debug');
    everything(debug);
    expect(debug.lines.join('\n')).toMatch(/"host":"secret\.example","address":"198\.51\.100\.7"/);
    for (const { lines } of [usual, debug]) expect(lines.join('\n')).not.toContain(canary);
    const off = kept('off');
    everything(off);
    expect(off.lines).toEqual([]);
  });

  test('knows the place of a failure of our own', () => {
    const { log, take } = kept('info');
    log.begin();
    take();
    process.emit('uncaughtExceptionMonitor' as never, new TypeError('x') as never);
    log.end();
    expect(take()[0]).toMatchObject({ event: 'engine.failed', error: 'TypeError', file: 'log.test.ts' });
  });

  test('takes out addresses of any form', () => {
    const address = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.ipV6().map((text) => `[${text}]:443`),
      fc.domain().map((name) => `${name}:443`),
      fc.webUrl(),
    );
    fc.assert(
      fc.property(address, (text) => {
        expect(redact(`to ${text} now`, false)).not.toContain(text);
      }),
    );
    for (const length of [460, 480, 485, 490, 500])
      expect(redact(`${'x '.repeat(length / 2)}${proxy}`, true)).not.toContain('canary');
    expect(redact('the kernel forbids it (kernel.unprivileged_userns_clone), rootless', false)).toBe(
      'the kernel forbids it (kernel.unprivileged_userns_clone), rootless',
    );
  });
});

describe('the file of the log', () => {
  let dir: string;
  let path: string;
  let script: string;
  beforeAll(() => {
    script = bundle('test/engine/log-writer.ts');
  });
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'culvert-log-'));
    path = join(dir, 'engine.log');
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });

  test('is the owner’s only, and is moved away when it is full, three files at most', async () => {
    const file = new LogFile(path, 1000);
    for (let at = 0; at < 100; at += 1) {
      file.append(`${at} ${'x'.repeat(90)}`);
      await file.settled();
    }
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const files = [path, `${path}.1`, `${path}.2`].map((one) => readFileSync(one, 'utf8').trim().split('\n'));
    expect(files.flatMap((lines) => lines.length).every((count) => count <= 11)).toBe(true);
    expect(files.toReversed().flat().at(-1)).toMatch(/^99 /);
    expect(existsSync(`${path}.3`)).toBe(false);
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  test('has every line of several processes whole, also while it is moved away', async () => {
    // 4 × 400 lines of about 140 bytes are less than the three files hold.
    const writers = ['a', 'b', 'c', 'd'].map(
      (name) =>
        new Running(
          spawn(process.execPath, [script, path, name, '400', '100000'], {
            stdio: ['ignore', 'pipe', 'pipe'],
          }),
        ),
    );
    for (const running of writers) expect(await running.ended).toMatchObject({ code: 0, stderr: '' });
    const texts = [`${path}.2`, `${path}.1`, path].map((one) =>
      existsSync(one) ? readFileSync(one, 'utf8') : '',
    );
    const lines = texts.join('').trim().split('\n');
    const found = lines.map((line) => JSON.parse(line) as { name: string; at: number });
    expect(existsSync(`${path}.1`)).toBe(true);
    for (const name of ['a', 'b', 'c', 'd']) {
      const own = found.filter((line) => line.name === name).map(({ at }) => at);
      expect(own.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 400 }, (_, at) => at));
    }
  });

  test('is done without where it cannot be written, and is not written through a link', () => {
    new LogFile(join(dir, 'missing', 'engine.log')).append('x');
    const target = join(dir, 'other');
    writeFileSync(target, 'mine');
    symlinkSync(target, path);
    new LogFile(path).append('x');
    expect(readFileSync(target, 'utf8')).toBe('mine');
  });
});
