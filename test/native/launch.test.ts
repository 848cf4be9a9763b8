/** culvert-launch: who the app is, what it gets, and that a start that fails anywhere starts nothing (S4, S26). */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repository } from '../world/artefact.ts';
import { isRoot, modes, programs, run, start, usePrograms } from './launch/suite.ts';
import { user } from './launch/world.ts';

const sockets = ['socket', 'socketpair', 'x32', 'i386', 'i386-pair'];

usePrograms();

/** An app that stays until its standard input ends. */
const staying = ['cat'] as const;

describe.skipIf(!isRoot).each(modes)('an app that is started %s', (mode) => {
  it('has the ids of the user in every place and no capability', async () => {
    await using app = start({ mode, argv: staying });
    const id = String(user.uid);
    expect(await app.field('Uid')).toBe([id, id, id, id].join('\t'));
    expect(await app.field('Gid')).toBe([id, id, id, id].join('\t'));
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) expect(await app.field(set)).toMatch(/^0+$/);
    // Kept for set-uid programs as root: nothing that reaches the network set-up or another namespace.
    const bounding = BigInt(`0x${await app.field('CapBnd')}`);
    if (mode === 'rootless') expect(bounding).toBe(0n);
    for (const never of [2, 12, 13, 16, 17, 19, 21, 22, 27, 38, 39, 40]) {
      expect((bounding >> BigInt(never)) & 1n, `capability ${never}`).toBe(0n);
    }
    expect(await app.field('Seccomp')).toBe('2');
    expect(await app.field('NoNewPrivs')).toBe('0');
  });

  it('has the groups that the user has outside', async () => {
    await using app = start({ mode, argv: staying });
    expect((await app.field('Groups')).split(' ').sort()).toEqual([String(user.gid), String(user.crew)]);
    expect(
      app
        .outside(`cat /proc/${await app.pid()}/root/dev/null; id -G culvert-test`)
        .trim()
        .split(' ')
        .sort(),
    ).toEqual([String(user.gid), String(user.crew)]);
  });

  it('has its supervisor on the same lane with the same ids, no capability and only the status pipe and the gateway', async () => {
    await using app = start({ mode, argv: staying });
    const supervisor = Number(await app.field('PPid'));
    expect(await app.field('Name', supervisor)).toBe('culvert-launch');
    expect(await app.field('Uid', supervisor)).toBe(await app.field('Uid'));
    for (const set of ['CapPrm', 'CapEff']) expect(await app.field(set, supervisor)).toMatch(/^0+$/);
    const lane = readlinkSync(`/proc/${await app.pid()}/ns/net`);
    expect(readlinkSync(`/proc/${supervisor}/ns/net`)).toBe(lane);
    expect(readlinkSync('/proc/self/ns/net')).not.toBe(lane);
    await expect.poll(() => readdirSync(`/proc/${supervisor}/fd`)).toEqual(['5', '6']);
  });

  it('has the descriptors 0, 1 and 2 and no other', async () => {
    const { stdout } = await run({ mode, argv: [programs().probe, 'fds'] });
    expect(stdout.trim().split('\n')).toEqual(['0', '1', '2']);
  });

  it('gets exactly the environment of the caller, which has no effect on the launcher', async () => {
    const env = {
      LD_PRELOAD: programs().preload,
      GCONV_PATH: '/tmp/files',
      LC_ALL: 'xx_XX.UTF-8',
      NAME: 'line 1\nline 2',
    };
    await using app = start({ mode, argv: staying, env });
    const environ = readFileSync(`/proc/${await app.pid()}/environ`, 'utf8');
    expect(environ.split('\0').filter((line) => line !== '')).toEqual([
      'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
      ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
    ]);
    // The control: the app itself did load it.
    await expect
      .poll(() => app.outside('cat /tmp/files/loaded 2>/dev/null || true'))
      .toBe(`cat ${user.uid}\n`);
  });

  it('has the umask, limits and directory of the caller', async () => {
    await using app = start({
      mode,
      argv: ['sh', '-c', 'umask; pwd -P; exec cat'],
      payload: {
        umask: 0o027,
        cwd: '/tmp/files',
        limits: [
          { resource: 7, soft: 100n, hard: 200n },
          { resource: 4, soft: 0n, hard: -1n },
          { resource: 3, soft: 0x7fff_ffff_0000_0000n, hard: -1n },
        ],
      },
    });
    await app.running.says(/^0027\n\/tmp\/files\n/);
    const limits = readFileSync(`/proc/${await app.pid()}/limits`, 'utf8');
    expect(limits).toMatch(/^Max open files +100 +200 /m);
    expect(limits).toMatch(/^Max core file size +0 /m);
  });

  it('ignores what the caller ignored, but only what shells and nohup do', async () => {
    const payload = { ignoredSignals: 0xffff_ffff_ffff_ffffn };
    await using app = start({ mode, argv: staying, payload });
    // HUP INT QUIT USR1 USR2 PIPE CHLD TSTP TTIN TTOU; an app that ignored SEGV or TERM would be a nuisance.
    const honoured = [1, 2, 3, 10, 12, 13, 17, 20, 21, 22].reduce(
      (mask, n) => mask | (1n << BigInt(n - 1)),
      0n,
    );
    expect(BigInt(`0x${await app.field('SigIgn')}`)).toBe(honoured);
  });

  it('starts with every signal at its default and none blocked', async () => {
    await using app = start({ mode, argv: staying });
    for (const set of ['SigBlk', 'SigIgn', 'SigCgt']) expect(await app.field(set)).toMatch(/^0+$/);
  });

  it('can make UNIX, IPv4, IPv6 and netlink sockets and no others, by no ABI of the machine', async () => {
    const { stdout } = await run({ mode, argv: [programs().probe, 'families'] });
    const results = new Map(
      stdout
        .trim()
        .split('\n')
        .map((line) => [line.replace(/ \d+$/, ''), Number(/\d+$/.exec(line))]),
    );
    const calls = sockets.filter((call) => results.has(`${call} inet`));
    for (const call of calls) {
      for (const family of ['packet', 'bluetooth', 'alg', 'vsock', 'qipcrtr', 'xdp', 'high']) {
        expect(results.get(`${call} ${family}`), `${call} ${family}`).toBe(97);
      }
      for (const family of ['unix', 'inet', 'inet6', 'netlink']) {
        expect(results.get(`${call} ${family}`), `${call} ${family}`).not.toBe(97);
      }
    }
    for (const family of ['unix', 'inet', 'inet6', 'netlink'])
      expect(results.get(`socket ${family}`)).toBe(0);
    // 32-bit programs make their sockets this way and have to run; what it cannot filter is told in the source.
    if (results.get('i386 inet') === 0) expect(results.get('socketcall inet')).toBe(0);
  });

  it('reports its exit status and its death by a signal', async () => {
    const exited = await run({ mode, argv: ['sh', '-c', 'exit 7'] });
    expect(exited.status.slice(1)).toEqual(['exited 7', 'empty']);
    expect(exited.code).toBe(0);
    const killed = await run({ mode, argv: ['sh', '-c', 'kill -SEGV $$'] });
    expect(killed.status.slice(1)).toEqual(['signalled 11', 'empty']);
  });

  it.each([
    ['a command that is not in PATH', ['no-such-command'], '', 'failed exec 2'],
    ['a file that is not executable', ['/etc/passwd'], '', 'failed exec 13'],
    ['a file in PATH that is not executable', ['plain'], 'touch /tmp/files/plain', 'failed exec 13'],
    ['a directory', ['/tmp'], '', 'failed exec 13'],
    [
      'a script whose interpreter is missing',
      ['/tmp/files/s'],
      'printf "#!/no/x\\n" >/tmp/files/s; chmod 755 /tmp/files/s',
      'failed exec 2',
    ],
  ])('is not started for %s, and the errno says why', async (_, argv, setup, expected) => {
    const env = { PATH: '/tmp/files:/usr/bin' };
    const end = await run({ mode, argv: argv as [string], setup, env });
    expect(end.status).toEqual([expected]);
    expect(end.code).toBe(125);
  });

  it('is not started when the working directory is gone or closed to the user', async () => {
    const gone = await run({ mode, argv: ['true'], payload: { cwd: '/no/such/place' } });
    expect(gone.status).toEqual(['failed chdir 2']);
    const masked = await run({
      mode,
      argv: ['true'],
      payload: { cwd: '/run/masked' },
      setup: 'mkdir /run/masked',
    });
    expect(masked.status).toEqual(['failed chdir 2']);
    const shut = await run({
      mode,
      argv: ['true'],
      payload: { cwd: '/tmp/shut' },
      setup: 'mkdir -m 0700 /tmp/shut',
    });
    expect(shut.status).toEqual(['failed chdir 13']);
  });

  it.each([
    ['no interface', []],
    ['another interface beside app0', ['app0', 'eth0']],
    ['an interface of another name', ['app1']],
  ])('is not started with %s in the app namespace', async (_, interfaces) => {
    expect((await run({ mode, argv: ['true'], interfaces })).status).toEqual(['failed interfaces 76']);
  });

  it.each([
    ['nothing', ''],
    ['another magic', 'CVL2\x0022\x000\0\0/\x001\0true\0'],
    ['a missing last NUL', 'CVL1\x0022\x000\0\0/\x001\0true'],
    ['a umask with a digit 8', 'CVL1\x0028\x000\0\0/\x001\0true\0'],
    ['a umask that is too large', 'CVL1\x001000\x000\0\0/\x001\0true\0'],
    ['signed numbers', 'CVL1\x00+22\x000\0\0/\x001\0true\0'],
    ['signals beyond 64 bits', 'CVL1\x0022\x0010000000000000000\0\0/\x001\0true\0'],
    ['an unknown limit', 'CVL1\x0022\x000\x0016:1:1\0/\x001\0true\0'],
    ['half a limit', 'CVL1\x0022\x000\x007:1\0/\x001\0true\0'],
    ['a comma after the last limit', 'CVL1\x0022\x000\x007:1:1,\0/\x001\0true\0'],
    ['more limits than there are', `CVL1\x0022\x000\0${Array(17).fill('7:1:1').join(',')}\0/\x001\0true\0`],
    ['a relative directory', 'CVL1\x0022\x000\0\0tmp\x001\0true\0'],
    ['no arguments', 'CVL1\x0022\x000\0\0/\x000\0true\0'],
    ['fewer arguments than promised', 'CVL1\x0022\x000\0\0/\x003\0true\0a\0'],
    ['a number of arguments that overflows', 'CVL1\x0022\x000\0\0/\x0018446744073709551616\0true\0'],
    ['an environment entry without =', 'CVL1\x0022\x000\0\0/\x001\0true\0NAME\0'],
    ['an end after the magic', 'CVL1\0'],
  ])('is not started for a payload with %s', async (_, text) => {
    const end = await run({ mode, argv: ['true'], rawPayload: Buffer.from(text) });
    expect(end.status).toEqual(['failed payload 22']);
    expect(end.code).toBe(125);
  });

  const stages = ['launch.c', 'launch_app.c'].flatMap((file) => {
    const text = readFileSync(join(repository, 'native', file), 'utf8');
    return [...text.matchAll(/\{"([a-z-]+)", \w+\}/g)].map((match) => match[1] ?? '');
  });
  it.each([...stages, 'fork'])('is not started when the step %s fails', async (failAt) => {
    const end = await run({ mode, argv: ['sh', '-c', 'echo started'], failAt, terminal: 'none' });
    expect(end).toMatchObject({ status: [`failed ${failAt} 5`], code: 125, stdout: '' });
  });

  it('has a list of steps that these tests know', () => {
    expect(stages).toHaveLength(26);
  });
});
