/**
 * Connections and datagrams as an app on the lane would make them, from plain sockets of its namespace. Owns their
 * descriptors. Must not: open a socket of any other namespace in their place.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { randomInt } from 'node:crypto';
import { isIPv6, Socket, type SocketConstructorOpts } from 'node:net';
import type { PlainSocket } from '#shared/helper-protocol.ts';

export type Family = 4 | 6;

export interface Target {
  /** IPv4 or IPv6. */
  readonly address: string;
  readonly port: number;
}

export interface Inside {
  readonly hasIpv6: boolean;
  /**
   * A connection, paused, from the given port of the app's: one that is refused at once has no port any more that
   * could be asked for. Rejects with the system's error, or the reason of the signal.
   */
  connect(to: Target, sourcePort: number, signal: AbortSignal): Promise<Socket>;
  /** A UDP socket that is connected, so that refusals are heard of. */
  datagrams(to: Target): Promise<UdpSocket>;
}

export class InsideSockets implements Inside, Disposable {
  readonly #left: { readonly kind: PlainSocket; readonly fd: number }[];
  readonly #close: (fd: number) => void;

  constructor(sockets: LaneSockets, close: (fd: number) => void) {
    this.#left = [...sockets];
    this.#close = close;
  }

  get hasIpv6(): boolean {
    return this.#left.some(({ kind }) => kind === 'tcp6');
  }

  async connect({ address, port }: Target, sourcePort: number, signal: AbortSignal): Promise<Socket> {
    signal.throwIfAborted();
    // Reading begins once it is connected: the typings know `manualStart` only at `net.connect`.
    const options: SocketConstructorOpts & { manualStart: true } = {
      fd: this.#take(`tcp${familyOf(address)}`),
      readable: true,
      writable: true,
      manualStart: true,
    };
    const socket = new Socket(options);
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject).once('connect', resolve);
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        socket.connect({
          host: address,
          port,
          localPort: sourcePort,
          noDelay: true,
          autoSelectFamily: false,
        });
      });
    } catch (error) {
      socket.on('error', ignore).destroy();
      throw error;
    }
    socket.pause();
    return socket;
  }

  async datagrams({ address, port }: Target): Promise<UdpSocket> {
    const family = familyOf(address);
    const socket = createSocket(`udp${family}`);
    const fd = this.#take(`udp${family}`);
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ fd }, () => socket.connect(port, address, () => resolve()));
    });
    socket.removeAllListeners('error');
    return socket;
  }

  #take(kind: PlainSocket): number {
    const at = this.#left.findIndex((socket) => socket.kind === kind);
    const [found] = at === -1 ? [] : this.#left.splice(at, 1);
    if (found === undefined) throw new Error(`there is no ${kind} socket left`);
    return found.fd;
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#left.splice(0)) this.#close(fd);
  }
}

/** The family of an address. */
export function familyOf(address: string): Family {
  return isIPv6(address) ? 6 : 4;
}

/** A port that the system never gives to anybody by itself (ip_local_port_range in ip(7) begins above). */
export function freshPort(): number {
  return randomInt(20_000, 32_000);
}

type LaneSockets = readonly { readonly kind: PlainSocket; readonly fd: number }[];

function ignore(): void {}
