/**
 * Dante: SOCKS5 with UDP ASSOCIATE, IPv6, and sign-in against the world's system users. Its UDP sockets stay
 * unconnected, so that peers which were not written to are heard as well (sockd.conf(5), udp.connectdst).
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { host, internet } from '../addresses.ts';
import type { ProxyPlan, Started } from '../proxies.ts';

export async function dante({ world, at, address, port, signIn }: ProxyPlan): Promise<Started> {
  const file = join(world.dir, `danted-${port}.conf`);
  const method = signIn === undefined ? 'none' : 'username';
  const outside = at === 'host' ? [host.v4, host.v6] : [internet.proxy4, internet.proxy6];
  writeFileSync(
    file,
    `logoutput: stderr
internal: ${address} port = ${port}
${outside.map((own) => `external: ${own}`).join('\n')}
udp.connectdst: no
clientmethod: none
socksmethod: ${method}
user.privileged: root
user.unprivileged: nobody
client pass {
  from: 0/0 to: 0/0
}
socks pass {
  from: 0/0 to: 0/0
  command: bind connect udpassociate bindreply udpreply
}
`,
  );
  const listener = world.spawn(['danted', '-f', file], { at });
  return Promise.resolve({ listener, scheme: 'socks5' });
}
