/** Lines of tests and checks as text, and the numbers that they end with. Pure. */
import type { CheckLine, CheckReport } from '#shared/model.ts';
import { exitOfVerb, verbExit } from './exit-codes.ts';
import { printable, type Style } from './output.ts';

const words: Readonly<Record<CheckLine['outcome'], string>> = {
  ok: 'ok',
  failed: 'FAILED',
  refused: 'refused',
  leak: 'LEAK',
  unknown: 'unknown',
};

const stageWidth = 'exit-address'.length;
const wordWidth = 'refused'.length;
const msWidth = 5;

/** One line: of what, where several are told at once, then stage, outcome, milliseconds and the sentence. */
export function lineText(
  { stage, outcome, ms, text }: CheckLine,
  { of, style }: { readonly of?: string; readonly style?: Style } = {},
): string {
  const word = words[outcome].padEnd(wordWidth);
  const paint =
    outcome === 'ok' ? style?.green : outcome === 'failed' || outcome === 'leak' ? style?.red : style?.yellow;
  const time = ms === undefined ? ''.padStart(msWidth + 3) : `${String(ms).padStart(msWidth)} ms`;
  const what = of === undefined ? '' : `${of}  `;
  return `${what}${stage.padEnd(stageWidth)}  ${paint?.(word) ?? word}  ${time}  ${printable(text)}`;
}

/**
 * 0 where nothing is wrong; 7 at a leak; 4 where the proxy cannot be used; 1 for everything else that failed, and
 * where it was not found out.
 */
export function exitOfReport({ outcome, lines }: CheckReport): number {
  switch (outcome) {
    case 'ok':
      return verbExit.ok;
    case 'leak':
      return verbExit.leakFound;
    case 'unknown':
      return verbExit.failed;
    case 'failed': {
      const exits = lines.flatMap((line) =>
        line.outcome === 'failed'
          ? [line.failure === undefined ? verbExit.failed : exitOfVerb(line.failure.code)]
          : [],
      );
      return exits.includes(verbExit.proxyUnreachable) ? verbExit.proxyUnreachable : verbExit.failed;
    }
  }
}
