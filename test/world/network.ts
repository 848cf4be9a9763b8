/**
 * Lays the cables of a world: loopback, a veth from the host to the internet, a second interface for a local
 * network, addresses and routes. Neighbours are permanent and IPv6 does not look for routers, so a quiet host
 * is really quiet and every captured packet means something.
 */
import { host, internet, internetPrefixes } from './addresses.ts';
import type { Namespace } from './namespace.ts';

const quiet = `
  for scope in all default; do
    cd /proc/sys/net/ipv6/conf/$scope
    echo 0 > accept_dad; echo 0 > accept_ra; echo 0 > autoconf; echo 0 > router_solicitations
  done
  cd /
`;

const hostScript = (internetPid: number): string => `${quiet}
  ip link set lo up
  ip link add eth0 address ${host.mac} type veth peer name eth0 address ${internet.mac} netns ${internetPid}
  ip link add lan0 type veth peer name lan0 netns ${internetPid}
  for link in eth0 lan0; do ip link set $link addrgenmode none; done
  ip address add ${host.v4}/24 dev eth0
  ip address add ${host.v6}/64 dev eth0 nodad
  ip address add ${host.linkLocal6}/64 dev eth0 nodad
  ip address add ${host.lan4}/24 dev lan0
  ip link set eth0 up
  ip link set lan0 up
  for there in ${internet.v4} ${internet.v6} ${internet.linkLocal6}; do
    ip neighbour replace $there lladdr ${internet.mac} dev eth0 nud permanent
  done
  ip route add default via ${internet.v4}
  ip route add default via ${internet.v6}
`;

const internetScript = `${quiet}
  ip link set lo up
  for link in eth0 lan0; do ip link set $link addrgenmode none; done
  ip address add ${internet.lan4}/24 dev lan0
  ip link set lan0 up
  ip address add ${internet.v4}/24 dev eth0
  ip address add ${internet.v6}/64 dev eth0 nodad
  ip address add ${internet.linkLocal6}/64 dev eth0 nodad
  ip link set eth0 up
  for there in ${host.v4} ${host.v6} ${host.linkLocal6}; do
    ip neighbour replace $there lladdr ${host.mac} dev eth0 nud permanent
  done
  echo 1 > /proc/sys/net/ipv4/ip_nonlocal_bind
  echo 1 > /proc/sys/net/ipv6/ip_nonlocal_bind
  for prefix in ${internetPrefixes.join(' ')}; do ip route add local $prefix dev lo table local; done
  for named in ${internet.proxy4}/32 ${internet.ssh4}/32 ${internet.proxy6}/128; do ip address add $named dev lo; done
  ip route add local default dev lo table main
  ip -6 route add local default dev lo table main
`;

/** Connects the two namespaces. Resolves when both can reach each other. */
export async function connect(hostSide: Namespace, internetSide: Namespace): Promise<void> {
  await shell(hostSide, hostScript(internetSide.pid));
  await shell(internetSide, internetScript);
}

/** Runs a script as root; throws with its words when a step fails. */
export async function shell(there: Namespace, script: string): Promise<string> {
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' };
  const outcome = await there.spawn(['sh', '-eu', '-c', script], { env, cwd: '/' }).ended;
  if (outcome.code === 0) return outcome.stdout;
  throw new Error(`a step of the world failed (${outcome.code ?? outcome.signal}): ${outcome.stderr}`);
}
