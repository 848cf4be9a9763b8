/**
 * Which program the command of a desktop entry really starts: behind `env`, variables, `flatpak run` and the like.
 * Plain functions; what cannot be read is answered with nothing.
 */
import { basename } from 'node:path';
import { execArgvs } from './exec.ts';

/** The command without field codes, as far as it can be read. */
export function programWords(exec: string): readonly string[] {
  try {
    const argv = execArgvs(exec, { name: '' })[0];
    return [basename(argv[0]), realProgram(argv).name];
  } catch {
    // A command that cannot be read names no program; starting it says why.
    return [];
  }
}

export interface RealProgram {
  /** Base name, or the application's id for Flatpak. */
  readonly name: string;
  /** Index in the arguments where options for this program may be put in. */
  readonly optionsAt: number;
  /** Its own word in the arguments. */
  readonly word: string;
}

/** Looks behind `env NAME=value …` and `flatpak run … ID`. */
export function realProgram(argv: readonly string[]): RealProgram {
  let at = 0;
  if (basename(argv[0] ?? '') === 'env') {
    at = argv.findIndex((word, index) => index > 0 && !word.startsWith('-') && !word.includes('='));
    if (at === -1) at = 0;
  }
  if (basename(argv[at] ?? '') === 'flatpak' && argv[at + 1] === 'run') {
    const id = argv.findIndex((word, index) => index > at + 1 && !word.startsWith('-'));
    if (id !== -1) at = id;
  }
  const word = argv[at] ?? '';
  return { name: basename(word), optionsAt: at + 1, word };
}
