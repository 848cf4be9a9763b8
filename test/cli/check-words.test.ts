/** Lines of checks as text, and what they end with. */
import { describe, expect, it } from 'vitest';
import type { CheckLine, CheckReport } from '#shared/model.ts';
import { exitOfReport, lineText } from '../../electron/cli/check-words.ts';
import { inOrder, type TestedProfile } from '../../electron/cli/profile-test.ts';
import { builtIns } from '#shared/profile.ts';

const reportOf = (...lines: Partial<CheckLine>[]): CheckReport => ({
  outcome:
    (['leak', 'failed', 'unknown', 'ok'] as const).find((one) =>
      lines.some(({ outcome }) => outcome === one),
    ) ?? 'ok',
  lines: lines.map((line) => ({ stage: 'web', outcome: 'ok', text: '', ...line })),
});

describe('the exit status of a report', () => {
  it.each([
    [0, reportOf({}, { outcome: 'refused' })],
    [1, reportOf({}, { outcome: 'unknown' })],
    [1, reportOf({ outcome: 'failed' })],
    [1, reportOf({ outcome: 'failed', failure: { code: 'probe-unreachable' } }, { outcome: 'unknown' })],
    [
      4,
      reportOf(
        { outcome: 'failed', failure: { code: 'dns-failed' } },
        { outcome: 'failed', failure: { code: 'proxy-unreachable' } },
      ),
    ],
    [7, reportOf({ outcome: 'failed', failure: { code: 'proxy-unreachable' } }, { outcome: 'leak' })],
  ])('is %i', (code, report) => {
    expect(exitOfReport(report)).toBe(code);
  });
});

describe('a line', () => {
  it('has its columns whether it has a time or not, and lets nobody drive the terminal', () => {
    const line: CheckLine = {
      stage: 'exit-address',
      outcome: 'ok',
      ms: 12,
      text: 'others see \u001b[2J198.51.100.4',
    };
    const { ms: _ms, ...timeless } = line;
    expect(lineText(line)).toBe('exit-address  ok          12 ms  others see \u{fffd}[2J198.51.100.4');
    expect(lineText(timeless).indexOf('others')).toBe(lineText(line).indexOf('others'));
    expect(lineText(line, { of: 'work/s1' })).toMatch(/^work\/s1 {2}exit-address /);
  });
});

describe('tested profiles', () => {
  const profile = (id: string) => ({ ...builtIns.none, id });
  const tested = (id: string, outcome: CheckReport['outcome'], ms?: number): TestedProfile => ({
    profile: profile(id),
    test: { servers: [], chain: { outcome, lines: [] } },
    ...(ms === undefined ? {} : { ms }),
  });

  it('are told the quickest first, and those that failed last', () => {
    const untested: TestedProfile = { profile: profile('a'), failure: { code: 'secret-unreadable' } };
    const order = inOrder([
      tested('d', 'failed', 1),
      untested,
      tested('c', 'ok', 20),
      tested('b', 'unknown', 10),
    ]);
    expect(order.map((one) => one.profile.id)).toEqual(['b', 'c', 'a', 'd']);
  });
});
