/**
 * shadowsocks-libev: its local SOCKS5 server on the host's loopback, its remote one in the internet. A second
 * implementation of SOCKS5 with UDP ASSOCIATE, independent of dante; what goes between the two is an exception
 * of the capture.
 */
import { randomBytes } from 'node:crypto';
import { internet } from '../addresses.ts';
import { listens } from '../listens.ts';
import type { ProxyPlan, Started } from '../proxies.ts';
import { until } from '../until.ts';

export async function shadowsocks({ world, address, port, signIn }: ProxyPlan): Promise<Started> {
  if (signIn !== undefined) throw new Error('ss-local offers no sign-in to its SOCKS clients');
  const remotePort = port + 20_000;
  const secret = ['-k', randomBytes(12).toString('hex'), '-m', 'aes-256-gcm', '-u'];
  const far = ['-s', internet.proxy4, '-p', String(remotePort)];
  const server = world.spawn(['ss-server', ...far, ...secret], { at: 'internet' });
  await until('ss-server to listen', () => listens(server, remotePort), 10_000);
  const listener = world.spawn(['ss-local', ...far, '-b', address, '-l', String(port), ...secret], {
    at: 'host',
  });
  const exceptions = [{ address: internet.proxy4, port: remotePort }];
  return { listener, scheme: 'socks5', others: [server], exceptions };
}
