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

  get ports(): number[] {
    return [...this.#open.keys()];
  }

  /** Carries what is accepted on these listening sockets of the app's loopback; owns them. */
  open(port: number, listeners: readonly number[]): void {
    const relays = listeners.map((fd) => new TcpRelay(this.#native, this.#flows, fd, this.#options));
    this.#open.set(port, relays);
  }

  /** Closes ports again; connections that are open stay. */
  shut(port: number): void {
    for (const relay of this.#open.get(port) ?? []) relay.unlisten();
    this.#open.delete(port);
  }

  close(): void {
    for (const port of this.ports) this.shut(port);
  }
}
