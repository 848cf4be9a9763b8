/**
 * squid: HTTP and CONNECT, sign-in by Basic or by Digest (squid(8), auth_param). It wants a nonce's count to rise,
 * gives a nonce fifty uses and then calls it stale.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProxyPlan, Started } from '../proxies.ts';

export function squid(plan: ProxyPlan): Promise<Started> {
  return start(plan, ({ user, password }, file) => {
    // What basic_fake_auth lets in is everybody; this one knows the password.
    writeFileSync(
      file,
      `#!/bin/sh\nwhile read -r line; do [ "$line" = '${user} ${password}' ] && echo OK || echo ERR; done\n`,
      {
        mode: 0o755,
      },
    );
    return `auth_param basic program ${file}\nauth_param basic children 2\nauth_param basic realm culvert\n`;
  });
}

export function squidDigest(plan: ProxyPlan): Promise<Started> {
  return start(plan, ({ user, password }, file) => {
    const secret = createHash('md5').update(`${user}:culvert:${password}`).digest('hex');
    writeFileSync(file, `${user}:culvert:${secret}\n`);
    const program = `/usr/lib/squid/digest_file_auth -c ${file}`;
    return `auth_param digest program ${program}\nauth_param digest children 2\nauth_param digest realm culvert\n`;
  });
}

function start(
  { world, at, address, port, signIn }: ProxyPlan,
  authOf: (signIn: { readonly user: string; readonly password: string }, file: string) => string,
): Promise<Started> {
  const file = join(world.dir, `squid-${port}.conf`);
  const auth = signIn === undefined ? '' : authOf(signIn, join(world.dir, `squid-${port}.passwords`));
  const who = signIn === undefined ? 'all' : 'signed';
  const bracketed = address.includes(':') ? `[${address}]` : address;
  writeFileSync(
    file,
    `http_port ${bracketed}:${port}
visible_hostname proxy.test
pid_filename none
access_log none
cache_log /dev/null
cache deny all
cache_mem 8 MB
coredump_dir none
pinger_enable off
shutdown_lifetime 0 seconds
${auth}${signIn === undefined ? '' : 'acl signed proxy_auth REQUIRED\n'}http_access allow ${who}
http_access deny all
`,
  );
  const listener = world.spawn(['squid', '-N', '-d', '1', '-f', file], { at });
  return Promise.resolve({ listener, scheme: 'http' });
}
