/**
 * The package from its making to its removal, on a host whose system files are its own: installed by apt, used by an
 * ordinary user without any Node.js but its own, and purged without a trace.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { appId, installDir, installedHelper, policyName, polkitAction } from '#shared/identity.ts';
import { version } from '#shared/version.ts';
import { repository } from '../world/artefact.ts';
import type { Proxy } from '../world/proxies.ts';
import { greeting } from '../world/servers/web.ts';
import { until } from '../world/until.ts';
import { World, type RunOptions } from '../world/world.ts';
import { differences, installed, makeDeb, ownSystem, systemFiles, unpacked } from './installed.ts';
import { polkitAnswers, startPolkit } from './polkit.ts';

let world: World;
let proxy: Proxy;
let before: Map<string, string>;
let added: string[];
const user = 'culvert-b';
const fetch = ['sh', '-c', 'id -un; curl -sS http://example.test/'];
const apt = ['apt-get', '-y', '-q', '-o', 'Dpkg::Use-Pty=0', '-o', 'APT::Sandbox::User=root'];
const quiet = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' };

beforeAll(async () => {
  const deb = makeDeb();
  world = await World.create();
  await ownSystem(world);
  // Whoever installs a package may have no Node.js; what needs one in here is found by its path.
  await world.shell('rm -f /usr/bin/node /usr/local/bin/node');
  // man's index of all the pages there are has nothing to do with ours and takes longest of all (mandb(8)).
  await world.shell('rm -f /var/lib/man-db/auto-update');
  before = await systemFiles(world);
  await world.must([...apt, 'install', '--no-install-recommends', world.share(deb)], { env: quiet });
  added = differences(before, await systemFiles(world));
  proxy = await world.proxy('microsocks');
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const culvert = (words: readonly string[], options: RunOptions = {}) =>
  world.run([installed.culvert, ...words], { user, ...options });
const run = (isolation: string, command: readonly string[], options: RunOptions = {}) =>
  culvert(['run', '--isolation', isolation, '--proxy', proxy.url, '--quiet', '--', ...command], options);

describe('what is installed', () => {
  test('belongs to root, is nobody else’s to write, and has no rights of its own', async () => {
    expect(added.filter((path) => path.startsWith(installDir)).length).toBeGreaterThan(30);
    const stat = await world.must(['stat', '-c', '%U:%G %A %n', ...added]);
    const bad = stat
      .split('\n')
      .filter((line) => line !== '' && !/^root:root (lrwxrwxrwx|[-d]rw[-x]r-[-x]r-[-x]) /.test(line));
    expect(bad).toEqual([]);
    expect(await world.must(['getcap', '-r', installDir])).toBe('');
  });

  test('lies in its own directory, and where the system looks for such things', () => {
    const elsewhere = added.filter((path) => !path.startsWith(installDir));
    const files = elsewhere.filter(
      (path) => !/\/(hicolor|metainfo|applications|actions|[0-9x]+|apps|doc)$/.test(path),
    );
    expect(files.map((path) => path.replace(/\/[0-9]+x[0-9]+\//, '/SIZE/'))).toEqual(
      expect.arrayContaining([
        '/usr/bin/culvert',
        `/usr/share/applications/${appId}.desktop`,
        `/usr/share/icons/hicolor/SIZE/apps/${appId}.png`,
        `/usr/share/icons/hicolor/scalable/apps/${appId}.svg`,
        `/usr/share/icons/hicolor/symbolic/apps/${appId}-symbolic.svg`,
        `/usr/share/metainfo/${appId}.metainfo.xml`,
        `/usr/share/polkit-1/actions/${policyName}`,
        '/usr/share/bash-completion/completions/culvert',
        '/usr/share/fish/vendor_completions.d/culvert.fish',
        '/usr/share/zsh/vendor-completions/_culvert',
        '/usr/share/man/man1/culvert-run.1.gz',
        '/usr/share/man/man1/culvert.1.gz',
        '/usr/share/man/man5/culvert-profile.5.gz',
      ]),
    );
    expect(files.filter((path) => !path.startsWith('/usr/'))).toEqual([]);
  });

  test('has its parts in files of their own, and the window in an archive', () => {
    const resources = readdirSync(join(unpacked, 'resources'));
    expect(resources.sort()).toEqual(['app.asar', 'culvert']);
    expect(existsSync(join(unpacked, 'resources/culvert/main.cjs'))).toBe(false);
  });

  test('passes what desktop and software centre ask of it', async () => {
    await world.must(['desktop-file-validate', `/usr/share/applications/${appId}.desktop`]);
    await world.must(['appstreamcli', 'validate', '--no-net', `/usr/share/metainfo/${appId}.metainfo.xml`]);
    const entry = await world.must(['cat', `/usr/share/applications/${appId}.desktop`]);
    expect(entry).toMatch(new RegExp(`^Exec=${installed.window} %U$`, 'm'));
    expect(entry).not.toContain('MimeType');
  });

  test('has pages that man finds, without a complaint of its formatter', async () => {
    for (const [page, words] of [
      ['culvert', 'EXIT STATUS'],
      ['culvert-run', '--password-stdin'],
      ['culvert-profile', 'profiles[].chain.servers[].host'],
    ] as const) {
      const shown = await world.run(['man', '--warnings', page], {
        user,
        env: { MANWIDTH: '120', MANPAGER: 'cat' },
      });
      expect([shown.code, shown.stderr]).toEqual([0, '']);
      expect(shown.stdout).toContain(words);
    }
  });

  test('completes its verbs in a new shell', async () => {
    const script = '. /usr/share/bash-completion/completions/culvert; complete -p culvert';
    expect(await world.must(['bash', '-c', script], { user })).toContain('_culvert');
  });
});

describe('the command line of a package', () => {
  test('runs on the Node that it brings along', async () => {
    expect(
      await world.run(['sh', '-c', 'command -v node'], { user, env: { PATH: '/usr/sbin:/usr/bin' } }),
    ).toMatchObject({ code: 127 });
    const { stdout, stderr, code } = await culvert(['--version'], {
      env: { PATH: '/usr/bin', DISPLAY: undefined },
    });
    expect([stdout, stderr, code]).toEqual([`${version}\n`, '', 0]);
  });

  test('runs a command on a lane without a password, through the proxy', async () => {
    await using capture = await world.capture();
    const { stdout, stderr, code } = await run('rootless', fetch);
    expect([stdout, stderr, code]).toEqual([`${user}\n${greeting}`, '', 0]);
    expect(await capture.leaks(proxy.exceptions)).toEqual([]);
  });

  test('gives the command the environment that it was called with', async () => {
    const caller = { NODE_OPTIONS: '--no-warnings', NODE_EXTRA_CA_CERTS: '/none', A: 'a b' };
    const printed = await run('rootless', ['env'], { env: caller });
    const names = printed.stdout.split('\n').filter((line) => /^(NODE|ELECTRON|CULVERT|A=)/.test(line));
    expect(names.sort()).toEqual(['A=a b', 'NODE_EXTRA_CA_CERTS=/none', 'NODE_OPTIONS=--no-warnings']);
  });

  test('shows its demo, of which a part runs on the same Node on a lane', async () => {
    const { stdout, stderr, code, signal } = await culvert(['demo', '--isolation', 'rootless']);
    expect([stderr, signal, code]).toEqual(['', null, 0]);
    expect(stdout).toContain('none got past it');
  });

  test('makes launchers that start it where every version of it is', async () => {
    const { stdout, stderr, code } = await culvert(['launcher', 'create', 'xterm', '-p', 'direct']);
    expect([stderr, code]).toEqual(['', 0]);
    const file = join(world.users[user].home, '.local/share/applications', `${stdout.trim()}.desktop`);
    expect(readFileSync(file, 'utf8')).toMatch(/^TryExec=\/usr\/bin\/culvert$/m);
  });
});

describe('root', () => {
  beforeAll(() => startPolkit(world));
  afterAll(() => world.shell('rm -f /etc/polkit-1/rules.d/49-culvert.rules'));

  test('is asked for by the action that names the very helper that is started', async () => {
    const policy = await world.must(['cat', `/usr/share/polkit-1/actions/${policyName}`]);
    expect(/exec\.path">([^<]*)</.exec(policy)?.[1]).toBe(installedHelper);
    expect(await world.must(['readlink', '-e', installedHelper])).toBe(`${installedHelper}\n`);
    const known = await world.must(['pkaction', '--verbose', '--action-id', polkitAction]);
    expect(known).toMatch(/implicit any: +auth_admin\n/);
    expect(known).toMatch(/implicit inactive: +no\n/);
    expect(known).toMatch(/implicit active: +auth_admin_keep\n/);
    polkitAnswers(world, user, 'polkit.Result.NO', polkitAction);
    expect((await run('helper', ['id', '-un'])).code).toBe(125);
    polkitAnswers(world, user, 'polkit.Result.YES', polkitAction);
    await using capture = await world.capture();
    const { stdout, stderr, code } = await run('helper', fetch);
    expect([stdout, stderr, code]).toEqual([
      `${user}
${greeting}`,
      '',
      0,
    ]);
    expect(await capture.leaks(proxy.exceptions)).toEqual([]);
    expect((await culvert(['doctor'])).stdout).toContain(`/usr/share/polkit-1/actions/${policyName}`);
  });

  test('does not run a copy that others can change, which says so and goes without', async () => {
    const mount = join(world.users[user].home, '.mount_Culvert');
    await world.shell(`mkdir ${mount}; chown ${user}: ${mount}; mount --bind ${installDir} ${mount}`);
    const own = join(mount, 'resources/culvert/bin/culvert');
    const line = ['--proxy', proxy.url, '--quiet', '--', 'id', '-un'];
    const refused = await world.run([own, 'run', '--isolation', 'helper', ...line], { user });
    expect(refused.code).toBe(125);
    expect(refused.stderr).toMatch(/^culvert: this copy of Culvert does not run as root — .*AppImage/);
    expect(await world.must([own, 'run', ...line], { user })).toBe(`${user}\n`);
    expect((await world.run([own, 'doctor'], { user })).stdout).toContain('lanes are rootless only');
    await world.shell(`umount ${mount}`);
  });
});

describe('the window of a package', () => {
  const port = 9377;
  let env: Record<string, string>;

  beforeAll(async () => {
    await world.shell('mkdir -p /tmp/.X11-unix && mount -t tmpfs -o mode=1777 culvert-world /tmp/.X11-unix');
    const screen = world.spawn([
      'Xvfb',
      '-displayfd',
      '1',
      '-screen',
      '0',
      '1200x800x24',
      '-nolisten',
      'tcp',
      '-ac',
      '-noreset',
    ]);
    const [, number] = await screen.says(/^([0-9]+)\n/);
    env = { DISPLAY: `:${number}`, LANG: 'en_US.UTF-8', DBUS_SESSION_BUS_ADDRESS: 'disabled:' };
  });

  /** Asks Chromium of the open window, on the Node of the package: what an expression is there, or a picture. */
  async function ask(method: string, params: object): Promise<string> {
    const script = `
      (async () => {
        const pages = await (await fetch('http://127.0.0.1:${port}/json')).json();
        const page = pages.find(({ type }) => type === 'page');
        const socket = new WebSocket(page.webSocketDebuggerUrl);
        socket.onopen = () => socket.send(JSON.stringify({ id: 1, method: '${method}', params: ${JSON.stringify(params)} }));
        socket.onmessage = ({ data }) => {
          const { result } = JSON.parse(data);
          process.stdout.write(String(result.data ?? result.result.value), () => process.exit(0));
        };
      })().catch((error) => { console.error(error); process.exit(1); });`;
    const env = { ELECTRON_RUN_AS_NODE: '1' };
    return (await world.run([installed.window, '-e', script], { user, env })).stdout;
  }
  const value = (expression: string) => ask('Runtime.evaluate', { expression });

  test('opens for an ordinary user, with its sandbox and its engine, and lets nobody else in', async () => {
    const intruder = world.share(join(repository, 'test/app/hold.cjs'));
    const window = world.spawn([installed.window, `--remote-debugging-port=${port}`, '--inspect=9378'], {
      user,
      env: { ...env, NODE_OPTIONS: `--require ${intruder}` },
    });
    await until(
      'the page',
      async () => (await value('document.querySelector("h1")?.textContent ?? ""')) !== '',
      30_000,
    );
    expect(window.hasEnded).toBe(false);
    expect(await value('document.title')).toMatch(/Culvert$/);
    expect(await value('typeof process + typeof require')).toBe('undefinedundefined');
    await until('its engine', async () => (await culvert(['ps', '--json'])).code === 0, 30_000);
    expect((await world.run(['curl', '-s', '-m', '2', 'http://127.0.0.1:9378/json'])).code).not.toBe(0);

    const pids = world.pids().filter((pid) => commandOf(pid).includes('--type=renderer'));
    expect(pids.length).toBeGreaterThan(0);
    for (const pid of pids) expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^Seccomp:\t2$/m);
    const engine = world.pids().find((pid) => commandOf(pid).includes(`${installed.product}/engine.cjs`));
    expect(engine).toBeDefined();

    const pictures = join(repository, 'dist/test/pictures');
    mkdirSync(pictures, { recursive: true });
    const picture = await ask('Page.captureScreenshot', { format: 'png' });
    writeFileSync(join(pictures, 'package-window.png'), Buffer.from(picture, 'base64'));

    expect(await value('document.body.textContent.includes("Proxy for Apps")')).toBe('false');

    // A second one hands over to the first, and is gone.
    expect((await world.run([installed.window], { user, env })).code).toBe(0);
    expect(window.hasEnded).toBe(false);
    await window.end();
  });

  test('is opened by the command line, which does not wait for it', async () => {
    expect((await culvert(['gui'], { env })).code).toBe(0);
    const engine = () => world.pids().some((pid) => commandOf(pid).includes('/engine.cjs'));
    await until('its engine', engine, 30_000);
    // A signal that comes while it still starts may be missed.
    const ended = () => {
      const mains = world.pids().filter((pid) => commandOf(pid).trim() === installed.window);
      for (const pid of mains) process.kill(pid);
      return mains.length === 0 && !engine();
    };
    await until('its end', ended, 30_000);
  });

  test('is not opened without the sandbox', async () => {
    const { stderr, code } = await world.run([installed.window, '--no-sandbox'], { user, env });
    expect(code).toBe(1);
    expect(stderr).toContain('not opened without its sandbox');
  });
});

describe('removal', () => {
  test('leaves nothing behind but what users wrote', async () => {
    const running = () =>
      world
        .pids()
        .map(commandOf)
        .filter((command) => command.includes(installDir));
    await until('the end of all that was started', () => running().length === 0, 30_000).catch(() => {
      throw new Error(`there still is ${running().join('; ')}`);
    });
    await world.must([...apt, 'purge', 'culvert'], { env: quiet });
    expect(differences(before, await systemFiles(world))).toEqual([]);
    expect((await world.run(['dpkg', '-s', 'culvert'])).code).not.toBe(0);
    expect(await world.must(['dpkg', '--audit'])).toBe('');
  });
});

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    // It has ended meanwhile.
    return basename(String(pid));
  }
}
