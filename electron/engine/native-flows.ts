/**
 * The TCP relay of libculvert (native/culvert.h, pump.c): flows by number. A part of `Native`, which is the door.
 */
import type { NativeCalls } from './native-calls.ts';
import { flowEventBytes, readFlowEvent, type FlowEvent } from './native-events.ts';
import { check } from './native-result.ts';

const eventsAtOnce = 256;
/** Of a flow in `counters`. */
export const countersEach = 3;

/** What the pump needs to dial through a SOCKS5 proxy by itself. */
export interface NativeDial {
  /** A `cv_addr`. */
  readonly proxy: Buffer;
  /** The message of RFC 1929 §2, or empty. */
  readonly signIn: Buffer;
  /** The request of RFC 1928 §4, from VER on. */
  readonly request: Buffer;
  /** The interface by which the proxy is reached or not at all; one that is missing ends the dial with ENODEV. */
  readonly device?: string;
}

export class NativeFlows {
  readonly #calls: NativeCalls;
  readonly #startWatch: () => void;
  readonly #events = Buffer.alloc(flowEventBytes * eventsAtOnce);
  #onEvent: ((event: FlowEvent) => void) | undefined;

  constructor(calls: NativeCalls, startWatch: () => void) {
    this.#calls = calls;
    this.#startWatch = startWatch;
  }

  /** Starts the pump. `onEvent` hears of every accepted flow, and of the end of every one that went on. */
  start(threads: number, flows: number, onEvent: (event: FlowEvent) => void): void {
    this.#startWatch();
    check(this.#calls.pumpStart(threads, flows), 'internal', 'pump');
    this.#onEvent = onEvent;
  }

  /** Hands over what there is to tell; called by the doorbell, or by whoever cannot wait for it. */
  collect(): void {
    const onEvent = this.#onEvent;
    if (onEvent === undefined) return;
    for (let count = eventsAtOnce; count === eventsAtOnce;) {
      count = this.#calls.pumpReap(this.#events, eventsAtOnce);
      // Read before anything is told: a listener may collect as well.
      const events = Array.from({ length: count }, (_, index) =>
        readFlowEvent(this.#events, index * flowEventBytes),
      );
      // Somebody waits for the accepted ones. Numbers are not given out again before all this has been read.
      for (const event of events) if (event.kind === 'accepted') onEvent(event);
      for (const event of events) if (event.kind !== 'accepted') onEvent(event);
    }
  }

  /** Accepts on a listening socket, which it owns from now on. Answers the listener's number. */
  listen(fd: number, isRedirected: boolean): number {
    return check(this.#calls.pumpListen(fd, isRedirected ? 1 : 0), 'internal', 'listen');
  }

  unlisten(listener: number): void {
    this.#calls.pumpUnlisten(listener);
  }

  /**
   * Accepts whatever waits at the listener and tells of it, all before it returns. False when some still wait,
   * since descriptors or memory have run out.
   */
  settle(listener: number): boolean {
    const isSettled = this.#calls.pumpSettle(listener) >= 0;
    this.collect();
    return isSettled;
  }

  /** Asks about whatever the listener accepts from now on, although `dial` said how its like are to be dialled. */
  forgetRoutes(listener: number): void {
    check(this.#calls.pumpForget(listener), 'internal', 'forget');
  }

  /**
   * Up to `room` of the first bytes that the app has sent, without taking them, from a flow that is accepted or being
   * dialled. Empty when nothing has come yet, at the app's end of file, and when the flow is open or over.
   */
  peek(flow: number, room: number): Buffer {
    const out = Buffer.allocUnsafe(room);
    return out.subarray(0, Math.max(this.#calls.pumpPeek(flow, out, room), 0));
  }

  /** The socket of an accepted flow, which is forgotten. */
  take(flow: number): number {
    return check(this.#calls.pumpTake(flow), 'internal', 'take');
  }

  /**
   * Connects an accepted flow through a SOCKS5 proxy; how that goes is told. For `againMs` milliseconds others to the
   * same destination are dialled in the same way; with 0 every one of them is asked about.
   */
  dial(flow: number, dial: NativeDial, timeoutMs: number, againMs: number): void {
    const { pumpDial } = this.#calls;
    const { proxy, device = null, signIn, request } = dial;
    check(
      pumpDial(flow, proxy, device, signIn, signIn.length, request, request.length, timeoutMs, againMs),
      'internal',
      'dial',
    );
  }

  /**
   * Relays between an accepted flow and a connected socket; the caller closes its own descriptor. Of an end of
   * `Native.socketPair` the other one has to say its end (`Socket.end`) and to hear the app's before it is closed:
   * closing it earlier (`Socket.destroy`) resets the app.
   */
  join(flow: number, proxy: number, early: Buffer): void {
    check(this.#calls.pumpJoin(flow, proxy, early, early.length), 'engine-limit', 'pump');
  }

  /** Resets a flow. One that was only accepted is forgotten at once, any other's end is told. */
  abort(flow: number): void {
    this.#calls.pumpAbort(flow);
  }

  /** Lets a flow whose app is gone deliver what the app sent, and end. */
  release(flow: number): void {
    this.#calls.pumpRelease(flow);
  }

  /** Of flows 0 … count-1 `countersEach` figures: bytes up, bytes down, milliseconds to the first byte plus one, or 0. */
  counters(count: number): BigUint64Array {
    const out = new BigUint64Array(count * countersEach);
    check(this.#calls.pumpCounters(0, count, out), 'internal', 'counters');
    return out;
  }
}
