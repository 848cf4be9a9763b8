/** privoxy: HTTP and CONNECT, without a sign-in. It resolves names itself and filters nothing here. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProxyPlan, Started } from '../proxies.ts';

export function privoxy({ world, at, address, port, signIn }: ProxyPlan): Promise<Started> {
  if (signIn !== undefined) throw new Error('privoxy asks for no sign-in');
  const file = join(world.dir, `privoxy-${port}.conf`);
  const actions = join(world.dir, `privoxy-${port}.action`);
  writeFileSync(actions, '{-limit-connect}\n/\n');
  const bracketed = address.includes(':') ? `[${address}]` : address;
  writeFileSync(
    file,
    `listen-address ${bracketed}:${port}
confdir /etc/privoxy
logdir ${world.dir}
actionsfile ${actions}
toggle 0
socket-timeout 300
`,
  );
  const listener = world.spawn(['privoxy', '--no-daemon', file], { at });
  return Promise.resolve({ listener, scheme: 'http' });
}
