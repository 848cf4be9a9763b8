/**
 * The TCP side of a lane's relay: from accept to the native pump (DESIGN.md §4).
 *
 * Does: find out what the app wants to reach, have it decided and dialled, by the pump where the way is one SOCKS5
 * proxy, else here. Must not: take a byte of the app's, or answer a failure with anything but a reset.
 */
import { Socket, type SocketConstructorOpts } from 'node:net';
import { CulvertError, failureOf, failureSaying, type Failure } from '#shared/failure.ts';
import { phrase } from '#shared/phrase.ts';
import type { PolicyFacts } from '../lane-policy.ts';
import type { Flow } from '../flows.ts';
import type { AcceptedFlow, EndedFlow, FlowEvent } from '../native-events.ts';
import type { NativeFlows } from '../native-flows.ts';
import type { ChainDialled } from '../upstream/chain.ts';
import type { Destination } from '../upstream/destination.ts';
import { dialMs, type Way } from '../ways/way.ts';
import { joinTo } from './join.ts';
import { factsOf, judged, mayBeTls, serverNameWithin, wayOf } from './judge.ts';
import type { Judge, ProcessOf, Verdict } from './judge.ts';
import type { Meanings } from './meanings.ts';
import type { TcpFlows } from './tcp-flows.ts';

/**
 * Milliseconds for which the pump may use a decision for other connections to the same destination. Short, so that
 * nothing that decisions are made of goes out of date meanwhile: fake addresses keep their names for minutes.
 */
const againMs = 1000;
/** What is looked at of a flow's first bytes: a ClientHello with key shares of every kind. */
const peekBytes = 8192;
/** Milliseconds after which the first bytes of a TLS flow are looked at for people to see; few dials are quicker. */
const showNameMs = 3;

export interface TcpRelayOptions {
  readonly lane: string;
  readonly interception: 'tproxy' | 'redirect';
  readonly meanings: Meanings;
  readonly judge: () => Judge;
  readonly processOf: ProcessOf;
  /** Two connected stream sockets; the caller owns both. */
  readonly socketPair: () => [number, number];
  /** Milliseconds for a dial; 15,000 when not given (S48). */
  readonly dialMs?: number;
  /** Takes over a stream to port 53; without it that port is like all others. */
  readonly onDns?: (stream: Socket) => void;
  /** A flow could not be opened. */
  readonly onRefused: (failure: Failure) => void;
}

/** A connection that is being decided about: what the pump told, and what the app means. */
interface Asking {
  readonly accepted: AcceptedFlow;
  readonly news: FlowEvent['kind'];
  readonly meant: Destination;
  readonly facts: PolicyFacts;
}

export class TcpRelay {
  readonly #native: NativeFlows;
  readonly #flows: TcpFlows;
  readonly #options: TcpRelayOptions;
  readonly #listener: number;
  readonly #dialMs: number;

  /** Accepts on the lane's listening socket, which it owns from now on. */
  constructor(native: NativeFlows, flows: TcpFlows, listener: number, options: TcpRelayOptions) {
    this.#native = native;
    this.#flows = flows;
    this.#options = options;
    this.#dialMs = options.dialMs ?? dialMs;
    this.#listener = flows.listen(listener, options.interception === 'redirect', (accepted, news) => {
      this.#accepted(accepted, news);
    });
  }

  /** Nothing that was decided before is used for a new connection. */
  forget(): void {
    this.#native.forgetRoutes(this.#listener);
  }

  /** Takes no further connection; those that there are go on. */
  unlisten(): void {
    this.#flows.unlisten(this.#listener);
  }

  /** Takes no further connection and resets all that there are. */
  close(): void {
    this.unlisten();
    this.#flows.abort(this.#options.lane);
  }

  #accepted(accepted: AcceptedFlow, news: FlowEvent['kind']): void {
    const { meanings, judge, onDns } = this.#options;
    if (accepted.port === 53 && onDns !== undefined) {
      onDns(this.#take(accepted));
      return;
    }
    let meant: Destination;
    try {
      meant = judge().rewrite(meanings.acquire(accepted.address, accepted.port));
    } catch (error) {
      this.#refuse(accepted, this.#begin(accepted, undefined), error, news);
      return;
    }
    const asking = { accepted, news, meant, facts: factsOf('tcp', meant) };
    const decision = judge().decide(asking.facts);
    const wantsName = judge().wantsServerName && mayBeTls(meant);
    if (decision.kind === 'process-wanted' || wantsName) void this.#decideLater(asking, wantsName);
    else this.#carryOut(asking, this.#begin(accepted, meant, decision), decision);
  }

  /** With what has to be asked for. Meanwhile the app waits, as it would for a slow proxy. */
  async #decideLater(asking: Asking, wantsName: boolean): Promise<void> {
    const { accepted, meant, news } = asking;
    const { judge, processOf } = this.#options;
    const flow = this.#begin(accepted, meant);
    const signal = this.#whileOpening(asking, flow);
    try {
      let { facts } = asking;
      if (wantsName && news === 'accepted') {
        const host = await serverNameWithin(() => this.#native.peek(accepted.flow, peekBytes));
        if (host !== undefined) {
          flow.serverName = host;
          facts = { ...facts, host };
        }
      }
      const decision = await judged(judge, facts, () => processOf('tcp', accepted.sourcePort));
      if (signal.aborted) return;
      this.#decided(flow, decision);
      this.#carryOut(asking, flow, decision.kind === 'way' ? { ...decision, lasts: false } : decision);
    } catch (error) {
      if (!signal.aborted) this.#giveUp(asking, flow, error);
    }
  }

  /** Whoever closes the flow before it is open has the app reset at once; the signal tells those who work on it. */
  #whileOpening(asking: Asking, flow: Flow): AbortSignal {
    const controller = new AbortController();
    this.#flows.opening(flow, (isAsked) => {
      if (isAsked) this.#flows.table.close(flow);
      this.#giveUp(asking, flow, closing());
      controller.abort(closing());
    });
    return controller.signal;
  }

  #carryOut(asking: Asking, flow: Flow, decision: Verdict): void {
    const { accepted, news, meant } = asking;
    try {
      this.#flows.expectRoom();
      const way = wayOf(decision);
      const isLasting = decision.kind === 'way' && decision.lasts;
      if (news !== 'accepted') {
        // The pump has dialled it as the last of its kind; what must not be repeated so never was.
        this.#pumped(asking, flow, way);
      } else if (this.#dialNatively(accepted, meant, way, isLasting)) {
        this.#showServerName(asking, flow);
        this.#pumped(asking, flow, way);
      } else {
        this.#showServerName(asking, flow);
        void this.#dial(asking, flow, way);
      }
    } catch (error) {
      this.#giveUp(asking, flow, error);
    }
  }

  #begin(accepted: AcceptedFlow, meant: Destination | undefined, decision?: Verdict): Flow {
    const { address, port, sourcePort } = accepted;
    const flow = this.#flows.table.begin({
      lane: this.#options.lane,
      proto: 'tcp',
      sourcePort,
      host: meant?.kind === 'name' ? meant.host : undefined,
      address,
      port,
      via: decision === undefined ? '' : viaOf(decision),
      rule: decision?.rule,
    });
    return flow;
  }

  #decided(flow: Flow, decision: Verdict): void {
    flow.via = viaOf(decision);
    if (decision.rule !== undefined) this.#flows.table.decidedBy(flow, decision.rule);
  }

  /** Leaves the dial to the pump. False where that cannot go this way. */
  #dialNatively(accepted: AcceptedFlow, destination: Destination, way: Way, isLasting: boolean): boolean {
    const dial = way.socks5?.dial(destination);
    if (dial === undefined) return false;
    this.#native.dial(accepted.flow, dial, this.#dialMs, isLasting ? againMs : 0);
    return true;
  }

  #pumped(asking: Asking, flow: Flow, way: Way): void {
    this.#flows.pumped(asking.accepted.flow, flow, {
      onOpened: () => {
        way.settled(undefined);
      },
      onEnd: (ended) => {
        const otherwise = this.#onEnd(asking.accepted, flow, ended);
        const failure = way.socks5?.failure(ended, this.#dialMs)?.failure;
        if (failure === undefined) return otherwise;
        way.settled(failure);
        this.#options.onRefused(failure);
        return failure;
      },
    });
  }

  async #dial(asking: Asking, flow: Flow, way: Way): Promise<void> {
    const { accepted, meant } = asking;
    const signal = this.#whileOpening(asking, flow);
    let dialled: ChainDialled;
    try {
      dialled = await way.dial(meant, { deadlineMs: this.#dialMs, signal });
      if (signal.aborted) {
        dialled.socket.destroy();
        return;
      }
      flow.via = dialled.via;
      joinTo(this.#native, accepted.flow, dialled, {
        socketPair: this.#options.socketPair,
        // After its end the number may be another flow's.
        isOver: () => flow.closedAt !== undefined,
      });
    } catch (error) {
      if (!signal.aborted) this.#giveUp(asking, flow, error);
      return;
    }
    this.#flows.table.opened(flow);
    this.#flows.pumped(accepted.flow, flow, { onEnd: (ended) => this.#onEnd(accepted, flow, ended) });
  }

  /** The name in the first bytes, while the dial takes its time: for people only, and so without waiting. */
  #showServerName({ accepted, meant }: Asking, flow: Flow): void {
    if (!mayBeTls(meant) || flow.serverName !== undefined) return;
    setTimeout(() => {
      if (flow.state !== 'dialling') return;
      void serverNameWithin(() =>
        flow.state === 'dialling' ? this.#native.peek(accepted.flow, peekBytes) : Buffer.alloc(0),
      ).then((name) => {
        if (name !== undefined) flow.serverName = name;
      });
    }, showNameMs).unref();
  }

  /** Only an end that the proxy's side caused is worth a word; the app may reset as it likes. */
  #onEnd({ address }: AcceptedFlow, flow: Flow, { end }: EndedFlow): Failure | undefined {
    this.#options.meanings.release(address);
    if (end === 'proxy-reset') return failureSaying('proxy-closed', phrase('connection.reset'));
    return end === 'aborted' && flow.state === 'dialling' ? closing().failure : undefined;
  }

  #giveUp({ accepted, news }: Asking, flow: Flow, error: unknown): void {
    this.#options.meanings.release(accepted.address);
    this.#refuse(accepted, flow, error, news);
  }

  #refuse({ flow: number }: AcceptedFlow, flow: Flow, error: unknown, news: FlowEvent['kind']): void {
    const failure = failureOf(error);
    // After its end the number may be another flow's.
    if (news !== 'ended') this.#native.abort(number);
    this.#flows.table.end(flow, failure);
    this.#flows.settled(flow);
    this.#options.onRefused(failure);
  }

  /** An accepted flow as a stream of this process, paused. */
  #take({ flow }: AcceptedFlow): Socket {
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
    return app;
  }
}

function viaOf(decision: Verdict): string {
  return decision.kind === 'way' ? decision.way.via : 'blocked';
}

function closing(): CulvertError {
  return new CulvertError('lane-unknown', { detail: phrase('connection.lane-closing') });
}
