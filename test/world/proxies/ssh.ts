/**
 * `ssh -D` on the host's loopback, as culvert-a, to an sshd of culvert-b's in the internet with keys of their
 * own. The connection between the two is on the host's interface and is an exception of the capture.
 */
import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { internet } from '../addresses.ts';
import type { User } from '../users.ts';
import { listens } from '../listens.ts';
import type { ProxyPlan, Started } from '../proxies.ts';
import { until } from '../until.ts';
import type { World } from '../world.ts';

export async function ssh({ world, address, port, signIn }: ProxyPlan): Promise<Started> {
  if (signIn !== undefined) throw new Error('ssh -D offers no sign-in to its SOCKS clients');
  const server = await startSshd(world, port + 10_000);
  const options = { BatchMode: 'yes', StrictHostKeyChecking: 'no', UserKnownHostsFile: '/dev/null' };
  const listener = world.spawn(
    [
      ...['ssh', '-F', 'none', '-N', '-D', `${address}:${port}`, '-p', String(server.port), '-i', server.key],
      ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
      ...['-o', 'ExitOnForwardFailure=yes', '-o', 'LogLevel=ERROR', `culvert-b@${internet.ssh4}`],
    ],
    { user: 'culvert-a' },
  );
  const exceptions = [{ address: internet.ssh4, port: server.port }];
  return { listener, scheme: 'socks5', others: [server.process], exceptions };
}

/**
 * An sshd as culvert-b at `internet.ssh4` that lets culvert-a in by key; `key` is the path of culvert-a's.
 * Also the counterpart for tests that run ssh itself on a lane.
 */
export async function startSshd(world: World, port: number) {
  const server = world.users['culvert-b'];
  const dir = join(world.dir, `sshd-${port}`);
  mkdirSync(dir);
  chownSync(dir, server.uid, server.gid);
  const hostKey = makeKey(dir, 'host', server);
  const key = makeKey(dir, 'client', world.users['culvert-a']);
  const authorized = join(dir, 'authorized');
  writeFileSync(authorized, readFileSync(`${key}.pub`));
  const file = join(dir, 'sshd_config');
  writeFileSync(
    file,
    `ListenAddress ${internet.ssh4}:${port}
HostKey ${hostKey}
AuthorizedKeysFile ${authorized}
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
MaxStartups 1000
MaxSessions 1000
Subsystem sftp internal-sftp
`,
  );
  const process = world.spawn(['/usr/sbin/sshd', '-D', '-e', '-f', file], {
    user: 'culvert-b',
    at: 'internet',
  });
  await until('sshd to listen', () => listens(process, port));
  return { process, port, key };
}

function makeKey(dir: string, name: string, owner: User): string {
  const path = join(dir, name);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', path]);
  for (const file of [path, `${path}.pub`]) chownSync(file, owner.uid, owner.gid);
  return path;
}
