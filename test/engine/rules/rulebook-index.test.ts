import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FlowFacts } from '../../../electron/engine/rules/facts.ts';
import { Rulebook } from '../../../electron/engine/rules/rulebook.ts';
import { shadows } from '../../../electron/engine/rules/shadow.ts';
import { rulesWithFlows } from './arbitrary.ts';
import { decideNaively, matchesNaively } from './naive.ts';
import { inEnglish } from '../../../electron/shared/phrase.ts';

describe('the index of a rulebook', () => {
  it('answers as one who goes through the rules one after the other', () => {
    const answers = new Map<unknown, number>();
    fc.assert(
      fc.property(rulesWithFlows(25, 10), ([rules, flows]) => {
        const rulebook = Rulebook.compile(rules);
        for (const facts of flows) {
          const answer = rulebook.decide(facts);
          const kind = typeof answer === 'object' ? answer.action : answer;
          answers.set(kind, (answers.get(kind) ?? 0) + 1);
          expect(answer).toEqual(decideNaively(rules, facts));
        }
      }),
      { numRuns: 600 },
    );
    for (const kind of ['proxy', 'direct', 'block', 'profile', 'process-wanted', undefined]) {
      expect(answers.get(kind), String(kind)).toBeGreaterThan(100);
    }
  });

  it('takes exactly the ports of a range', () => {
    const port = fc.integer({ min: 1, max: 65_535 });
    fc.assert(
      fc.property(port, port, fc.array(port, { maxLength: 10 }), (one, other, some) => {
        const [first, last] = [Math.min(one, other), Math.max(one, other)];
        const rules = [{ id: 'r1', match: { ports: [`${first}-${last}`] }, action: 'block' as const }];
        const rulebook = Rulebook.compile(rules);
        for (const at of [first - 1, first, first + 1, last - 1, last, last + 1, ...some]) {
          if (at < 1 || at > 65_535) continue;
          const isTaken = rulebook.decide({ protocol: 'tcp', port: at, apps: [] }) !== undefined;
          expect(isTaken, `${at} in ${first}-${last}`).toBe(at >= first && at <= last);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('explains by conditions that agree with the answer', () => {
    fc.assert(
      fc.property(rulesWithFlows(10, 1), ([rules, flows]) => {
        const facts = flows[0] as FlowFacts;
        const rulebook = Rulebook.compile(rules);
        const { answer, rule, findings, near, off } = rulebook.explain(facts);
        expect(answer).toEqual(rulebook.decide(facts));
        expect(rule === undefined).toBe(answer === undefined);
        const state = answer === 'process-wanted' ? ['met', 'unknown'] : ['met'];
        for (const finding of findings) expect(state).toContain(finding.state);
        for (const { rule: id } of near) {
          expect(matchesNaively(rules.find((other) => other.id === id)?.match ?? {}, facts)).not.toBe(true);
        }
        for (const id of off) {
          expect(matchesNaively(rules.find((other) => other.id === id)?.match ?? {}, facts)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('shadows', () => {
  it('claim no rule that would still decide about some flow', () => {
    let claims = 0;
    let tried = 0;
    fc.assert(
      fc.property(rulesWithFlows(25, 30), ([rules, flows]) => {
        const on = rules.filter(({ isOff }) => isOff !== true);
        for (const shadow of shadows(rules)) {
          claims++;
          if (shadow.kind === 'never') throw new Error(`${shadow.rule} can match: ${inEnglish(shadow.why)}`);
          const rule = on.find(({ id }) => id === shadow.rule);
          const by = on.find(({ id }) => id === shadow.by);
          if (rule === undefined || by === undefined) throw new Error('a rule that is off takes part');
          expect(on.indexOf(by)).toBeLessThan(on.indexOf(rule));
          for (const facts of flows) {
            const answer = matchesNaively(rule.match, facts);
            if (answer === false) continue;
            tried++;
            // Where the rule would match, so does the other; where it waits for a process, the other decides or waits.
            expect([true, answer]).toContain(matchesNaively(by.match, facts));
          }
        }
      }),
      { numRuns: 400 },
    );
    expect(claims).toBeGreaterThan(200);
    expect(tried).toBeGreaterThan(200);
  });
});
