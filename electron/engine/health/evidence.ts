/** What the engine has seen of the probes of a check: the control that tells a working lane from a leaky one. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Failure } from '#shared/failure.ts';
import type { FlowView } from '#shared/model.ts';
import type { Family } from './inside.ts';

export interface EvidenceSources {
  /** Flows of the lane, open ones and the newest closed ones. */
  readonly flows: () => readonly FlowView[];
  /** Tells queries, lent for the call, and refusals of the lane, until the answer is called. */
  readonly witness: (onQuery: (query: Buffer) => void, onRefused: (failure: Failure) => void) => () => void;
}

/** Why a flow failed, if it did. */
export function failureIn(flow: FlowView | undefined): Failure | undefined {
  const failure = flow?.failure;
  if (failure === undefined) return undefined;
  const { code, detail, phrase } = failure;
  return {
    code,
    ...(detail === undefined ? {} : { detail }),
    ...(phrase === undefined ? {} : { phrase }),
  };
}

/** Milliseconds between two looks at the table. */
const lookMs = 20;

export class Evidence implements Disposable {
  /** Probes that the engine has seen. */
  carried = 0;
  /** Probes that were answered and that it has not seen. */
  leaked = 0;
  readonly #sources: EvidenceSources;
  readonly #asked = new Set<string>();
  readonly #seen = new Set<string>();
  readonly #refusals: Failure[] = [];
  readonly #end: () => void;
  readonly #since = Date.now();

  constructor(sources: EvidenceSources) {
    this.#sources = sources;
    this.#end = sources.witness(
      (query) => {
        const text = query.toString('latin1');
        if (this.#asked.has(text)) this.#seen.add(text);
      },
      (failure) => this.#refusals.push(failure),
    );
  }

  /** A question that is about to be sent from inside. */
  asks(question: Buffer): void {
    this.#asked.add(question.toString('latin1'));
  }

  /** Whether the lane's DNS got exactly this question. */
  hasSeen(question: Buffer): boolean {
    return this.#seen.has(question.toString('latin1'));
  }

  /** Why UDP was last refused to anybody on the lane since the check began. */
  get udpRefusal(): Failure | undefined {
    return this.#refusals.findLast(({ code }) =>
      ['udp-not-offered', 'destination-blocked', 'blocked-by-rule', 'blocked-by-profile'].includes(code),
    );
  }

  /** The flow of a socket inside, by its protocol, family and port; none from before the check. */
  flowOf(proto: FlowView['proto'], family: Family, port: number): FlowView | undefined {
    return this.#sources
      .flows()
      .find(
        (flow) =>
          flow.proto === proto &&
          flow.sourcePort === port &&
          flow.address.includes(':') === (family === 6) &&
          flow.openedAt >= this.#since,
      );
  }

  /** The same, as soon as it is there, and decided if `isSettled` is wanted; else what there is when the time is over. */
  async flowWithin(
    ms: number,
    proto: FlowView['proto'],
    family: Family,
    port: number,
    isSettled: boolean,
  ): Promise<FlowView | undefined> {
    const until = performance.now() + ms;
    for (;;) {
      const flow = this.flowOf(proto, family, port);
      const isEnough = flow !== undefined && (!isSettled || flow.state !== 'dialling');
      if (isEnough || performance.now() >= until) return flow;
      await delay(lookMs);
    }
  }

  [Symbol.dispose](): void {
    this.#end();
  }
}
