/**
 * What resolvers have in common, however they ask: cache, one question at a time for equal queries, and
 * what makes an answer an answer to a query (S51).
 */
import { AnswerCache } from './cache.ts';
import type { CacheOptions } from './cache.ts';
import { questionKey } from './message.ts';
import type { Query } from './message.ts';
import type { Resolver } from './service.ts';
import { flag, headerBytes, scan } from './wire.ts';
import type { Scan } from './wire.ts';

/** An answer whose bounds, id and question have been checked. */
export interface Checked {
  readonly message: Buffer;
  readonly found: Scan;
}

/** One way to ask a resolver. */
export interface Exchange {
  /** Asks, once or more; rejects with `dns-failed` when there is no answer in time. */
  ask(query: Query): Promise<Checked>;
  close(): void;
}

/**
 * Milliseconds for a query, connecting and repetitions included. Stub resolvers wait 5 s (resolv.conf(5)): a
 * SERVFAIL has to be there before, or they take the lane's resolver for dead and ask again.
 */
export const defaultDeadlineMs = 4000;

/**
 * The checked answer if the message is one to this question: same id, same letters in the same case, an
 * answer, opcode 0. Undefined for everything else.
 */
export function checkAnswer(message: Buffer, id: number, question: Buffer): Checked | undefined {
  const found = scan(message);
  if (found?.id !== id) return undefined;
  if ((found.flags & (flag.response | flag.opcode)) !== flag.response) return undefined;
  return message.subarray(headerBytes, found.questionEnd).equals(question) ? { message, found } : undefined;
}

export class CachingResolver implements Resolver {
  readonly #exchange: Exchange;
  readonly #cache: AnswerCache;
  readonly #underWay = new Map<string, Promise<Checked>>();

  constructor(exchange: Exchange, options: CacheOptions) {
    this.#exchange = exchange;
    this.#cache = new AnswerCache(options);
  }

  async resolve(query: Query): Promise<Buffer> {
    const key = questionKey(query);
    const cached = this.#cache.get(key);
    if (cached !== undefined) return addressed(cached, query);
    const { message } = await (this.#underWay.get(key) ?? this.#ask(key, query));
    return addressed(Buffer.from(message), query);
  }

  close(): void {
    this.#exchange.close();
  }

  #ask(key: string, query: Query): Promise<Checked> {
    const asked = this.#exchange
      .ask(query)
      .then((answer) => {
        this.#cache.put(key, answer.message, answer.found);
        return answer;
      })
      .finally(() => {
        this.#underWay.delete(key);
      });
    this.#underWay.set(key, asked);
    return asked;
  }
}

/** Makes a copy of an answer the answer to this query: its id, and its question letter by letter. */
function addressed(copy: Buffer, query: Query): Buffer {
  copy.writeUInt16BE(query.id, 0);
  query.question.copy(copy, headerBytes);
  return copy;
}
