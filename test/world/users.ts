/**
 * Ordinary users that exist only inside a world: its mount namespace has an /etc of its own (an overlay), so
 * nothing is added to the machine and two worlds at once do not meet.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  /** The login password, for proxies that sign in system users. */
  readonly password: string;
}

export const userNames = ['culvert-a', 'culvert-b'] as const;
export type UserName = (typeof userNames)[number];

/** A supplementary group that only culvert-a is in. */
export const team = { name: 'culvert-team', gid: 20_100 } as const;

export function makeUsers(homes: string): Record<UserName, User> {
  const user = (name: UserName, uid: number): User => {
    const home = join(homes, name);
    mkdirSync(home, { recursive: true, mode: 0o755 });
    chmodSync(home, 0o700);
    chownSync(home, uid, uid);
    return { name, uid, gid: uid, home, password: `secret-of-${name}` };
  };
  return { 'culvert-a': user('culvert-a', 20_001), 'culvert-b': user('culvert-b', 20_002) };
}

/** Writes the users into the account files below `etc` and makes their runtime directories below `run`. */
export function enrol(users: Record<UserName, User>, etc: string, run: string): void {
  mkdirSync(join(run, 'user'), { mode: 0o755 });
  for (const file of ['passwd', 'group', 'shadow']) {
    const kept = readFileSync(join(etc, file), 'utf8')
      .split('\n')
      .filter((line) => !line.startsWith('culvert-'));
    writeFileSync(join(etc, file), kept.join('\n'));
  }
  appendFileSync(join(etc, 'group'), `${team.name}:x:${team.gid}:culvert-a\n`);
  for (const user of Object.values(users)) {
    const hash = execFileSync('openssl', ['passwd', '-6', '-stdin'], {
      input: user.password,
      encoding: 'utf8',
    });
    appendFileSync(join(etc, 'passwd'), `${user.name}:x:${user.uid}:${user.gid}::${user.home}:/bin/bash\n`);
    appendFileSync(join(etc, 'group'), `${user.name}:x:${user.gid}:\n`);
    appendFileSync(join(etc, 'shadow'), `${user.name}:${hash.trim()}:19000:0:99999:7:::\n`);
    const runtime = join(run, 'user', String(user.uid));
    mkdirSync(runtime, { mode: 0o700 });
    chownSync(runtime, user.uid, user.gid);
  }
}
