/** The test's own SOCKS5 proxy of `servers/mirror.ts`: ends are ends and resets are resets. */
import { bundle } from '../artefact.ts';
import type { ProxyPlan, Started } from '../proxies.ts';

export async function mirror({ world, at, address, port, signIn }: ProxyPlan): Promise<Started> {
  if (signIn !== undefined) throw new Error('the mirror asks for no sign-in');
  const command = [process.execPath, bundle('test/world/servers/mirror.ts'), address, String(port)];
  return Promise.resolve({ listener: world.spawn(command, { at }), scheme: 'socks5' });
}
