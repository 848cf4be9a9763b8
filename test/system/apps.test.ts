/**
 * Apps of one instance, real ones: what is open outside is seen before an app starts on a lane, what is handed over
 * to it is told after, and with a profile of its own the app really is on the lane.
 */
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { wasHandedOver, type RunningInstance } from '../../electron/engine/apps/index.ts';
import { host } from '../world/addresses.ts';
import { bundle } from '../world/artefact.ts';
import { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import type { Running } from '../world/running.ts';
import { gapplication } from '../world/session-bus.ts';
import { until } from '../world/until.ts';
import { World } from '../world/world.ts';

/** A browser takes its time on a machine that does other things besides. */
const browserMs = 60_000;

let world: World;
let product: Product;
let proxy: Proxy;
let driver: string;
let env: Record<string, string>;
const started: Running[] = [];

beforeAll(async () => {
  world = await World.create();
  product = Product.install(world);
  proxy = await world.proxy('microsocks');
  driver = world.share(bundle('test/system/apps-driver.ts'));
  const display = await world
    .spawn(['Xvfb', '-displayfd', '1', '-ac', '-nolisten', 'tcp', '-screen', '0', '800x600x24'])
    .says(/^([0-9]+)\n/);
  const bus = `/run/user/${world.users['culvert-a'].uid}/bus`;
  await world
    .spawn(
      [
        'dbus-daemon',
        '--session',
        '--nofork',
        '--nopidfile',
        `--address=unix:path=${bus}`,
        '--print-address',
      ],
      {
        user: 'culvert-a',
      },
    )
    .says(/unix:path/);
  env = { DISPLAY: `:${display[1] ?? ''}`, DBUS_SESSION_BUS_ADDRESS: `unix:path=${bus}` };
  const applications = join(world.users['culvert-a'].home, '.local/share/applications');
  await world.must(['mkdir', '-p', applications], { user: 'culvert-a' });
  const [program, ...args] = gapplication(bus, 'org.example.Maps');
  writeFileSync(join(world.dir, 'maps.py'), args[1] ?? '');
  writeFileSync(
    join(applications, 'org.example.Maps.desktop'),
    `[Desktop Entry]\nType=Application\nName=Maps\nExec=${program} ${world.dir}/maps.py ${bus} org.example.Maps\nDBusActivatable=true\n`,
  );
});
afterEach(async () => {
  for (const running of started.splice(0).reverse()) await running.end();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** What the window would know and do, as the user. */
async function ask<T>(...args: string[]): Promise<T> {
  return JSON.parse(await world.must([process.execPath, driver, ...args], { user: 'culvert-a', env })) as T;
}
const instanceOf = (id: string) => ask<RunningInstance | null>('instance', id);

async function commandOf(id: string, target: string, profile?: string): Promise<readonly string[]> {
  const plan = await ask<{ argvs: [readonly string[]] }>(
    'plan',
    id,
    target,
    ...(profile === undefined ? [] : [profile]),
  );
  return plan.argvs[0];
}

function openOutside(command: readonly string[]): Running {
  const running = world.spawn(command, { user: 'culvert-a', env });
  started.push(running);
  return running;
}

function openOnLane(command: readonly string[]): Running {
  const running = product.spawn(command, { proxy: proxy.url, env, isolation: 'rootless' });
  started.push(running);
  return running;
}

/**
 * Network namespaces of the world's browsers of this program. Their helpers are left out: sandboxes have networks of
 * their own, without a way out.
 */
function networksOf(program: RegExp): Set<string> {
  return new Set(
    world.pids().flatMap((pid) => {
      try {
        const isHelper = / -contentproc |--type=|crashhelper|crashpad/.test(
          readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '),
        );
        const isProgram = program.test(readlinkSync(`/proc/${pid}/exe`));
        return isProgram && !isHelper ? [readlinkSync(`/proc/${pid}/ns/net`)] : [];
      } catch {
        // It ended while it was looked at.
        return [];
      }
    }),
  );
}

const hostNetwork = () => readlinkSync(`/proc/${world.namespace('host').pid}/ns/net`);

/** Names of the hosts whose page the host asked for itself, outside of any lane. */
async function askedByHost(): Promise<string[]> {
  return (await world.internet.seen())
    .filter(({ peer, port }) => peer === host.v4 && port === 53)
    .map(({ asked = '' }) => asked.split(' ').at(-1) ?? '');
}

/** The lanes that `culvert ps` shows, each by its state. */
async function lanes(): Promise<string[]> {
  const text = await world.must([product.culvert, 'ps', '--json'], { user: 'culvert-a' });
  return (JSON.parse(text) as { lanes: { state: string }[] }).lanes.map(({ state }) => state);
}

const browsers = [
  { id: 'firefox-esr', kind: 'firefox', program: /\/firefox-esr$/ },
  { id: 'chromium', kind: 'chromium', program: /\/chromium$/ },
];

describe.each(browsers)('$id that is open outside', ({ id, kind, program }) => {
  test('is seen before, takes over what a lane is asked to open, and is told after', async () => {
    expect(await instanceOf(id)).toBeNull();
    openOutside(await commandOf(id, `http://outside-${kind}.example.test/`));
    const found = await until(`${id} to be seen`, async () => (await instanceOf(id)) ?? undefined, browserMs);
    expect(found).toMatchObject({ kind, place: 'outside', certainty: 'certain' });
    expect(found.ways).toEqual(['close-and-reopen', 'separate-profile']);
    const page = `outside-${kind}.example.test`;
    await until('its page', async () => (await askedByHost()).includes(page), browserMs);

    const startedAt = performance.now();
    const lane = openOnLane(await commandOf(id, `http://handed-${kind}.example.test/`));
    const outcome = await lane.ended;
    const ranMs = performance.now() - startedAt;
    expect(outcome.code).toBe(0);
    expect(wasHandedOver({ ranMs, exitCode: outcome.code, isLaneEmpty: true, isTerminal: false })).toBe(true);
    // What it opened went out unproxied, and nothing says otherwise: there is no lane that runs it.
    await until(
      'the page outside',
      async () => (await askedByHost()).includes(`handed-${kind}.example.test`),
      browserMs,
    );
    expect(await lanes()).toEqual([]);
    expect([...networksOf(program)]).toEqual([hostNetwork()]);
    expect(await instanceOf(id)).toMatchObject({ pid: found.pid, place: 'outside' });

    // The second way: a profile of its own.
    const own = `separate-${kind}.example.test`;
    openOnLane(await commandOf(id, `http://${own}/`, 'work'));
    await until(
      'the page on the lane',
      () => proxy.process.stderr.includes(`connected to ${own}:80`),
      browserMs,
    );
    expect(await lanes()).toEqual(['running']);
    const networks = networksOf(program);
    expect(networks.size).toBe(2);
    expect([...networks]).toContain(hostNetwork());
    expect(await askedByHost()).not.toContain(own);
    await started.pop()?.end('SIGTERM', 10_000);

    // The first way: closed outside, it opens on the lane with its usual profile.
    expect(await ask<boolean>('close', String(found.pid), found.startTicks)).toBe(true);
    await until(`${id} to be gone`, async () => (await instanceOf(id)) === null, browserMs);
    const again = `reopened-${kind}.example.test`;
    openOnLane(await commandOf(id, `http://${again}/`));
    await until(
      'the page on the lane',
      () => proxy.process.stderr.includes(`connected to ${again}:80`),
      browserMs,
    );
    expect(await askedByHost()).not.toContain(again);
    expect([...networksOf(program)]).not.toContain(hostNetwork());
    // Seen from another lane this one is no way out either: it is the wrong one.
    expect(await instanceOf(id)).toMatchObject({ kind, place: 'lane' });
  });
});

test('an app with a name on the bus is seen, takes over, and reopens on the lane once it is closed', async () => {
  expect(await instanceOf('org.example.Maps')).toBeNull();
  const command = await commandOf('org.example.Maps', '/tmp/place');
  const outside = openOutside(command);
  await outside.says(/^owner$/m);
  const found = await instanceOf('org.example.Maps');
  expect(found).toMatchObject({
    kind: 'bus',
    pid: outside.pid,
    place: 'outside',
    ways: ['close-and-reopen'],
  });

  const handed = await openOnLane(command).ended;
  expect(handed).toMatchObject({ code: 0, stdout: 'handed over\n' });
  expect(await lanes()).toEqual([]);

  expect(await ask<boolean>('close', String(found?.pid), found?.startTicks ?? '')).toBe(true);
  await openOnLane(command).says(/^owner$/m);
  expect(await instanceOf('org.example.Maps')).toMatchObject({ kind: 'bus', place: 'lane' });
});

test('what the world has of Firefox and Chromium are installed apps with an icon', async () => {
  expect(readdirSync('/usr/share/applications')).toEqual(
    expect.arrayContaining(['firefox-esr.desktop', 'chromium.desktop']),
  );
  expect(await commandOf('firefox-esr', 'https://example.test/')).toEqual([
    '/usr/lib/firefox-esr/firefox-esr',
    'https://example.test/',
  ]);
});
