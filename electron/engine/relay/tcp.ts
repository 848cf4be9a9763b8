/**
 * The TCP side of a lane's relay: from accept to the native pump (DESIGN.md §4).
 *
 * Does: find out what the app wants to reach and have it dialled, by the pump where the way is a SOCKS5 proxy,
 * else here. Must not: read a byte of the app's, or answer a failure with anything but a reset.
 */
import { setMaxListeners } from 'node:events';
import { Socket, type SocketConstructorOpts } from 'node:net';
import { CulvertError, failureOf, type Failure } from '#shared/failure.ts';
import type { Flow } from '../flows.ts';
import type { AcceptedFlow, EndedFlow, FlowEvent } from '../native-events.ts';
import type { NativeFlows } from '../native-flows.ts';
import type { Destination } from '../upstream/destination.ts';
import { descriptorOf } from './descriptor.ts';
import type { TcpFlows } from './tcp-flows.ts';
import { dialMs, type Way } from './way.ts';

/**
 * Milliseconds for which the pump may use a decision for other connections to the same destination. Short, so that
 * nothing that decisions are made of goes out of date meanwhile: fake addresses keep their names for minutes.
 */
const againMs = 1000;

export interface TcpRelayOptions {
  readonly lane: string;
  readonly interception: 'tproxy' | 'redirect';
  readonly way: Way;
  /** Milliseconds for a dial; 15,000 when not given (S48). */
  readonly dialMs?: number;
  /** Takes over a stream to port 53. */
  readonly onDns: (stream: Socket) => void;
  /** A flow could not be opened. */
  readonly onRefused: (failure: Failure) => void;
}

export class TcpRelay {
  readonly #native: NativeFlows;
  readonly #flows: TcpFlows;
  readonly #options: TcpRelayOptions;
  readonly #dialling = new AbortController();
  readonly #unlisten: () => void;
  readonly #dialMs: number;

  /** Accepts on the lane's listening socket, which it owns from now on. */
  constructor(native: NativeFlows, flows: TcpFlows, listener: number, options: TcpRelayOptions) {
    this.#native = native;
    this.#flows = flows;
    this.#options = options;
    this.#dialMs = options.dialMs ?? dialMs;
    // Each dial that is made here listens to it, and there may be thousands.
    setMaxListeners(0, this.#dialling.signal);
    this.#unlisten = flows.listen(listener, options.interception === 'redirect', (accepted, news) => {
      this.#accepted(accepted, news);
    });
  }

  /** Takes no further connection, gives up the dials under way and resets what is open. */
  close(): void {
    this.#unlisten();
    this.#dialling.abort(closing());
    this.#flows.abort(this.#options.lane);
  }

  #accepted(accepted: AcceptedFlow, news: FlowEvent['kind']): void {
    if (accepted.port === 53) {
      this.#dns(accepted);
      return;
    }
    const { way } = this.#options;
    const { address, port } = accepted;
    let destination: Destination;
    try {
      destination = way.acquire(address, port);
    } catch (error) {
      this.#refuse(accepted, this.#begin(accepted), error, news);
      return;
    }
    const flow = this.#begin(accepted, destination.kind === 'name' ? destination.host : undefined);
    try {
      this.#flows.expectRoom();
      if (news !== 'accepted' || this.#dialNatively(accepted, destination)) {
        this.#pumped(accepted, flow);
        return;
      }
    } catch (error) {
      way.release(address);
      this.#refuse(accepted, flow, error, news);
      return;
    }
    void this.#dial(accepted, flow, destination);
  }

  #begin({ address, port, sourcePort }: AcceptedFlow, host?: string): Flow {
    const { lane, way } = this.#options;
    return this.#flows.table.begin({ lane, proto: 'tcp', sourcePort, host, address, port, via: way.via });
  }

  /** Leaves the dial to the pump. False where that cannot go this way. */
  #dialNatively(accepted: AcceptedFlow, destination: Destination): boolean {
    const dial = this.#options.way.socks5?.dial(destination);
    if (dial === undefined) return false;
    this.#native.dial(accepted.flow, dial, this.#dialMs, againMs);
    return true;
  }

  #pumped(accepted: AcceptedFlow, flow: Flow): void {
    const { way, onRefused } = this.#options;
    this.#flows.pumped(accepted.flow, flow, (ended) => {
      const otherwise = this.#onEnd(accepted, flow, ended);
      const failure = way.socks5?.failure(ended, this.#dialMs)?.failure;
      if (failure !== undefined) onRefused(failure);
      return failure ?? otherwise;
    });
  }

  async #dial(accepted: AcceptedFlow, flow: Flow, destination: Destination): Promise<void> {
    const { way } = this.#options;
    try {
      const { socket, early } = await way.dial(destination, {
        deadlineMs: this.#dialMs,
        signal: this.#dialling.signal,
      });
      try {
        this.#native.join(accepted.flow, descriptorOf(socket), early);
      } finally {
        // The pump has a duplicate; without it there is nothing to keep either.
        socket.destroy();
      }
    } catch (error) {
      way.release(accepted.address);
      this.#refuse(accepted, flow, error, 'accepted');
      return;
    }
    this.#flows.table.opened(flow);
    this.#pumped(accepted, flow);
  }

  /** Only an end that the proxy's side caused is worth a word; the app may reset as it likes. */
  #onEnd({ address }: AcceptedFlow, flow: Flow, { end }: EndedFlow): Failure | undefined {
    this.#options.way.release(address);
    if (end === 'proxy-reset') return { code: 'proxy-closed', detail: 'connection reset' };
    return end === 'aborted' && flow.state === 'dialling' ? closing().failure : undefined;
  }

  #refuse({ flow: number }: AcceptedFlow, flow: Flow, error: unknown, news: FlowEvent['kind']): void {
    const failure = failureOf(error);
    // After its end the number may be another flow's.
    if (news !== 'ended') this.#native.abort(number);
    this.#flows.table.end(flow, failure);
    this.#flows.settled(this.#options.lane);
    this.#options.onRefused(failure);
  }

  #dns({ flow }: AcceptedFlow): void {
    // The typings know `pauseOnCreate` only at the server, which hands it to this constructor.
    const options: SocketConstructorOpts & { pauseOnCreate: boolean } = {
      fd: this.#native.take(flow),
      readable: true,
      writable: true,
      allowHalfOpen: true,
      pauseOnCreate: true,
    };
    const app = new Socket(options);
    app.on('error', () => {
      // The app reset its stream; `close` follows.
    });
    this.#options.onDns(app);
  }
}

function closing(): CulvertError {
  return new CulvertError('lane-unknown', { detail: 'the lane is closing' });
}
