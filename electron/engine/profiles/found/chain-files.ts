/** Proxies in the configuration files of proxychains, of the user and of the computer. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import type { Upstream } from '#shared/model.ts';
import { readImportFile } from '../../import/file.ts';
import { importText } from '../../import/index.ts';
import { upstreamOf } from '../../lane-policy.ts';
import type { FoundHere } from './index.ts';

/** Where proxychains-ng looks (its README), and where Debian puts its file. */
function filesOf(env: NodeJS.ProcessEnv, etc: string): string[] {
  const given = env['PROXYCHAINS_CONF_FILE'];
  return [
    ...(given === undefined || given === '' ? [] : [given]),
    join(env['HOME'] ?? homedir(), '.proxychains', 'proxychains.conf'),
    join(etc, 'proxychains.conf'),
    join(etc, 'proxychains4.conf'),
  ];
}

/**
 * One for each file. A chain that is more than a row of servers, such as a random one, is left to the import: a link
 * could not say it.
 */
export function chainsInFiles(env: NodeJS.ProcessEnv, etc = '/etc'): FoundHere[] {
  return filesOf(env, etc).flatMap((path) => {
    const upstreams = existsSync(path) ? serversIn(path) : [];
    return upstreams.length === 0
      ? []
      : [{ source: 'proxychains', where: path, upstreams, name: 'proxychains' } satisfies FoundHere];
  });
}

function serversIn(path: string): Upstream[] {
  try {
    const { profiles } = importText(readImportFile(path), { kind: 'proxychains', name: basename(path) });
    const [chain] = profiles.map((profile) => profile.chain);
    if (chain === undefined || (chain.mode !== 'strict' && chain.servers.length > 1)) return [];
    return chain.servers.map((server) => {
      const { timeoutMs: _, ...upstream } = upstreamOf(server, undefined);
      return upstream;
    });
  } catch {
    // A file that cannot be read or understood offers nothing; its import says why.
    return [];
  }
}
