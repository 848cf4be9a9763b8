/**
 * Apps opened as the window opens them: through the control socket of an engine of its own, as an ordinary user. What
 * they send is seen at the proxy and on every interface of the host.
 */
import { existsSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { describePackets, type Capture } from '../world/capture.ts';
import { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import type { Running } from '../world/running.ts';
import { gapplication } from '../world/session-bus.ts';
import { until } from '../world/until.ts';
import { World } from '../world/world.ts';
import { AppHost } from './app-host.ts';
import { install, put } from './app-stage.ts';
import { serverOf, writeConfig } from './settings.ts';

let world: World;
let product: Product;
let one: Proxy;
let two: Proxy;
let host: AppHost;
let capture: Capture;
let home: string;
let bus: string;
const outside: Running[] = [];

beforeAll(async () => {
  world = await World.create();
  product = Product.install(world);
  one = await world.proxy('microsocks');
  two = await world.proxy('microsocks');
  home = world.users['culvert-a'].home;
  bus = `/run/user/${world.users['culvert-a'].uid}/bus`;
  const daemon = ['dbus-daemon', '--session', '--nofork', '--nopidfile', '--print-address'];
  await world.spawn([...daemon, `--address=unix:path=${bus}`], { user: 'culvert-a' }).says(/unix:path/);
  const display = await world
    .spawn(['Xvfb', '-displayfd', '1', '-ac', '-nolisten', 'tcp', '-screen', '0', '800x600x24'])
    .says(/^([0-9]+)\n/);
  host = await AppHost.start(world, product, {
    DISPLAY: `:${display[1] ?? ''}`,
    DBUS_SESSION_BUS_ADDRESS: 'unix:abstract=/tmp/dbus-nobody',
    ELECTRON_RUN_AS_NODE: '1',
    // Others would start helpers of theirs on the bus.
    TERMINAL: 'xterm',
    CULVERT_NODE: process.execPath,
    DESKTOP_STARTUP_ID: 'the-window',
  });
});
afterAll(async () => {
  await host[Symbol.asyncDispose]();
  await until('nothing to be left', () => world.leftovers().length === 0);
  await world[Symbol.asyncDispose]();
});
beforeEach(async () => {
  configure();
  capture = await world.capture();
});
/** Whatever a test did, no packet went beside the proxies. */
afterEach(async () => {
  await host.clear();
  for (const running of outside.splice(0)) await running.end();
  const leaks = await capture.leaks([...one.exceptions, ...two.exceptions]);
  await capture[Symbol.asyncDispose]();
  expect(describePackets(leaks.slice(0, 10))).toBe('');
});

function configure(more: object = { defaultProfile: 'one' }): void {
  const profiles = [
    { id: 'one', name: 'One', chain: { servers: [serverOf(one)] } },
    { id: 'two', name: 'Two', chain: { servers: [serverOf(two)] } },
  ];
  writeConfig(world, { profiles, ...more });
}

const said = ({ process: { stderr } }: Proxy, name: string) => stderr.includes(`connected to ${name}:`);
const hostNetwork = () => readlinkSync(`/proc/${world.namespace('host').pid}/ns/net`);

/** An app that fetches a page, says who and where it is, and stays. */
function fetcher(page: string): string {
  const program = put(
    world,
    `${page}.sh`,
    `#!/bin/sh
curl -sS --max-time 10 http://${page}/
env
echo "cwd $(pwd)" "limit $(ulimit -Sn)" "arguments $*"
ps -o pid=,pgid=,sid= -p $$ | xargs echo ids
readlink /proc/self/ns/net
ls -l /proc/self/fd/0 >&2
echo ready
exec sleep 600
`,
    0o755,
  );
  return program;
}

async function logOf(lane: string, pattern: RegExp): Promise<string> {
  return until(`${String(pattern)} in the log`, async () => {
    const { text } = await host.call('lane.log', { lane });
    return pattern.test(text) ? text : undefined;
  });
}

function openOutside(command: readonly string[]): Running {
  const running = world.spawn(command, {
    user: 'culvert-a',
    env: { DBUS_SESSION_BUS_ADDRESS: `unix:path=${bus}` },
  });
  outside.push(running);
  return running;
}

describe('an app of a desktop entry', () => {
  test('goes through the profile that it is bound to, with what a session gives and nothing of the window', async () => {
    const page = 'bound.example.test';
    install(world, 'fetcher', `${fetcher(page)} %F`);
    configure({ defaultProfile: 'one', apps: { fetcher: 'two' } });
    const { lanes } = await host.call('app.open', { app: 'fetcher', args: ['/etc/hosts'] });
    expect(lanes).toHaveLength(1);
    const [id = ''] = lanes;
    const text = await logOf(id, /^ready$/m);
    expect(text).toContain('This is the internet of the test.');
    await until('its proxy to name the page', () => said(two, page));
    expect(said(one, page)).toBe(false);
    expect(text).toContain(`cwd ${home} limit 1024 arguments /etc/hosts\n`);
    expect(text).toMatch(/ -> \/dev\/null$/m);
    const [, pid, group, session] = /^ids (\d+) (\d+) (\d+)$/m.exec(text) ?? [];
    expect(group).toBe(pid);
    expect(session).not.toBe(String(host.engine.pid));
    expect(text).not.toContain(hostNetwork());
    // An abstract address would be out of reach there.
    expect(text).toContain(`DBUS_SESSION_BUS_ADDRESS=unix:path=${bus}\n`);
    expect(text).not.toMatch(/^(?:ELECTRON_|CULVERT_|DESKTOP_STARTUP_ID)/m);
    const [lane] = await host.lanes();
    expect(lane).toMatchObject({
      id,
      name: 'The App',
      app: 'fetcher',
      profile: { id: 'two' },
      state: 'running',
    });
    expect(statSync(join(home, `.local/state/culvert/lanes/${id}.log`)).mode & 0o777).toBe(0o600);
  });

  test('takes the profile that is given before all others, and the default one last', async () => {
    install(world, 'chooser', fetcher('chooser.example.test'));
    const profileOf = async (profile?: string) => {
      await host.call('app.open', { app: 'chooser', ...(profile === undefined ? {} : { profile }) });
      const [lane] = await host.lanes();
      await host.clear();
      return lane?.profile.id;
    };
    expect(await profileOf()).toBe('one');
    expect(await profileOf('two')).toBe('two');
    configure({ defaultProfile: 'one', apps: { chooser: 'two' } });
    expect(await profileOf()).toBe('two');
    configure({});
    expect(await host.refused('app.open', { app: 'chooser' })).toEqual({
      code: 'profile-missing',
      detail: 'chooser',
    });
    expect(await host.refused('app.open', { app: 'chooser', profile: 'three' })).toMatchObject({
      code: 'profile-unknown',
    });
    expect(await host.lanes()).toEqual([]);
  });

  test('is not opened where the isolation that its profile asks for cannot be had', async () => {
    const profiles = [{ id: 'strict', name: 'Strict', action: 'block', isolation: 'helper' }];
    writeConfig(world, { profiles, defaultProfile: 'strict' });
    const program = put(world, 'stay.sh', '#!/bin/sh\nexec sleep 600\n', 0o755);
    await expect(host.call('app.open', { app: program })).rejects.toThrow(/^pkexec-no-agent/);
    expect(await host.lanes()).toEqual([]);
  });

  test('that takes one file at a time is opened once for each, every time on a lane of its own', async () => {
    const out = join(home, 'viewed');
    const program = put(world, 'view.sh', `#!/bin/sh\necho "$@" >> ${out}\nexec sleep 600\n`, 0o755);
    install(world, 'viewer', `${program} --page=1 %f`);
    const { lanes } = await host.call('app.open', { app: 'viewer', args: ['/a b', 'file:///c'] });
    expect(new Set(lanes).size).toBe(2);
    await until('both', () => existsSync(out) && readFileSync(out, 'utf8').split('\n').length === 3);
    expect(readFileSync(out, 'utf8').split('\n').sort()).toEqual(['', '--page=1 /a b', '--page=1 /c']);
    expect((await host.lanes()).map(({ id }) => id)).toEqual(lanes);
  });

  test('of a terminal opens in one that stays on the lane', async () => {
    const out = join(home, 'terminal-network');
    const program = put(
      world,
      'tell.sh',
      `#!/bin/sh\nreadlink /proc/self/ns/net > ${out}\nexec sleep 600\n`,
      0o755,
    );
    install(world, 'teller', program, 'Terminal=true\n');
    await host.call('app.open', { app: 'teller' });
    await until('the command', () => existsSync(out) && readFileSync(out, 'utf8') !== '', 20_000);
    expect(readFileSync(out, 'utf8').trim()).not.toBe(hostNetwork());
  });

  test('may write as much as it likes: its log stays small, and shows the end', async () => {
    const program = put(world, 'write.sh', '#!/bin/sh\nseq 1 1000000\necho ready\nexec sleep 600\n', 0o755);
    const { lanes } = await host.call('app.open', { app: program });
    const [id = ''] = lanes;
    const text = await logOf(id, /^ready$/m);
    expect(text).toContain('1000000\nready\n');
    const log = join(home, `.local/state/culvert/lanes/${id}.log`);
    await until('the log to be cut', () => {
      const left = readFileSync(log, 'utf8');
      return left.length <= 1024 * 1024 && left.endsWith('1000000\nready\n');
    });
  });
});

describe('an app that runs outside', () => {
  test('is refused, told with what can be done, closed and opened on a lane; a second one joins it there', async () => {
    const id = 'org.example.Maps';
    const [program, , script] = gapplication(bus, id);
    const maps = put(world, 'maps.py', script ?? '');
    install(world, id, `${program} ${maps} ${bus} ${id}`, 'DBusActivatable=true\n');
    const running = openOutside([program, maps, bus, id]);
    await running.says(/^owner$/m);
    const failure = await host.refused('app.open', { app: id, anyway: true });
    expect(failure.code).toBe('app-running-outside');
    expect(failure.detail).toBe(
      `The App already runs outside of any isolated network, as process ${running.pid}`,
    );
    const instance = await host.call('app.instance', { app: id });
    expect(instance).toMatchObject({
      ...{
        kind: 'bus',
        pid: running.pid,
        place: 'outside',
        certainty: 'certain',
        ways: ['close-and-reopen'],
      },
    });
    const { pid = 0, startTicks = '' } = instance ?? {};
    expect(await host.call('app.close', { pid, startTicks })).toEqual({ isClosed: true });
    expect((await running.ended).signal).toBe('SIGTERM');

    const first = await host.call('app.open', { app: id });
    await logOf(first.lanes[0] ?? '', /^owner$/m);
    // The same profile: what is handed over goes the way that was chosen.
    expect(await host.call('app.instance', { app: id })).toBeNull();
    const second = await host.call('app.open', { app: id });
    await logOf(second.lanes[0] ?? '', /^handed over$/m);
    await until('the second to be over', async () => (await host.lanes()).length === 1);
    // Another profile: that would be the wrong way.
    expect(await host.refused('app.open', { app: id, profile: 'two' })).toMatchObject({
      code: 'app-running-outside',
    });
    expect(await host.call('app.instance', { app: id, profile: 'two' })).toMatchObject({ place: 'lane' });
    expect(host.told('notice')).toEqual([]);
  });

  test('and only may take over is opened anyway where its user says so', async () => {
    const program = put(world, 'quiet', readFileSync('/bin/sleep'), 0o755);
    install(world, 'quiet', `${program} 600`);
    const running = openOutside([program, '600']);
    await until('it to run', () => readlinkSync(`/proc/${running.pid}/exe`) === program);
    expect(await host.refused('app.open', { app: 'quiet' })).toMatchObject({ code: 'app-running-outside' });
    expect(await host.call('app.instance', { app: 'quiet' })).toMatchObject({
      ...{ kind: 'program', certainty: 'possible', pid: running.pid },
    });
    const { lanes } = await host.call('app.open', { app: 'quiet', anyway: true });
    expect(lanes).toHaveLength(1);
  });

  test('and was not seen before is told after: the app was gone at once', async () => {
    install(world, 'gone', 'true');
    const { lanes } = await host.call('app.open', { app: 'gone' });
    const notice = await host.notice(lanes[0] ?? '');
    expect(notice).toMatchObject({ app: 'gone', name: 'The App', failure: { code: 'app-running-outside' } });
    expect(notice.failure.detail).toMatch(/^The App ended after \d+ ms as apps do that hand over/);
  });
});

describe('an app that ends', () => {
  test('by an error of its own at once is told, with the place of its words', async () => {
    const program = put(world, 'broken.sh', '#!/bin/sh\necho no luck >&2\nexit 3\n', 0o755);
    const { lanes } = await host.call('app.open', { app: program });
    const [lane = ''] = lanes;
    const { failure, app } = await host.notice(lane);
    const log = join(home, `.local/state/culvert/lanes/${lane}.log`);
    expect([app, failure]).toMatchObject([
      program,
      {
        code: 'app-failed',
        detail: `it ended with status 3; see ${log}`,
        phrase: { key: 'app.see-log', values: { path: log } },
      },
    ]);
    expect(readFileSync(log, 'utf8')).toBe('no luck\n');
  });

  test('because its user stopped it is nothing to tell', async () => {
    const program = put(
      world,
      'polite.sh',
      '#!/bin/sh\ntrap "exit 0" TERM\necho up\nwhile :; do sleep 0.1; done\n',
      0o755,
    );
    const { lanes } = await host.call('app.open', { app: program });
    const [lane = ''] = lanes;
    await logOf(lane, /^up$/m);
    await host.call('lane.stop', { lane });
    await until('it to be gone', async () => (await host.lanes()).length === 0);
    // A later one is told: by then nothing more comes of the first.
    const { lanes: later } = await host.call('app.open', { app: '/bin/true' });
    await host.notice(later[0] ?? '');
    expect(host.told('notice')).not.toContainEqual(expect.objectContaining({ lane }));
  });

  test('before it began leaves nothing, not even a log', async () => {
    const program = put(world, 'unreadable.sh', '#!/no/such/interpreter\n', 0o755);
    expect(await host.refused('app.open', { app: program })).toMatchObject({ code: 'command-not-found' });
    expect(await host.lanes()).toEqual([]);
    const { stdout } = await world.run(['ls', '-A', '.local/state/culvert/lanes'], { user: 'culvert-a' });
    expect(stdout).not.toContain('.new-');
  });
});

describe('the window’s engine', () => {
  test('outlives its window while an app runs, goes on carrying it, and ends with the last lane', async () => {
    await using own = await AppHost.start(world, product);
    const go = join(home, 'go');
    const script = `#!/bin/sh\nuntil [ -e ${go} ]; do sleep 0.05; done\ncurl -sS http://after.example.test/\nexec sleep 600\n`;
    const program = put(world, 'late.sh', script, 0o755);
    const { lanes } = await own.call('app.open', { app: program });
    own.loseWindow();
    writeFileSync(go, '');
    await until('traffic without a window', () => said(one, 'after.example.test'));
    expect(own.engine.hasEnded).toBe(false);
    await own.call('lane.stop', { lane: lanes[0] ?? '' });
    expect(await own.engine.ended).toMatchObject({ code: 0, signal: null });
    await until('its end to be told', () => own.told('gone').length === 1);
  });

  test('ends at once with its window where nothing runs', async () => {
    await using own = await AppHost.start(world, product);
    own.loseWindow();
    expect(await own.engine.ended).toMatchObject({ code: 0 });
  });
});
