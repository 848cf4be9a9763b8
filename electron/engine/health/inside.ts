/**
 * Connections and datagrams as an app on the lane would make them, from plain sockets of its namespace. Owns their
 * descriptors. Must not: open a socket of any other namespace in their place.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { Socket, type SocketConstructorOpts } from 'node:net';
import type { PlainSocket } from '#shared/helper-protocol.ts';

export type Family = 4 | 6;

/** A connection from inside, paused, with the port by which the engine knows it. */
export interface Connected {
  readonly socket: Socket;
  readonly port: number;
}

export interface Inside {
  readonly hasIpv6: boolean;
  /** Rejects with the system's error, or the reason of the signal. */
  connect(family: Family, address: string, port: number, signal: AbortSignal): Promise<Connected>;
  /** A UDP socket that is connected, so that refusals are heard of. */
  datagrams(family: Family, address: string, port: number): Promise<UdpSocket>;
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

  async connect(family: Family, address: string, port: number, signal: AbortSignal): Promise<Connected> {
    signal.throwIfAborted();
    // Reading begins once it is connected: the typings know `manualStart` only at `net.connect`.
    const options: SocketConstructorOpts & { manualStart: true } = {
      fd: this.#take(`tcp${family}`),
      readable: true,
      writable: true,
      manualStart: true,
    };
    const socket = new Socket(options);
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject).once('connect', resolve);
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        socket.connect({ host: address, port, noDelay: true, autoSelectFamily: false });
      });
    } catch (error) {
      socket.on('error', ignore).destroy();
      throw error;
    }
    socket.pause();
    return { socket, port: socket.localPort ?? 0 };
  }

  async datagrams(family: Family, address: string, port: number): Promise<UdpSocket> {
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

type LaneSockets = readonly { readonly kind: PlainSocket; readonly fd: number }[];

function ignore(): void {}
