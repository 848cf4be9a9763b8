/**
 * Everything of a host that Culvert promises not to change, as one text to compare byte by byte. Counters
 * that move by themselves are left out: `-s` of nft, and of the sysctls those of the list below.
 */
import { readFileSync } from 'node:fs';
import type { Namespace } from './namespace.ts';
import { shell } from './network.ts';

const moving = '/nf_conntrack_count:';

const parts = `
  part() { echo "== $*"; "$@" 2>&1; }
  part ip -4 route show table all
  part ip -6 route show table all
  part ip -4 rule
  part ip -6 rule
  part ip address
  part ip -details link
  part nft --stateless list ruleset
  echo '== /etc/resolv.conf'
  readlink -f /etc/resolv.conf
  cat /etc/resolv.conf
  echo '== /proc/sys/net'
  grep -rsH '' /proc/sys/net | grep -Ev '${moving}' | sort || true
`;

export async function hostState(host: Namespace): Promise<string> {
  const state = await shell(host, parts);
  return `${state}== mounts\n${readFileSync(`/proc/${host.pid}/mountinfo`, 'utf8')}`;
}
