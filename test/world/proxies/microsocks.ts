/** microsocks: SOCKS5, TCP only, sign-in optional. */
import type { ProxyPlan, Started } from '../proxies.ts';

export async function microsocks({ world, at, address, port, signIn }: ProxyPlan): Promise<Started> {
  const signInOptions = signIn === undefined ? [] : ['-u', signIn.user, '-P', signIn.password];
  const listener = world.spawn(['microsocks', '-i', address, '-p', String(port), ...signInOptions], { at });
  return Promise.resolve({ listener, scheme: 'socks5' });
}
