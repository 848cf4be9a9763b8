/**
 * Regular expressions of rules, in RE2's syntax and in time linear in the length of the name.
 *
 * Does: bound what one may cost: its length, the size of its program, and the memory of its automaton, whose
 * states are made by the names that apps ask for. A name costs about 1 µs, in the worst case of a program of
 * the full size some milliseconds. Must not: be run by Node's own engine, whose time is not bounded.
 */
import { RE2JS, RE2JSException, RE2Set } from 're2js';
import { phrase, type Phrase } from '#shared/phrase.ts';

export interface Expression {
  /** Between the slashes. */
  readonly source: string;
  /** Whether it is found anywhere in this name, which is in small letters; case does not count. */
  readonly takes: (name: string) => boolean;
}

/** In RE2's instructions; one that people write for names has 10 to 100. */
const maxProgramSize = 1000;
/** Of the states of one automaton, in bytes; beyond it they are forgotten, or made anew for each name. */
const maxStates = 128 * 1024;

/** Reads an expression. A phrase is the reason why it cannot be used. */
export function compileExpression(source: string): Expression | Phrase {
  try {
    const size = RE2JS.compile(source, RE2JS.CASE_INSENSITIVE).programSize();
    if (size > maxProgramSize) return phrase('rule.expression-large', { size, most: maxProgramSize });
    // A set of one, because only sets can be told how much memory they may have.
    const set = new RE2Set(RE2Set.UNANCHORED, RE2JS.CASE_INSENSITIVE, maxStates);
    set.add(source);
    set.compile();
    return { source, takes: (name) => set.match(name).length > 0 };
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return phrase('rule.expression', { words: error.message });
  }
}
