/** The ways to root with the real sudo, the real polkit and without them: what is asked, granted and refused. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { policyName } from '#shared/identity.ts';
import { without } from '../world/lacking.ts';
import { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { until } from '../world/until.ts';
import { World, type RunOptions } from '../world/world.ts';
import { polkitAnswers, startPolkit } from './polkit.ts';
import { Typist } from './typist.ts';

let world: World;
let product: Product;
let proxy: Proxy;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
  proxy = await world.proxy('mirror');
  // A wrong password costs two seconds otherwise.
  writeFileSync(
    world.path('/etc/pam.d/sudo'),
    'auth required pam_unix.so nodelay\naccount required pam_unix.so\n',
  );
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const line = (...command: string[]) => [
  ...[product.culvert, 'run', '--isolation', 'helper', '--proxy', proxy.url, '--quiet', '--'],
  ...command,
];

/** State and name of each process (ps(1)). */
async function statesOf(pids: readonly number[]): Promise<string> {
  return (await world.run(['ps', '-o', 'stat=,comm=', '-p', pids.join(',')])).stdout;
}

async function allGone(): Promise<void> {
  await until('everything to be gone', () => world.leftovers().length === 0);
}

/** Runs `culvert run` without a terminal; it must not start anything. Answers what was said instead. */
async function refused(options: RunOptions & { before?: readonly string[] } = {}): Promise<string> {
  const { before = [], ...rest } = options;
  const outcome = await world.run([...before, ...line('echo', 'started')], { user, ...rest });
  expect([outcome.stdout, outcome.code]).toEqual(['', 125]);
  await allGone();
  return outcome.stderr;
}

function sudoers(text: string): void {
  writeFileSync(world.path('/etc/sudoers.d/terminal'), text, { mode: 0o440 });
}

/** May do nothing as root unless a test lets it. */
const user = 'culvert-b';
const settings = 'stty -a | tr " " "\\n" | grep -x -e "-*echo"';

describe('sudo on a terminal', () => {
  const prompt = /culvert: password of culvert-b for the isolated network: /;

  describe.each([
    ['use_pty', 'own'],
    ['!use_pty', 'share'],
  ])('with %s', (option, way) => {
    beforeAll(() => {
      sudoers(`Defaults ${option}\nDefaults timestamp_timeout=0\nculvert-b ALL=(ALL) ALL\n`);
    });

    test(`asks there, and the app has a terminal that works (${way})`, async () => {
      await using typist = new Typist(world, ['bash', '--norc', '-i'], { user });
      await typist.enter('tty', /\/dev\/pts\/\d+/);
      const [outer] = await typist.enter('ps -o sid= -p $$', /^\s*\d+\r$/m);
      typist.type(`${line('bash', '--norc', '-i').join(' ')}\r`);
      await typist.see(prompt);
      typist.type(`${world.users[user].password}\r`);
      // sudo throws away what is typed before it has read the password.
      await typist.see(/\$ $/);
      await typist.enter('id -un; echo $((20+3))', /culvert-b\s+23/);
      expect(typist.screen).not.toContain(world.users[user].password);
      const [inner] = await typist.enter('ps -o sid= -p $$', /^\s*\d+\r$/m);
      expect(inner.trim() === outer.trim()).toBe(way === 'share');
      // Job control of the shell on the lane.
      await typist.enter('sleep 1000', /sleep 1000\r\n/);
      await until('the job', () => world.leftovers().some(({ command }) => command === 'sleep 1000'));
      typist.type('\u001a');
      await typist.see(/Stopped\s+sleep 1000/);
      await typist.enter('fg', /fg\s+sleep 1000\r/);
      typist.type('\u0003');
      await typist.see(/\$ $/);
      typist.type('exit 7\r');
      await typist.see(/exit 7\s+exit\s+bash\S+ $/);
      await typist.enter(`echo status $?; ${settings}`, /status 7\s+echo\r/);
      typist.type('exit\r');
      expect((await typist.ended).code).toBe(0);
    });

    test('a password that is wrong three times is told, and nothing is started', async () => {
      await using typist = new Typist(world, ['bash', '--norc', '-i'], { user });
      typist.type(`${line('echo', 'sta""rted').join(' ')}\r`);
      for (let attempt = 0; attempt < 3; attempt += 1) {
        await typist.see(prompt);
        typist.type('wrong\r');
      }
      await typist.see(
        /culvert: permission was not given — sudo refused \(sudo: 3 incorrect.*\) — try again/,
      );
      await typist.enter(`echo status $?; ${settings}`, /status 125\s+echo\r/);
      expect(typist.screen).not.toContain('started');
      typist.type('exit\r');
      await typist.ended;
      await allGone();
    });

    test('a signal that only culvert gets ends it as soon, though sudo goes on asking', async () => {
      await using typist = new Typist(world, ['bash', '--norc', '-i'], { user });
      typist.type(`${line('echo', 'sta""rted').join(' ')}\r`);
      await typist.see(prompt);
      await world.must(['pkill', '-TERM', '-u', user, '-f', 'start.cjs run']);
      await typist.see(/Terminated/);
      await typist.enter('', /[$#] $/);
      await typist.enter('echo status $?', /status 143/);
    });

    test('Ctrl+C at the question is the end, by that signal, and the echo is back', async () => {
      await using typist = new Typist(world, ['bash', '--norc', '-i'], { user });
      typist.type(`${line('echo', 'sta""rted').join(' ')}\r`);
      await typist.see(prompt);
      // Between its question and its reading sudo notes a signal and goes on to read.
      await until('sudo to read', async () => /^S.* sudo$/m.test(await statesOf(world.pids())));
      typist.type('\u0003');
      // sudo may end its line after the shell has written its prompt.
      await typist.see(/bash\S+ /);
      await typist.enter(`echo status $?; ${settings}`, /status 130\s+echo\r/);
      typist.type('exit\r');
      await typist.ended;
      await allGone();
    });
  });
});

describe('polkit', () => {
  const rule = (answer: string) => {
    polkitAnswers(world, user, answer);
  };

  beforeAll(() => startPolkit(world));

  test('a rule that allows it is all that is needed', async () => {
    rule('polkit.Result.YES');
    const { stdout, stderr, code } = await world.run(line('id', '-un'), { user });
    expect([stdout, stderr, code]).toEqual(['culvert-b\n', '', 0]);
  });

  test('a rule that refuses is told as a refusal', async () => {
    rule('polkit.Result.NO');
    expect(await refused()).toMatch(
      /^culvert: permission was not given — the system does not allow this user .* — try again/,
    );
  });

  test('without an agent nobody can be asked, and what would help is said', async () => {
    rule('polkit.Result.AUTH_ADMIN');
    expect(await refused()).toMatch(
      /^culvert: permission could not be asked for — no authentication agent runs in this session — start one/,
    );
  });

  test('on a terminal too, where its own action is installed, polkit is asked and sudo is not', async () => {
    sudoers('Defaults timestamp_timeout=0\nculvert-b ALL=(ALL) ALL\n');
    rule('polkit.Result.YES');
    const policy = world.path(`/etc/polkit-1/actions/${policyName}`);
    await using typist = new Typist(world, ['bash', '--norc', '-i'], { user });
    // Without it sudo is the one that asks.
    typist.type(`${line('echo', 'sta""rted').join(' ')}\r`);
    await typist.see(/culvert: password of culvert-b/);
    typist.type('\u0003');
    await typist.see(/bash\S+ /);
    mkdirSync(dirname(policy), { recursive: true });
    const helper = join(product.dir, 'bin/culvert-helper');
    const annotation = `<annotate key="org.freedesktop.policykit.exec.path">${helper}</annotate>`;
    writeFileSync(policy, `<policyconfig><!-- ${annotation} --></policyconfig>\n`);
    try {
      await typist.enter(line('echo', 'sta""rted').join(' '), /started\r/);
    } finally {
      rmSync(policy);
    }
    typist.type('exit\r');
    await typist.ended;
    await allGone();
  });

  test('where pkexec cannot ask, sudo without a password is tried', async () => {
    const { stdout, stderr, code } = await world.run(line('id', '-un'), { user: 'culvert-a' });
    expect([stdout, stderr, code]).toEqual(['culvert-a\n', '', 0]);
  });

  describe('on a terminal, where pkexec asks by itself', () => {
    let cover: AsyncDisposable;
    beforeAll(async () => {
      cover = await without(world, '/usr/bin', 'sudo');
      rule('polkit.Result.AUTH_SELF');
    });
    afterAll(async () => {
      await cover[Symbol.asyncDispose]();
    });

    async function answer(keys: string): Promise<Typist> {
      const typist = new Typist(world, ['sh', '-i'], { user });
      const [tty] = await typist.enter('tty', /\/dev\/pts\/\d+/);
      typist.type(`${line('echo', 'sta""rted').join(' ')}\r`);
      await typist.see(/Password: /);
      await until('the echo to be off', async () =>
        (await world.must(['stty', '-F', tty, '-a'])).includes(' -echo '),
      );
      typist.type(keys);
      return typist;
    }

    async function expectStatus(typist: Typist, code: number): Promise<void> {
      await typist.enter(`echo status $?; ${settings}`, new RegExp(`status ${code}\\s+echo\\r`));
      expect(typist.screen).not.toContain('started');
      typist.type('exit\r');
      await typist.ended;
      await allGone();
    }

    test('a wrong password is a refusal', async () => {
      await using typist = await answer('wrong\r');
      await typist.see(/culvert: permission was not given — .*the password was wrong.* — try again/);
      await expectStatus(typist, 125);
    });

    test('the end of input dismisses the question', async () => {
      await using typist = await answer('\u0004');
      await typist.see(/culvert: permission was not given — the password dialog was closed — try again/);
      await expectStatus(typist, 125);
    });

    test('Ctrl+C is the end, by that signal, and the echo is back', async () => {
      await using typist = await answer('\u0003');
      await typist.see(/[$#] $/);
      await expectStatus(typist, 130);
    });
  });
});

describe('without pkexec and sudo', () => {
  test('there is no way to root, and two are named', async () => {
    await using _pkexec = await without(world, '/usr/bin', 'pkexec', 'sudo');
    expect(await refused()).toMatch(
      /^culvert: permission could not be asked for — neither pkexec nor sudo can be used here — install/,
    );
  });

  test('on a desktop that has neither, pkexec is missed', async () => {
    await using _pkexec = await without(world, '/usr/bin', 'pkexec', 'sudo');
    expect(await refused({ env: { DISPLAY: ':77' } })).toMatch(
      /^culvert: permission could not be asked for — pkexec is not installed.* — install pkexec/,
    );
  });
});

describe('a desktop without pkexec, but with a program that asks in a window', () => {
  const asked = '/run/asked-in-a-window';
  let cover: AsyncDisposable;

  /** kdesudo(1) in short: takes its own options off, asks, and has sudo run the rest. */
  const window = (answer: string) => `#!/bin/sh
until [ "$1" = -- ]; do shift; done
shift
echo "$#" >> ${asked}
${answer}
`;
  const put = (answer: string) =>
    world
      .must(['tee', '/usr/bin/kdesudo'], { stdin: window(answer) })
      .then(() => world.shell('chmod 755 /usr/bin/kdesudo'));
  const times = async () => (await world.must(['cat', asked])).trim().split('\n').length;

  beforeAll(async () => {
    cover = await without(world, '/usr/bin', 'pkexec');
    await world.shell(`install -m 666 /dev/null ${asked}`);
    sudoers('Defaults timestamp_timeout=0\nculvert-b ALL=(ALL) ALL\n');
  });
  afterAll(async () => {
    await cover[Symbol.asyncDispose]();
  });

  test('is asked by it, once', async () => {
    await put(`echo '${world.users[user].password}' | sudo -S -p '' -- "$@"`);
    const { stdout, code } = await world.run(line('id', '-un'), { user, env: { DISPLAY: ':77' } });
    expect([stdout, code, await times()]).toEqual(['culvert-b\n', 0, 1]);
    await allGone();
  });

  test('that is answered with no is told as a refusal', async () => {
    await put('exit 1');
    expect(await refused({ env: { DISPLAY: ':77' } })).toMatch(
      /^culvert: permission was not given — .*did not grant permission.* — try again/,
    );
    expect(await times()).toBe(2);
  });
});

describe('a process that may gain no privileges', () => {
  const before = ['setpriv', '--no-new-privs'];

  test('is told so instead of asked for a password that cannot help', async () => {
    expect(await refused({ before, user: 'culvert-a' })).toMatch(
      /^culvert: permission could not be asked for — this process was started with NoNewPrivs.* — start Culvert/,
    );
  });

  test('goes the way that needs none when it is free to choose', async () => {
    const command = [...before, product.culvert, 'run', '--proxy', proxy.url, '--', 'id', '-un'];
    expect(await world.must(command, { user: 'culvert-a' })).toBe('culvert-a\n');
  });
});
