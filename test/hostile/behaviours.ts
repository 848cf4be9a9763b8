/** Every hostile proxy there is, by name. */
import type { Behaviour } from './behaviour.ts';
import { http } from './http.ts';
import { socks4 } from './socks4.ts';
import { socks5, socks5Cut } from './socks5.ts';
import { udp } from './udp.ts';

/** Those that are met with TCP. */
export const behaviours: readonly Behaviour[] = [...socks5, ...socks4, ...http];
/** Those that are met with UDP. */
export { udp as udpBehaviours } from './udp.ts';

/** All in the order of their ports. */
export const everyBehaviour: readonly Behaviour[] = [...behaviours, ...udp, ...socks5Cut];

export function behaviourOf(name: string): Behaviour {
  const found = everyBehaviour.find((behaviour) => behaviour.name === name);
  if (found === undefined) throw new Error(`no hostile proxy is called “${name}”`);
  return found;
}
