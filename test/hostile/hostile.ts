/**
 * The hostile proxies in a world's internet.
 *
 *   const hostile = await Hostile.start(world);
 *   await product.run(['curl', …], { proxy: hostile.url('SOCKS5: resets at accept') });
 */
import { bundle } from '../world/artefact.ts';
import type { Exception } from '../world/capture.ts';
import type { World } from '../world/world.ts';
import { behaviourOf, everyBehaviour } from './behaviours.ts';

const address = '203.0.113.66';
const firstPort = 20_000;
/** Nobody listens there: connections are refused. */
const closedPort = 19_999;
/** Packets to it are dropped: a host that is switched off. */
const deadPort = 19_998;

export class Hostile {
  /** Resolves when all of them listen; they end with the world. */
  static async start(world: World): Promise<Hostile> {
    await world.shell(
      `nft -f - <<'END'
table ip hostile {
  chain in {
    type filter hook input priority 0; policy accept;
    tcp dport ${deadPort} drop
  }
}
END`,
      'internet',
    );
    const script = bundle('test/hostile/main.ts');
    const running = world.spawn([process.execPath, script, address, String(firstPort)], { at: 'internet' });
    await running.says(/hostile proxies listen/);
    return new Hostile();
  }

  /** For `--proxy`; with a sign-in when the behaviour is to be met with one. */
  url(name: string): string {
    const { scheme, signIn = false } = behaviourOf(name);
    const port = firstPort + everyBehaviour.findIndex((behaviour) => behaviour.name === name);
    return `${scheme === 'socks4' ? 'socks4a' : scheme}://${signIn ? 'user:password@' : ''}${address}:${port}`;
  }

  /** A proxy whose port is closed: `proxy-unreachable`. */
  readonly closedUrl = `socks5://${address}:${closedPort}`;
  /** A proxy that does not even refuse: `proxy-timeout`. */
  readonly deadUrl = `socks5://${address}:${deadPort}`;

  /** What a capture may see: connections to any of them. */
  get exceptions(): Exception[] {
    const ports = [deadPort, closedPort, ...everyBehaviour.map((_, index) => firstPort + index)];
    return ports.map((port) => ({ address, port }));
  }
}
