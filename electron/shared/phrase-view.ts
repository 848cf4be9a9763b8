/** Phrases and failures as they cross a border: of bounded size and depth. */
import * as v from 'valibot';
import { failureCodes } from './failure.ts';
import type { Phrase, PhraseValue } from './phrase.ts';

/** How deep phrases may be in each other. */
const depth = 6;
const plain = v.union([v.pipe(v.string(), v.maxLength(4096)), v.number()]);

type ValueSchema = v.GenericSchema<unknown, PhraseValue>;

function phraseOf(value: ValueSchema) {
  const name = v.pipe(v.string(), v.maxLength(40));
  return v.object({
    key: v.pipe(v.string(), v.maxLength(80)),
    values: v.pipe(v.record(name, value), v.maxEntries(16)),
  });
}

function failureOf(said: v.GenericSchema<unknown, Phrase>) {
  return v.object({
    code: v.picklist(failureCodes),
    step: v.optional(v.string()),
    detail: v.optional(v.string()),
    /** The detail, where it is ours to say; one that is not to be understood is left out. */
    phrase: v.fallback(v.optional(said), undefined),
  });
}

function valuesWith(value: ValueSchema): ValueSchema {
  const failure = failureOf(phraseOf(value));
  const list = v.pipe(v.array(value), v.maxLength(50));
  const others = [v.object({ whole: failure }), v.object({ clauses: list }), list] as const;
  return v.union([plain, phraseOf(value), failure, ...others]) as ValueSchema;
}

let value: ValueSchema = plain;
for (let level = 1; level < depth; level += 1) value = valuesWith(value);

const whole: v.GenericSchema<unknown, Phrase> = phraseOf(value);

/** Beside an English text of its own: one that is not to be understood is left out. */
export const phraseView = v.fallback(v.optional(whole), undefined);

/** The same of several texts. */
export const phrasesView = v.fallback(v.optional(v.array(whole)), undefined);

/** A failure as it crosses a border. */
export const failureView = failureOf(whole);
