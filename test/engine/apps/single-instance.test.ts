/** Locks as browsers make them, names on a real session bus, and processes of this test's own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { copyFileSync, lutimesSync, mkdirSync, statSync, symlinkSync, unlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inEnglish } from '#shared/phrase.ts';
import type { App } from '../../../electron/engine/apps/app.ts';
import { familyOf, memberOf } from '../../../electron/engine/apps/browser-family.ts';
import { isStill, processAt } from '../../../electron/engine/apps/processes.ts';
import {
  canSeparate,
  separateDirectory,
  withSeparateProfile,
} from '../../../electron/engine/apps/separate-profile.ts';
import { ownerOnBus } from '../../../electron/engine/apps/session-bus.ts';
import {
  closeInstance,
  describeInstance,
  runningInstance,
  wasHandedOver,
} from '../../../electron/engine/apps/single-instance.ts';
import { SessionBus } from '../../world/session-bus.ts';
import { until } from '../../world/until.ts';
import { Home } from './home.ts';

let home: Home;
const children: ChildProcess[] = [];
beforeEach(() => {
  home = new Home();
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null)
      await new Promise((resolve) => child.once('exit', resolve));
  }
  home[Symbol.dispose]();
});

const app = (exec: string, more: Partial<App> = {}): App => ({
  id: 'app',
  name: 'App',
  keywords: [],
  categories: [],
  exec,
  isTerminal: false,
  actions: [],
  source: '/app.desktop',
  packaging: 'host',
  isOnBus: false,
  isShown: true,
  isLauncher: false,
  ...more,
});

/** A process that stays until it is ended. */
function lingering(program = '/bin/sleep', args = ['60']): number {
  const child = spawn(program, args, { stdio: 'ignore' });
  children.push(child);
  return child.pid ?? 0;
}

const look = (exec: string, more: Partial<App> = {}) => runningInstance(app(exec, more), home.env);

describe('a Firefox that is open', () => {
  const profile = (name: string) => home.path('.mozilla/firefox', name);
  beforeEach(() => {
    home.write(
      '.mozilla/firefox/profiles.ini',
      '[Profile1]\nName=other\nIsRelative=1\nPath=other\n[Profile0]\nName=default\nPath=default\nDefault=1\n' +
        '[Install4F96D1932A9F858E]\nDefault=release\nLocked=1\n',
    );
    for (const name of ['other', 'default', 'release']) mkdirSync(profile(name));
  });

  it.each(['release', 'default'])('with the profile %s is seen by its lock', async (name) => {
    const pid = lingering();
    symlinkSync(`127.0.1.1:+${pid}`, `${profile(name)}/lock`);
    expect(await look('/usr/lib/firefox/firefox %u')).toMatchObject({
      kind: 'firefox',
      pid,
      place: 'outside',
      certainty: 'certain',
      ways: ['close-and-reopen', 'separate-profile'],
    });
  });

  it('with another profile, or that has crashed, takes nothing over', async () => {
    symlinkSync(`127.0.1.1:+${lingering()}`, `${profile('other')}/lock`);
    symlinkSync('127.0.1.1:+4194303', `${profile('default')}/lock`);
    expect(await look('firefox')).toBeUndefined();
  });

  it('is not a process that has only got the number of one that crashed', async () => {
    const lock = `${profile('default')}/lock`;
    symlinkSync(`127.0.1.1:+${lingering()}`, lock);
    expect(await look('firefox')).toBeDefined();
    lutimesSync(lock, Date.now() / 1000 - 60, Date.now() / 1000 - 60);
    expect(await look('firefox')).toBeUndefined();
  });

  it('is not seen by what is no lock', async () => {
    for (const text of ['', 'x', '127.0.1.1:+', '127.0.1.1:+-1', `127.0.1.1:+${process.pid}9999999999`]) {
      const lock = `${profile('default')}/lock`;
      symlinkSync(text === '' ? ' ' : text, lock);
      expect(await look('firefox'), text).toBeUndefined();
      unlinkSync(lock);
    }
  });
});

describe('a browser of the Chromium family that is open', () => {
  const lock = (path: string, text: string) => {
    mkdirSync(home.path(path), { recursive: true });
    symlinkSync(text, home.path(path, 'SingletonLock'));
  };

  it.each([
    ['/usr/bin/chromium %U', 'config/chromium'],
    ['/usr/bin/google-chrome-stable %U', 'config/google-chrome'],
    ['brave-browser %U', 'config/BraveSoftware/Brave-Browser'],
    ['env A=b microsoft-edge', 'config/microsoft-edge'],
  ])('as %s is seen by its lock', async (exec, directory) => {
    const pid = lingering();
    lock(directory, `${hostname()}-${pid}`);
    expect(await look(exec)).toMatchObject({ kind: 'chromium', pid, certainty: 'certain', place: 'outside' });
  });

  it('is looked for in the directory that its command names', async () => {
    lock('config/chromium', `${hostname()}-${lingering()}`);
    expect(await look(`chromium --user-data-dir=${home.path('mine')}`)).toBeUndefined();
    const pid = lingering();
    lock('mine', `${hostname()}-${pid}`);
    expect(await look(`chromium --user-data-dir=${home.path('mine')}`)).toMatchObject({ pid });
  });

  it('with a separate profile is another one than without', async () => {
    lock('config/chromium', `${hostname()}-${lingering()}`);
    const chromium = app('chromium %U');
    expect(await runningInstance(chromium, home.env, home.path('separate'))).toBeUndefined();
    const pid = lingering();
    lock('separate', `${hostname()}-${pid}`);
    expect(await runningInstance(chromium, home.env, home.path('separate'))).toMatchObject({ pid });
  });

  it('on another computer with the same home directory takes nothing over here', async () => {
    lock('config/chromium', `elsewhere-${lingering()}`);
    expect(await look('chromium')).toBeUndefined();
  });
});

describe('any other app that is open', () => {
  it('is seen by its name on the session’s bus', async () => {
    await using bus = await SessionBus.start(home.path('run/bus'));
    const owner = await bus.own('org.example.Maps');
    const env = { ...home.env, DBUS_SESSION_BUS_ADDRESS: bus.address };
    const maps = app('maps', { id: 'org.example.Maps', isOnBus: true });
    expect(await runningInstance(maps, env)).toMatchObject({
      kind: 'bus',
      pid: owner.pid,
      place: 'outside',
      certainty: 'certain',
      ways: ['close-and-reopen'],
    });
    expect(await runningInstance({ ...maps, id: 'org.example.Other' }, env)).toBeUndefined();
    // The socket in the runtime directory is the bus where no address is set.
    expect(await runningInstance(maps, home.env)).toMatchObject({ pid: owner.pid });
    await owner.end();
    await until('the name to be free', async () => (await ownerOnBus('org.example.Maps', env)) === undefined);
  });

  it('may be, where the same program runs, but not where only the same interpreter does', async () => {
    copyFileSync('/bin/sleep', home.path('bin/painter'));
    const before = await look('painter %U');
    expect(before).toBeUndefined();
    const pid = lingering(home.path('bin/painter'));
    await until('painter to be seen', async () => (await look('painter %U')) !== undefined);
    expect(await look('painter %U')).toMatchObject({ kind: 'program', pid, certainty: 'possible' });
    lingering('/bin/sh', ['-c', 'read x < /dev/zero']);
    expect(await look('/bin/sh /my/script')).toBeUndefined();
  });

  it('is seen as a Flatpak by what Flatpak writes of it', async () => {
    const pid = lingering();
    home.write('run/.flatpak/123/info', '[Application]\nname=org.example.App\n');
    home.write('run/.flatpak/123/pid', `${pid}`);
    home.write('run/.flatpak/456/info', '[Application]\nname=org.mozilla.firefox\n');
    home.write('run/.flatpak/456/pid', `${pid}\n`);
    const flatpak = (id: string) =>
      look(`/usr/bin/flatpak run --x ${id} @@u %U @@`, { packaging: 'flatpak' });
    expect(await flatpak('org.example.App')).toMatchObject({ kind: 'flatpak', pid, certainty: 'possible' });
    expect(await flatpak('org.mozilla.firefox')).toMatchObject({
      certainty: 'certain',
      ways: ['close-and-reopen'],
    });
    expect(await flatpak('org.example.Other')).toBeUndefined();
  });

  it('is told in one sentence', () => {
    const instance = {
      kind: 'firefox',
      pid: 12,
      startTicks: '1',
      place: 'outside',
      certainty: 'certain',
      ways: [],
    } as const;
    expect(inEnglish(describeInstance('Firefox', instance))).toBe(
      'Firefox already runs outside of any isolated network, as process 12',
    );
    expect(inEnglish(describeInstance('GIMP', { ...instance, place: 'lane', certainty: 'possible' }))).toBe(
      'GIMP’s program already runs in another isolated network, as process 12',
    );
  });
});

describe('an app that has ended', () => {
  const facts = { ranMs: 400, exitCode: 0, isLaneEmpty: true, isTerminal: false };
  it('has handed over where it ended at once and in peace, and nobody is left', () => {
    expect(wasHandedOver(facts)).toBe(true);
  });
  it.each([
    { ranMs: 5000 },
    { exitCode: 1 },
    { exitCode: null },
    { isLaneEmpty: false },
    { isTerminal: true },
  ])('has not where %j', (other) => {
    expect(wasHandedOver({ ...facts, ...other })).toBe(false);
  });
});

describe('closing an instance', () => {
  it('ends the process that was found and waits for it', async () => {
    const found = processAt(lingering());
    if (found === undefined) throw new Error('the process is not there');
    expect(isStill(found)).toBe(true);
    expect(await closeInstance(found)).toBe(true);
    expect(isStill(found)).toBe(false);
    expect(await closeInstance(found)).toBe(true);
  });

  it('leaves a process alone that only has the same number', async () => {
    const pid = lingering();
    expect(await closeInstance({ pid, startTicks: '1' })).toBe(true);
    expect(processAt(pid)).toBeDefined();
  });

  it('says so where it does not end', async () => {
    const pid = lingering('/bin/sh', [
      '-c',
      'trap "" TERM; : > "$0"; while :; do sleep 1; done',
      home.path('ready'),
    ]);
    const isReady = () => statSync(home.path('ready'), { throwIfNoEntry: false }) !== undefined;
    await until('the trap to be set', isReady);
    const found = processAt(pid);
    if (found === undefined) throw new Error('the process is not there');
    expect(await closeInstance(found, 200)).toBe(false);
  });

  it('sees no processes of others, and none that are over', () => {
    expect([processAt(0), processAt(-1), processAt(NaN), processAt(4_194_304)]).toEqual(
      Array(4).fill(undefined),
    );
  });
});

describe('a separate profile', () => {
  it('is one directory for each app and profile, for its user only', () => {
    const directory = separateDirectory('../firefox', 'work', home.env);
    expect(directory).toBe(home.path('state/culvert/separate/.._firefox/work'));
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(separateDirectory('../firefox', 'work', home.env)).toBe(directory);
  });

  it('is an option right behind the browser, in front of what it opens', () => {
    expect(withSeparateProfile(['env', 'A=b', 'firefox', 'https://example.test/'], 'firefox', '/d')).toEqual([
      ...['env', 'A=b', 'firefox', '--new-instance', '--profile', '/d', 'https://example.test/'],
    ]);
    expect(withSeparateProfile(['/usr/bin/chromium', '/x'], 'chromium', '/d')).toEqual([
      ...['/usr/bin/chromium', '--user-data-dir=/d', '--no-first-run', '/x'],
    ]);
  });

  it('is offered for browsers outside of a sandbox of their own', () => {
    expect(canSeparate(app('firefox'))).toBe(true);
    expect(canSeparate(app('gimp'))).toBe(false);
    expect(canSeparate(app('flatpak run org.mozilla.firefox', { packaging: 'flatpak' }))).toBe(false);
    expect([familyOf(app('"')), familyOf(app('librewolf %u')), familyOf(app('vivaldi-stable'))]).toEqual([
      ...[undefined, 'firefox', 'chromium'],
    ]);
    expect(memberOf(['thunderbird'], { HOME: '/h' })?.directories).toEqual(['/h/.thunderbird']);
  });
});
