/** Which of this user's processes listen on ports of this computer (proc(5)): for people, and only as far as it is seen. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** TCP_LISTEN of the kernel (include/net/tcp_states.h), as /proc/net/tcp writes it. */
const listenState = '0A';

/** The names of the processes behind ports, of those that may be looked into. */
export async function listenersOf(ports: readonly number[], proc = '/proc'): Promise<Map<number, string>> {
  const portOf = new Map<string, number>();
  for (const table of ['tcp', 'tcp6']) {
    const text = await readFile(join(proc, 'net', table), 'latin1').catch(() => '');
    for (const { port, inode } of listening(text)) if (ports.includes(port)) portOf.set(inode, port);
  }
  const found = new Map<number, string>();
  for (const pid of await readdir(proc).catch(() => [])) {
    if (found.size === ports.length || portOf.size === 0) break;
    if (!/^[0-9]+$/.test(pid)) continue;
    for (const inode of await socketsOf(join(proc, pid, 'fd'))) {
      const port = portOf.get(inode);
      if (port === undefined) continue;
      const name = await readFile(join(proc, pid, 'comm'), 'utf8').catch(() => '');
      if (name !== '') found.set(port, name.trimEnd());
    }
  }
  return found;
}

/** The sockets of a table in the form of /proc/net/tcp that listen. */
export function listening(table: string): { port: number; inode: string }[] {
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    const port = Number.parseInt(local.slice(local.indexOf(':') + 1), 16);
    return state === listenState && inode !== undefined && port > 0 ? [{ port, inode }] : [];
  });
}

async function socketsOf(dir: string): Promise<string[]> {
  // Another user's, or one that has ended: not to be seen.
  const names = await readdir(dir).catch(() => []);
  const links = await Promise.all(names.map((name) => readlink(join(dir, name)).catch(() => '')));
  return links.flatMap((link) => /^socket:\[([0-9]+)\]$/.exec(link)?.[1] ?? []);
}
