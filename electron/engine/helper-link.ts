/**
 * The engine's side of the conversation with its helper: one question at a time in order, each with its
 * answer and the descriptors that came beside it. Owns the link's descriptor.
 */
import * as v from 'valibot';
import { CulvertError, failureCodes, type FailureCode } from '#shared/failure.ts';
import {
  helperCalls,
  maxMessageBytes,
  responseSchema,
  type HelperCall,
  type HelperParams,
  type HelperValue,
} from '#shared/helper-protocol.ts';
import type { StartedHelper } from './elevate.ts';
import type { Native } from './native.ts';
import { reported } from './refusals.ts';

/** Longest wait for an answer; making a lane takes some 30 ms. */
const answerMs = 15_000;

export interface HelperAnswer<C extends HelperCall> {
  readonly value: HelperValue<C>;
  readonly descriptors: readonly number[];
}

interface Waiting {
  readonly call: HelperCall;
  readonly resolve: (answer: HelperAnswer<HelperCall>) => void;
  readonly reject: (error: CulvertError) => void;
  readonly timer: NodeJS.Timeout;
}

export class HelperLink {
  readonly #native: Native;
  readonly #link: number;
  readonly #lastWords: () => string;
  readonly #waiting = new Map<number, Waiting>();
  readonly #onLost: (why: CulvertError) => void;
  #last = 0;
  #isOpen = true;

  constructor(native: Native, { link, lastWords }: StartedHelper, onLost: (why: CulvertError) => void) {
    this.#native = native;
    this.#link = link;
    this.#lastWords = lastWords;
    this.#onLost = onLost;
    native.watch(link, () => {
      this.#drain();
    });
  }

  /** Asks and waits. Descriptors stay the caller's. Throws the helper's failure, or `helper-lost`. */
  call<C extends HelperCall>(
    call: C,
    params: HelperParams<C>,
    descriptors: readonly number[] = [],
  ): Promise<HelperAnswer<C>> {
    return new Promise((resolve, reject) => {
      if (!this.#isOpen) {
        reject(this.#lost());
        return;
      }
      this.#last += 1;
      const id = this.#last;
      const message = Buffer.from(JSON.stringify({ id, call, params }));
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new CulvertError('helper-timeout', { step: call }));
      }, answerMs);
      this.#waiting.set(id, { call, resolve: resolve as Waiting['resolve'], reject, timer });
      try {
        if (message.length > maxMessageBytes) throw new CulvertError('bad-message', { step: call });
        this.#native.send(this.#link, message, descriptors);
      } catch (error) {
        this.#waiting.delete(id);
        clearTimeout(timer);
        reject(error instanceof CulvertError ? error : this.#lost());
      }
    });
  }

  /** Hangs up; the helper tears down what is left and ends. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#native.unwatch(this.#link);
    this.#native.close(this.#link);
    this.#rejectAll();
  }

  #drain(): void {
    for (;;) {
      try {
        const received = this.#native.receive(this.#link);
        if (received.kind === 'none') return;
        if (received.kind === 'end') {
          // What it said of its end is read in this turn of the loop, perhaps after the end itself.
          setImmediate(() => {
            this.#end(this.#lost());
          });
          return;
        }
        this.#answer(received.bytes, received.descriptors);
      } catch (error) {
        this.#end(error instanceof CulvertError ? error : this.#lost());
        return;
      }
    }
  }

  #end(why: CulvertError): void {
    if (!this.#isOpen) return;
    this.close();
    this.#onLost(why);
  }

  #answer(bytes: Buffer, descriptors: number[]): void {
    const message = parse(responseSchema, bytes);
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (waiting === undefined) {
      // The caller stopped waiting; what the late answer brought must not stay open.
      for (const fd of descriptors) this.#native.close(fd);
      return;
    }
    clearTimeout(waiting.timer);
    if (!message.ok) {
      const { code, step, detail } = message.failure;
      waiting.reject(
        new CulvertError(isFailureCode(code) ? code : 'bad-message', {
          ...(step === undefined ? {} : { step }),
          ...(detail === undefined ? {} : { detail }),
        }),
      );
      return;
    }
    const value = v.safeParse(helperCalls[waiting.call].value, message.value);
    if (!value.success) {
      for (const fd of descriptors) this.#native.close(fd);
      waiting.reject(new CulvertError('bad-message', { step: waiting.call }));
      return;
    }
    waiting.resolve({ value: value.output, descriptors });
  }

  #lost(): CulvertError {
    const words = this.#lastWords();
    const told = reported(words);
    if (told !== undefined) return new CulvertError(told.code, told);
    return new CulvertError('helper-lost', words === '' ? {} : { detail: words });
  }

  #rejectAll(): void {
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(this.#lost());
    }
    this.#waiting.clear();
  }
}

function parse<S extends v.GenericSchema>(schema: S, bytes: Buffer): v.InferOutput<S> {
  try {
    return v.parse(schema, JSON.parse(bytes.toString('utf8')));
  } catch (error) {
    throw new CulvertError('bad-message', { cause: error });
  }
}

function isFailureCode(code: string): code is FailureCode {
  return (failureCodes as readonly string[]).includes(code);
}
