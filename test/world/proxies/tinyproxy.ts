/** tinyproxy: HTTP and CONNECT, sign-in by Basic. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProxyPlan, Started } from '../proxies.ts';

export async function tinyproxy({ world, at, address, port, signIn }: ProxyPlan): Promise<Started> {
  const file = join(world.dir, `tinyproxy-${port}.conf`);
  const basic = signIn === undefined ? '' : `BasicAuth ${signIn.user} ${signIn.password}\n`;
  writeFileSync(
    file,
    `Port ${port}\nListen ${address}\nTimeout 600\nMaxClients 2000\nLogLevel Error\n${basic}`,
  );
  const listener = world.spawn(['tinyproxy', '-d', '-c', file], { at });
  return Promise.resolve({ listener, scheme: 'http' });
}
