/**
 * The ports of this computer's own loopback that a profile opens to its app: what the app connects to at its own
 * loopback goes to the same port here. Must not: open a port that was not asked for, or lead anywhere else (S10).
 */
import type { NativeFlows } from '../native-flows.ts';
import type { Way } from '../ways/way.ts';
import { TcpRelay, type TcpRelayOptions } from './tcp.ts';
import type { TcpFlows } from './tcp-flows.ts';

export interface HostPortsOptions extends Omit<TcpRelayOptions, 'judge' | 'onDns' | 'interception'> {
  readonly loopback: Way;
}

export class HostPorts {
  readonly #native: NativeFlows;
  readonly #flows: TcpFlows;
  readonly #options: TcpRelayOptions;
  readonly #open = new Map<number, TcpRelay[]>();

  constructor(native: NativeFlows, flows: TcpFlows, { loopback, ...options }: HostPortsOptions) {
    this.#native = native;
    this.#flows = flows;
    const decision = { kind: 'way', way: loopback, lasts: false } as const;
    const judge = {
      wantsServerName: false,
      decide: () => decision,
      rewrite: <T>(destination: T) => destination,
    };
    this.#options = { ...options, interception: 'tproxy', judge: () => judge };
  }

  /** Opens these ports and shuts the others. `listen` makes the sockets for one; `failed` is told where it cannot. */
  async follow(
    wanted: ReadonlySet<number>,
    listen: (port: number) => Promise<readonly number[]>,
    failed: (error: unknown) => void,
  ): Promise<void> {
    for (const port of this.#open.keys()) if (!wanted.has(port)) this.#shut(port);
    for (const port of wanted) {
      if (this.#open.has(port)) continue;
      try {
        this.#carry(port, await listen(port));
      } catch (error) {
        failed(error);
      }
    }
  }

  close(): void {
    for (const port of this.#open.keys()) this.#shut(port);
  }

  /** Carries what is accepted on these listening sockets of the app's loopback; owns them. */
  #carry(port: number, listeners: readonly number[]): void {
    const relays = listeners.map((fd) => new TcpRelay(this.#native, this.#flows, fd, this.#options));
    this.#open.set(port, relays);
  }

  /** Closes a port again; connections that are open stay. */
  #shut(port: number): void {
    for (const relay of this.#open.get(port) ?? []) relay.unlisten();
    this.#open.delete(port);
  }
}
