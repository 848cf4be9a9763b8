/**
 * stunnel in front of tinyproxy: an HTTPS proxy with the world's certificate, which `world.certificates.authority`
 * signed for the proxies' addresses and for proxy.test.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listens } from '../listens.ts';
import type { ProxyPlan, Started } from '../proxies.ts';
import { until } from '../until.ts';
import { tinyproxy } from './tinyproxy.ts';

export async function stunnel(plan: ProxyPlan): Promise<Started> {
  const { world, at, address, port } = plan;
  const behind = await tinyproxy({ ...plan, address: '127.0.0.1', port: port + 30_000 });
  await until('tinyproxy to listen', () => listens(behind.listener, port + 30_000), 10_000);
  const file = join(world.dir, `stunnel-${port}.conf`);
  const { certificate, key } = world.certificates;
  writeFileSync(
    file,
    `foreground = yes
pid =
syslog = no
debug = warning
[proxy]
accept = ${address}:${port}
connect = 127.0.0.1:${port + 30_000}
cert = ${certificate}
key = ${key}
`,
  );
  const listener = world.spawn(['stunnel4', file], { at });
  return { listener, scheme: 'https', others: [behind.listener] };
}
