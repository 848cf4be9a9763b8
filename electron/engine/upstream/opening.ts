/**
 * A TCP connection from the host namespace, up to the moment when it is there.
 *
 * Does: look the name up, try its addresses, bind sockets to the interface that was asked for. Must not: connect
 * from any other socket when sockets are made for it.
 * The socket reads into a buffer of ours (`onread`) because only then does Node stop at once: an ordinary
 * stream would go on filling its own buffer, and the native pump would miss those bytes.
 */
import { isIPv6, Socket } from 'node:net';
import type { OnReadOpts, SocketConstructorOpts, TcpSocketConnectOpts } from 'node:net';
import type { Destination } from './destination.ts';
import { ProxyNames } from './names.ts';

/** What an opening tells; nothing after `cancel`. */
export interface OpeningEvents {
  onOpen(socket: Socket): void;
  /** The system's error, or whatever the maker of sockets threw. */
  onFail(error: unknown): void;
  /** Bytes, lent for the call; answers whether to read on. */
  onRead(socket: Socket, chunk: Buffer): boolean;
}

/** Milliseconds for each address of a name but the last, as Node gives them to sockets that are not bound. */
const attemptMs = 250;

/** Read by all sockets in turn: libuv reads and calls back at once, and nobody keeps a part of it. */
const scratch = Buffer.allocUnsafeSlow(16 * 1024);
const proxyNames = new ProxyNames();

export class Opening {
  readonly #peer: Destination;
  readonly #socketFor: ((family: 4 | 6) => number) | undefined;
  /** Gone once the socket belongs to somebody else, who keeps it for long. */
  #events: OpeningEvents | undefined;
  #socket: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(peer: Destination, socketFor: ((family: 4 | 6) => number) | undefined, events: OpeningEvents) {
    this.#peer = peer;
    this.#socketFor = socketFor;
    this.#events = events;
  }

  begin(): void {
    const { host, kind } = this.#peer;
    if (this.#socketFor === undefined) this.#connect(undefined, this.#ownOptions(), []);
    else if (kind !== 'name') this.#next([host]);
    else {
      proxyNames.lookup(host, {}, (error, addresses) => {
        if (error === null) this.#next(addresses.map(({ address }) => address));
        else this.#fail(error);
      });
    }
  }

  /** Tells nothing any more: what is read from now on is the stream's own. Keeps nothing of who was told. */
  leave(): void {
    this.#events = undefined;
  }

  /** Gives up; a connection that is handed over already is not touched. */
  cancel(): void {
    if (this.#isOver) return;
    this.#end();
    this.#drop();
  }

  /** Lets Node choose among the addresses of a name. */
  #ownOptions(): TcpSocketConnectOpts {
    const { host, port, kind } = this.#peer;
    if (kind !== 'name') return { host, port, noDelay: true, autoSelectFamily: false };
    // The typings know `lookup` only in its form for a single address.
    const lookup = proxyNames.lookup as unknown as NonNullable<TcpSocketConnectOpts['lookup']>;
    return { host, port, noDelay: true, autoSelectFamily: true, lookup };
  }

  /** Tries the first address from a bound socket, the others after it. */
  #next(addresses: readonly string[]): void {
    const [host, ...others] = addresses;
    if (this.#isOver || host === undefined || this.#socketFor === undefined) return;
    try {
      const descriptor = this.#socketFor(isIPv6(host) ? 6 : 4);
      const { port } = this.#peer;
      this.#connect(descriptor, { host, port, noDelay: true, autoSelectFamily: false }, others);
      if (others.length > 0) this.#timer = setTimeout(() => this.#retry(others), attemptMs);
    } catch (error) {
      this.#fail(error);
    }
  }

  #retry(others: readonly string[]): void {
    clearTimeout(this.#timer);
    this.#drop();
    this.#next(others);
  }

  #connect(fd: number | undefined, to: TcpSocketConnectOpts, others: readonly string[]): void {
    // The typings know `onread` and `manualStart` only at `net.connect`, which hands them to this constructor.
    const options: SocketConstructorOpts & { onread: OnReadOpts; manualStart: true } = {
      ...(fd === undefined ? {} : { fd, readable: true, writable: true }),
      allowHalfOpen: true,
      manualStart: true,
      onread: {
        buffer: scratch,
        callback: (count) => {
          const chunk = scratch.subarray(0, count);
          return this.#events?.onRead(socket, chunk) ?? socket.push(Buffer.from(chunk));
        },
      },
    };
    const socket = new Socket(options);
    this.#socket = socket;
    const onError = (error: Error): void => {
      if (others.length > 0) this.#retry(others);
      else this.#fail(error);
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      socket.off('error', onError);
      this.#end();
      this.#events?.onOpen(socket);
    });
    socket.connect(to);
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#end();
    if (this.#peer.kind === 'name') proxyNames.forget(this.#peer.host);
    this.#drop();
    this.#events?.onFail(error);
  }

  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  /** While connecting, Node would wait with a reset for the end of that. */
  #drop(): void {
    this.#socket?.removeAllListeners('connect').removeAllListeners('error');
    // Errors of a socket that is being given up tell nothing more.
    this.#socket?.on('error', ignore);
    this.#socket?.destroy();
    this.#socket = undefined;
  }
}

function ignore(): void {}
