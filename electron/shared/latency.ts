/** What a test of a profile takes as its time. */
import type { CheckReport } from './model.ts';

/** Milliseconds of the web request, or until the servers were reached; undefined where neither worked. */
export function latencyOf({ lines }: Pick<CheckReport, 'lines'>): number | undefined {
  const found = (['web', 'reach'] as const).map((stage) =>
    lines.findLast((line) => line.stage === stage && line.outcome === 'ok'),
  );
  return found.find((line) => line !== undefined)?.ms;
}
