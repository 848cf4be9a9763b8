import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rulebook } from '../../../electron/engine/rules/rulebook.ts';
import { shadows } from '../../../electron/engine/rules/shadow.ts';
import { someFacts, someRules } from './arbitrary.ts';
import { decideNaively, matchesNaively } from './naive.ts';

describe('the index of a rulebook', () => {
  it('answers as one who goes through the rules one after the other', () => {
    const answers = new Map<unknown, number>();
    fc.assert(
      fc.property(someRules(25), fc.array(someFacts, { minLength: 8, maxLength: 8 }), (rules, flows) => {
        const rulebook = Rulebook.compile(rules);
        for (const facts of flows) {
          const answer = rulebook.decide(facts);
          const kind = typeof answer === 'object' ? answer.action : answer;
          answers.set(kind, (answers.get(kind) ?? 0) + 1);
          expect(answer).toEqual(decideNaively(rules, facts));
        }
      }),
      { numRuns: 1500 },
    );
    for (const kind of ['proxy', 'direct', 'block', 'profile', 'process-wanted', undefined]) {
      expect(answers.get(kind), String(kind)).toBeGreaterThan(100);
    }
  });

  it('explains by conditions that agree with the answer', () => {
    fc.assert(
      fc.property(someRules(10), someFacts, (rules, facts) => {
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
      { numRuns: 1000 },
    );
  });
});

describe('shadows', () => {
  it('claim no rule that would still decide about some flow', () => {
    let claims = 0;
    let tried = 0;
    fc.assert(
      fc.property(someRules(25), fc.array(someFacts, { minLength: 20, maxLength: 20 }), (rules, flows) => {
        const on = rules.filter(({ isOff }) => isOff !== true);
        for (const shadow of shadows(rules)) {
          claims++;
          if (shadow.kind === 'never') throw new Error(`${shadow.rule} can match: ${shadow.why}`);
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
      { numRuns: 1500 },
    );
    expect(claims).toBeGreaterThan(500);
    expect(tried).toBeGreaterThan(500);
  });
});
