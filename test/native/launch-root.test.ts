/** culvert-launch: set-uid programs and root inside a lane, and who may start one. */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isRoot, programs, run, start, usePrograms } from './launch/suite.ts';
import { user } from './launch/world.ts';

const sudoers = `echo 'culvert-test ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers; chmod 0440 /etc/sudoers`;

usePrograms();

describe.skipIf(!isRoot)('a privileged lane', () => {
  it('lets sudo work, as root with the network of the lane', async () => {
    const argv = ['sudo', '-n', 'sh', '-c', 'id -u; readlink /proc/self/ns/net; cat'] as const;
    await using app = start({ mode: 'privileged', argv, setup: sudoers });
    const [, lane] = await app.running.says(/^0\n(net:\S+)\n/);
    const supervisor = Number(await app.field('PPid'));
    expect(lane).toBe(readlinkSync(`/proc/${supervisor}/ns/net`));
    expect(lane).not.toBe(readlinkSync('/proc/self/ns/net'));
    app.running.child.stdin?.end();
    expect((await app.end()).status.slice(1)).toEqual(['exited 0', 'empty']);
  });

  it.each([
    ['another network', 'nsenter --net=/proc/HOST/ns/net true'],
    ['another mount namespace', 'nsenter --mount=/proc/HOST/ns/mnt true'],
    ['a new network', 'unshare --net true'],
    ['a mount', 'mount -t tmpfs tmpfs /mnt'],
    ['an unmasked /run', 'umount -l /run'],
    ['a change of its interfaces', 'ip link set app0 down'],
    ['a device file', 'mknod /tmp/files/disk b 254 0'],
    ['a packet socket', `sh -c 'PROBE families | grep -qx "socket packet 0"'`],
  ])('does not give root inside %s', async (_, words) => {
    const command = words.replaceAll('PROBE', programs().probe).replaceAll('HOST', String(process.pid));
    const argv = ['sh', '-c', `sudo -n ${command} 2>&1; echo code $?; cat`] as const;
    await using app = start({ mode: 'privileged', argv, setup: sudoers });
    const [, code] = await app.running.says(/^code (\d+)$/m);
    expect(Number(code)).toBeGreaterThan(0);
    // The control: root that comes from outside into the same namespaces can.
    const there = [
      '-t',
      String(await app.pid()),
      '-n',
      '-m',
      'sh',
      '-c',
      `rm -f /tmp/files/disk; ${command}`,
    ];
    expect(spawnSync('nsenter', there, { encoding: 'utf8' })).toMatchObject({ status: 0 });
  });

  it('lets root inside do what packages need: owners, modes, low ports, ids', async () => {
    const script =
      'cd /tmp/files && touch a && chown 1:1 a && chmod 4755 a && setpriv --reuid 1 --regid 1 --clear-groups true && ' +
      'chroot / true && kill -0 1 && stat -c %u:%a a';
    const argv = ['sudo', '-n', 'sh', '-c', script] as const;
    expect(await run({ mode: 'privileged', argv, setup: sudoers })).toMatchObject({ stdout: '1:4755\n' });
  });

  it('may belong to root when root has started Culvert, with the reduced set only', async () => {
    await using app = start({ mode: 'privileged', argv: ['cat'], uid: 0 });
    expect(await app.field('Uid')).toBe('0\t0\t0\t0');
    const bounding = await app.field('CapBnd');
    expect(BigInt(`0x${bounding}`) & (1n << 21n)).toBe(0n);
    for (const set of ['CapPrm', 'CapEff']) expect(await app.field(set)).toBe(bounding);
    for (const set of ['CapInh', 'CapAmb']) expect(await app.field(set)).toMatch(/^0+$/);
  });

  it('is refused for a user whom the system does not know', async () => {
    const end = await run({ mode: 'privileged', argv: ['true'], uid: 23_999 });
    expect(end).toMatchObject({ status: ['failed user 2'], code: 125 });
  });
});

describe.skipIf(!isRoot)('the launcher', () => {
  /** Runs the launcher as it is, with the seven descriptors, as root or as the user. */
  function bare(args: readonly string[], isUser: boolean) {
    const become = isUser ? [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'] : ['--reuid=0'];
    const blank = openSync('/dev/null', 'r');
    const result = spawnSync('setpriv', [...become, programs().product, ...args], {
      env: { PATH: '/usr/bin:/bin' },
      stdio: ['ignore', 'pipe', 'pipe', blank, blank, 'pipe', blank],
      encoding: 'utf8',
    });
    closeSync(blank);
    return { status: result.output[5], code: result.status, said: `${result.stdout}${result.stderr}` };
  }

  it.each([
    [[], 22],
    [['rootless', String(user.uid), 'none'], 22],
    [['rootless', String(user.uid), 'none', '0', 'more'], 22],
    [['rooted', String(user.uid), 'none', '0'], 22],
    [['rootless', '-1', 'none', '0'], 22],
    [['rootless', '4294967295', 'none', '0'], 22],
    [['rootless', `${user.uid} `, 'none', '0'], 22],
    [['rootless', String(user.uid), 'mine', '0'], 22],
    [['rootless', String(user.uid), 'share', '0'], 22],
    [['rootless', String(user.uid), 'none', '7'], 22],
    [['rootless', '0', 'none', '0'], 1],
    [['rootless', '1', 'none', '0'], 1],
    [['privileged', String(user.uid), 'none', '0'], 1],
    [['--fail-at=exec', 'rootless', String(user.uid), 'none', '0'], 22],
  ] as const)('refuses the arguments %j of a user', (args, errno) => {
    expect(bare(args, true)).toEqual({ status: `failed arguments ${errno}\n`, code: 125, said: '' });
  });

  it('refuses a user without a user namespace, and root in the place of a user', () => {
    const rootless = ['rootless', String(user.uid), 'none', '0'];
    expect(bare(rootless, true)).toEqual({ status: 'failed mount-private 1\n', code: 125, said: '' });
    expect(bare(rootless, false)).toEqual({ status: 'failed arguments 1\n', code: 125, said: '' });
  });

  it('says nothing and starts nothing without its descriptors', () => {
    const { status, stdout, stderr } = spawnSync(programs().product, ['privileged', '0', 'none', '0'], {
      encoding: 'utf8',
    });
    expect({ status, stdout, stderr }).toEqual({ status: 125, stdout: '', stderr: '' });
  });

  it('refuses what is no network namespace', () => {
    const privileged = ['privileged', '0', 'none', '0'];
    expect(bare(privileged, false)).toEqual({ status: 'failed netns 22\n', code: 125, said: '' });
  });

  it('cannot be told to fail in the product', () => {
    expect(readFileSync(programs().product).includes('fail-at')).toBe(false);
    expect(readFileSync(programs().launcher).includes('fail-at')).toBe(true);
  });
});
