/** The pasts of several engines, and what their files have of those that have ended, as one. Pure. */
import type {
  HistoryHost,
  HistoryHosts,
  HistoryPast,
  HistorySeries,
  HistoryView,
  ShownStep,
} from '#shared/history-protocol.ts';

const shownHosts = 50;

export interface Wanted {
  readonly step: ShownStep;
  readonly seconds: number;
  /** Milliseconds since the epoch, for when no engine says what time it is. */
  readonly now: number;
}

interface Part {
  readonly from: number;
  /** Seconds. */
  readonly step: number;
  readonly series: readonly HistorySeries[];
}

/** One view over the last `seconds`; parts may have finer buckets than are wanted. */
export function mergeViews(
  { step, seconds, now }: Wanted,
  views: readonly HistoryView[],
  past?: HistoryPast,
): HistoryView {
  const stepMs = step * 1000;
  const at = views.length === 0 ? now : Math.max(...views.map((view) => view.at));
  const count = Math.ceil(seconds / step);
  const from = (Math.floor(at / stepMs) - count + 1) * stepMs;
  const parts: Part[] = [...views, ...(past === undefined ? [] : [past])];
  const sinces = views.map(({ since }) => since);
  if (past?.since !== undefined) sinces.push(past.since);
  return {
    ...{ at, from, step },
    since: sinces.length === 0 ? at : Math.min(...sinces),
    series: mergeSeries(parts, { from, stepMs, count }),
    marks: [...views.flatMap(({ marks }) => marks), ...(past?.marks ?? [])]
      .filter((mark) => mark.at >= from)
      .toSorted((a, b) => a.at - b.at),
    gaps: views.flatMap(({ gaps }) => gaps).filter((gap) => gap.to > from),
  };
}

/** The hosts of all engines, most bytes first. */
export function mergeHosts(all: readonly HistoryHosts[], past: readonly HistoryHost[]): HistoryHosts {
  const sums = new Map<string, HistoryHost>();
  for (const one of [...all.flatMap(({ hosts }) => hosts), ...past]) {
    const sum = sums.get(one.host);
    if (sum === undefined) sums.set(one.host, { ...one });
    else {
      sum.up += one.up;
      sum.down += one.down;
      sum.flows += one.flows;
    }
  }
  return {
    from: Math.min(...all.map(({ from }) => from)),
    to: Math.max(...all.map(({ to }) => to)),
    hosts: [...sums.values()]
      .toSorted((a, b) => b.up + b.down - a.up - a.down || b.flows - a.flows)
      .slice(0, shownHosts),
  };
}

function mergeSeries(
  parts: readonly Part[],
  { from, stepMs, count }: { from: number; stepMs: number; count: number },
): HistorySeries[] {
  const sums = new Map<string, HistorySeries>();
  const zeros = (): number[] => Array.from({ length: count }, () => 0);
  for (const part of parts) {
    for (const { up, down, ...head } of part.series) {
      const key = `${head.app}\n${head.profile.id ?? `:${head.profile.name}`}`;
      const sum = sums.get(key) ?? { ...head, up: zeros(), down: zeros() };
      sums.set(key, sum);
      for (const index of up.keys()) {
        const into = Math.floor((part.from + index * part.step * 1000 - from) / stepMs);
        if (into < 0 || into >= count) continue;
        sum.up[into] = (sum.up[into] ?? 0) + (up[index] ?? 0);
        sum.down[into] = (sum.down[into] ?? 0) + (down[index] ?? 0);
      }
    }
  }
  return [...sums.values()];
}
