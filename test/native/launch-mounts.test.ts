/** culvert-launch: what an app sees of /run, of Culvert's sockets and of the resolver files (S14, S38b). */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Running } from '../world/running.ts';
import { isRoot, modes, programs, run, start, usePrograms } from './launch/suite.ts';
import { user, type Launched, type LaunchOptions } from './launch/world.ts';

const resolvConf = 'nameserver 192.0.0.1\noptions edns0\n';

usePrograms();

/** What an app said that did start. */
async function said(options: LaunchOptions): Promise<string> {
  const { status, stdout, stderr } = await run(options);
  if (status[0]?.startsWith('started') !== true) throw new Error(`${status.join('; ')} ${stderr}`);
  return stdout;
}

/** A service of the host's that listens at `path`, as long as the result lives. */
async function serve(app: Launched, path: string): Promise<Running> {
  const command = ['-t', String(app.running.pid), '-m', programs().probe, 'listen', path];
  const server = new Running(spawn('nsenter', command));
  await server.says(/listening/);
  return server;
}

describe.skipIf(!isRoot).each(modes)('an app that is started %s', (mode) => {
  const runtime = `/run/user/${user.uid}`;

  it.each([
    '/run/nscd/socket',
    '/run/systemd/resolve/io.systemd.Resolve',
    '/run/avahi-daemon/socket',
    '/var/run/nscd/socket',
    '/run/dnsmasq.sock',
  ])('does not find %s, also when the service makes it anew', async (path) => {
    const directory = path.replace(/\/[^/]*$/, '');
    const ask = `while read -r line; do ${programs().probe} connect ${path}; done`;
    await using app = start({ mode, argv: ['sh', '-c', ask], setup: `mkdir -p ${directory}` });
    await app.pid();
    for (let round = 1; round <= 3; round++) {
      await using server = await serve(app, path);
      // The control: whoever is not on the lane does reach it.
      expect(app.outside(`${programs().probe} connect ${path}`)).toBe(`connect ${path} 0\n`);
      app.running.write('again\n');
      await app.running.says(new RegExp(`(connect ${path} 2\n){${round}}$`));
      server.child.stdin?.end();
      await server.ended;
      if (directory !== '/run') app.outside(`rm -r ${directory}; mkdir -p ${directory}`);
    }
    expect(app.running.stdout).not.toContain(' 0\n');
  });

  it('finds the services that are on the list', async () => {
    const path = '/run/dbus/system_bus_socket';
    const ask = `read -r line; ${programs().probe} connect ${path}`;
    await using app = start({ mode, argv: ['sh', '-c', ask], setup: `chmod 0777 /run/dbus` });
    await app.pid();
    await using server = await serve(app, path);
    app.outside(`chmod 0777 ${path}`);
    app.running.write('now\n');
    await app.running.says(/connect \S+ 0\n/);
    server.child.stdin?.end();
    await server.ended;
  });

  it('sees nothing else of /run, and its mark', async () => {
    const setup =
      'mkdir -p /run/udev/data /run/systemd/seats /run/systemd/resolve /run/docker /run/containerd /run/host/run ' +
      '/run/host/etc; touch /run/docker.sock /run/utmp /run/udev/data/x; ' +
      'ln -s /nix/store/system /run/current-system; mkdir -m 1777 /run/screen; touch /run/screen/outside; ' +
      'ln -s /run/docker /run/media; mkdir -p /run/real/users; ln -s ../real/users /run/systemd/users';
    const stdout = await said({
      mode,
      argv: ['sh', '-c', 'cd /run; find . | sort; stat -c %a screen'],
      setup,
    });
    expect(stdout.trim().split('\n')).toEqual([
      '.',
      './.culvert',
      './.culvert/lane',
      './.culvert/nsswitch.conf',
      './.culvert/resolv.conf',
      './current-system',
      './dbus',
      './host',
      './host/etc',
      './lock',
      './media',
      './screen',
      './systemd',
      './systemd/seats',
      './systemd/users',
      './udev',
      './udev/data',
      './udev/data/x',
      './user',
      `./user/${user.uid}`,
      './utmp',
      '1777',
    ]);
    // Links are made again as they are, and lead to what is not there.
    expect(await said({ mode, argv: ['sh', '-c', 'readlink /run/media; ls /run/media/'], setup })).toBe(
      '/run/docker\n',
    );
  });

  it('sees mounts below what is bound back', async () => {
    const setup =
      'mkdir -p /run/media/disk; mount -t tmpfs tmpfs /run/media/disk; touch /run/media/disk/photo';
    expect(await said({ mode, argv: ['ls', '/run/media/disk'], setup })).toBe('photo\n');
  });

  it('sees as little of /var/run where that is a directory of its own', async () => {
    const setup =
      'mkdir /tmp/var /tmp/var-work; mount -t overlay -o lowerdir=/var,upperdir=/tmp/var,workdir=/tmp/var-work overlay /var; ' +
      'rm /var/run; mkdir -p /var/run/nscd /var/run/udev /run/nscd';
    expect(await said({ mode, argv: ['sh', '-c', 'ls /var/run; ls -d /run/nscd /run/dbus'], setup })).toBe(
      'udev\n/run/dbus\n',
    );
  });

  it('sees the runtime directory of its user, shared with the session', async () => {
    const ask = `echo mine >${runtime}/from-app; read -r line; cat ${runtime}/from-session`;
    await using app = start({ mode, argv: ['sh', '-c', ask] });
    await app.pid();
    await expect.poll(() => app.outside(`cat ${runtime}/from-app 2>/dev/null || true`)).toBe('mine\n');
    app.outside(`echo theirs >${runtime}/from-session; chmod 0644 ${runtime}/from-session`);
    app.running.write('now\n');
    expect((await app.end()).stdout).toBe('theirs\n');
  });

  it.each([`${runtime}/culvert`, `/tmp/culvert-${user.uid}`])('cannot look into %s', async (directory) => {
    const setup = `mkdir -m 0700 ${directory}; touch ${directory}/engine-1.sock; chown -R ${user.uid} ${directory}`;
    const ask = `stat -c %a ${directory}; ls ${directory}; chmod 0700 ${directory}; touch ${directory}/x; rmdir ${directory}; mv ${directory} ${directory}2; echo end`;
    await using app = start({ mode, argv: ['sh', '-c', ask], setup });
    const end = await app.end();
    expect(end.stdout).toBe('0\nend\n');
    expect(
      end.stderr.match(/Permission denied|Read-only|Operation not permitted|busy/g)?.length,
    ).toBeGreaterThanOrEqual(5);
  });

  it('starts where the name of that directory is a link or a file, and touches neither', async () => {
    const link = `ln -s /etc ${runtime}/culvert; echo kept >/tmp/culvert-${user.uid}`;
    const stdout = await said({
      mode,
      argv: ['sh', '-c', `ls -d ${runtime}/culvert/passwd; cat /tmp/culvert-${user.uid}`],
      setup: link,
    });
    expect(stdout).toBe(`${runtime}/culvert/passwd\nkept\n`);
  });

  const target = '/run/systemd/resolve/stub-resolv.conf';
  it.each([
    ['a file', 'true', resolvConf],
    [
      'a relative link into /run',
      `rm /etc/resolv.conf; mkdir -p /run/systemd/resolve; echo host >${target}; ln -s ..${target} /etc/resolv.conf`,
      resolvConf,
    ],
    [
      'a link into /var/run',
      `rm /etc/resolv.conf; mkdir -p /run/a; echo host >/run/a/r; ln -s /var/run/a/r /etc/resolv.conf`,
      resolvConf,
    ],
    [
      'a link to a link',
      `rm /etc/resolv.conf; mkdir -p /run/a; echo host >/run/a/r; ln -s /run/a /etc/a; ln -s a/r /etc/resolv.conf`,
      resolvConf,
    ],
    [
      'a link into what is bound back',
      `rm /etc/resolv.conf; mkdir -p /run/host/etc; echo host >/run/host/etc/r; ln -s /run/host/etc/r /etc/resolv.conf`,
      resolvConf,
    ],
    ['a link to nothing', `rm /etc/resolv.conf; ln -s ${target} /etc/resolv.conf`, ''],
    ['missing', 'rm /etc/resolv.conf', ''],
  ])('has the resolver of the lane where /etc/resolv.conf is %s', async (_, setup, expected) => {
    expect(
      await said({
        mode,
        argv: ['sh', '-c', 'cat /etc/resolv.conf 2>/dev/null; ls /run/systemd/resolve 2>/dev/null'],
        setup,
      }),
    ).toBe(setup.includes(`>${target}`) ? `${expected}stub-resolv.conf\n` : expected);
  });

  it.each([
    [
      'resolve before dns',
      'passwd: files\\nhosts: mymachines resolve [!UNAVAIL=return] files dns\\nrpc: db',
      'passwd: files\nhosts: files dns\nrpc: db\n',
    ],
    [
      'blanks and two lines for hosts',
      ' \\thosts\\t:mdns4\\n# hosts: x\\nhosts: wins\\n',
      'hosts: files dns\n# hosts: x\n',
    ],
    ['no line for hosts', 'passwd: files', 'passwd: files\nhosts: files dns\n'],
    ['nothing', '', 'hosts: files dns\n'],
  ])('has names from files and DNS only where nsswitch.conf says %s', async (_, host, expected) => {
    const setup = `printf '${host}' >/etc/nsswitch.conf`;
    expect(await said({ mode, argv: ['cat', '/etc/nsswitch.conf'], setup })).toBe(expected);
  });

  it('starts where nsswitch.conf is missing', async () => {
    expect(await said({ mode, argv: ['ls', '/etc/nsswitch.conf'], setup: 'rm /etc/nsswitch.conf' })).toBe('');
  });

  it('leaves every mount outside as it was', async () => {
    const here = readFileSync('/proc/self/mountinfo', 'utf8');
    await using app = start({ mode, argv: ['cat'] });
    const pid = await app.pid();
    const before = app.outside('cat /tmp/files/mounts-before');
    expect(app.outside('cat /proc/self/mountinfo')).toBe(before);
    expect(app.outside('cat /etc/resolv.conf')).not.toBe(resolvConf);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(here);
    expect(readFileSync(`/proc/${pid}/mountinfo`, 'utf8')).toMatch(
      / \/run rw,nosuid,nodev,relatime - tmpfs culvert /,
    );
    app.running.child.stdin?.end();
    await app.end();
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });

  it('cannot take the masks off, also as the root of a user namespace of its own', async () => {
    const ask =
      'umount /run; umount -l /etc/resolv.conf; unshare -Urm sh -c "umount -l /run; umount -l /etc/resolv.conf; ' +
      'mount --bind / /mnt && ls /mnt/run"; ls /run; cat /etc/resolv.conf';
    await using app = start({ mode, argv: ['sh', '-c', ask], setup: 'mkdir /run/nscd' });
    const { stdout } = await app.end();
    expect(stdout).not.toContain('nscd');
    expect(stdout).toContain(resolvConf);
  });
});
