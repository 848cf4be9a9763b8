/**
 * The DNS of one lane: every datagram and stream message to port 53 comes here.
 *
 * Does: reads the query, answers what is answered in every mode, then asks the pool (`fake`) or a resolver
 * (`remote`, `host`); counts; bounds how many queries are under way.
 * Must not: open sockets (the resolvers do), or throw: a failure is a SERVFAIL.
 */
import { failureOf } from '#shared/failure.ts';
import type { Failure } from '#shared/failure.ts';
import { answerFake, answerLocally, noRecord, serverFailure } from './answer.ts';
import type { FakePool } from './fake-pool.ts';
import { fitDatagram, readQuery } from './message.ts';
import type { Query } from './message.ts';
import { recordType } from './wire.ts';

/** Whoever can answer a query by asking others; the answer has the query's own id and question. */
export interface Resolver {
  /** Rejects when there is no answer in time. */
  resolve(query: Query): Promise<Buffer>;
  close(): void;
}

export type DnsWay =
  /** `fallback`, if any, is asked for what is neither an address nor special: MX, TXT, SRV and the like. */
  | { readonly mode: 'fake'; readonly pool: FakePool; readonly fallback?: Resolver }
  | { readonly mode: 'remote' | 'host'; readonly resolver: Resolver };

export interface DnsOptions {
  /** Whether the lane's route can carry IPv6; if not, AAAA is answered empty in every mode. */
  readonly hasIpv6: boolean;
  /** Queries under way at once; more are answered SERVFAIL. */
  readonly maxOutstanding?: number;
  /** Told why a query ended with SERVFAIL, for what the lane shows of itself. */
  readonly onFailure?: (failure: Failure) => void;
}

export interface DnsCounters {
  queries: number;
  /** Not even a header, or an answer sent to us. */
  dropped: number;
  /** FORMERR, NOTIMP, REFUSED, BADVERS. */
  rejected: number;
  /** SERVFAIL because a resolver did not answer. */
  failed: number;
  /** SERVFAIL because too many were under way. */
  overloaded: number;
}

export class DnsService {
  readonly counters: DnsCounters = { queries: 0, dropped: 0, rejected: 0, failed: 0, overloaded: 0 };
  readonly #way: DnsWay;
  readonly #hasIpv6: boolean;
  readonly #maxOutstanding: number;
  readonly #onFailure: ((failure: Failure) => void) | undefined;
  #outstanding = 0;

  constructor(way: DnsWay, options: DnsOptions) {
    this.#way = way;
    this.#hasIpv6 = options.hasIpv6;
    this.#maxOutstanding = options.maxOutstanding ?? 512;
    this.#onFailure = options.onFailure;
  }

  /**
   * One message of a client's, without a stream's length: the answer to send back, or undefined for none.
   * Never rejects. The buffer is the caller's again when this returns, not only when it resolves.
   */
  handle(message: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    const now = this.handleNow(message, transport);
    return now instanceof Promise ? now : Promise.resolve(now);
  }

  /** The same, but without a promise where the answer is known at once, as in fake mode. */
  handleNow(message: Buffer, transport: 'udp' | 'tcp'): Buffer | undefined | Promise<Buffer> {
    this.counters.queries += 1;
    const reading = readQuery(message);
    if (reading.kind === 'drop') {
      this.counters.dropped += 1;
      return undefined;
    }
    if (reading.kind === 'error') {
      this.counters.rejected += 1;
      return reading.answer;
    }
    const { query } = reading;
    const known = this.#answerNow(query);
    if (known === undefined) return this.#ask(query, transport);
    return transport === 'udp' ? fitDatagram(query, known) : known;
  }

  /** Lets go of the resolvers' sockets; queries under way end with SERVFAIL. */
  close(): void {
    this.#resolver()?.close();
  }

  #resolver(): Resolver | undefined {
    return this.#way.mode === 'fake' ? this.#way.fallback : this.#way.resolver;
  }

  #answerNow(query: Query): Buffer | undefined {
    if (this.#way.mode === 'fake') {
      const answer = answerFake(query, this.#way.pool, { hasIpv6: this.#hasIpv6 });
      return answer ?? (this.#way.fallback === undefined ? noRecord(query) : undefined);
    }
    const answer = answerLocally(query);
    if (answer !== undefined) return answer;
    return query.type === recordType.AAAA && !this.#hasIpv6 ? noRecord(query) : undefined;
  }

  #ask(query: Query, transport: 'udp' | 'tcp'): Buffer | Promise<Buffer> {
    const resolver = this.#resolver();
    if (resolver === undefined || this.#outstanding >= this.#maxOutstanding) {
      this.counters.overloaded += 1;
      return serverFailure(query);
    }
    return this.#resolved(resolver, { ...query, question: Buffer.from(query.question) }, transport);
  }

  async #resolved(resolver: Resolver, query: Query, transport: 'udp' | 'tcp'): Promise<Buffer> {
    this.#outstanding += 1;
    try {
      const answer = await resolver.resolve(query);
      return transport === 'udp' ? fitDatagram(query, answer) : answer;
    } catch (error) {
      this.counters.failed += 1;
      this.#onFailure?.(failureOf(error));
      return serverFailure(query);
    } finally {
      this.#outstanding -= 1;
    }
  }
}
