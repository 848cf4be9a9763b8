import { describe, expect, it } from 'vitest';
import { inEnglish } from '#shared/phrase.ts';
import type { Rule, RuleMatch } from '#shared/profile.ts';
import { shadows, type Shadow } from '../../../electron/engine/rules/shadow.ts';

function rulesOf(...matches: RuleMatch[]): Rule[] {
  return matches.map((match, i) => ({ id: `r${i + 1}`, match, action: 'block' }));
}

/** Whether the first takes all of the second. */
function covers(wide: RuleMatch, narrow: RuleMatch): boolean {
  return shadows(rulesOf(wide, narrow)).length > 0;
}

describe('a rule that can never decide', () => {
  it.each<[RuleMatch, RuleMatch, boolean]>([
    [{}, { to: ['a.example'] }, true],
    [{ to: ['a.example'] }, {}, false],
    [{ to: ['*'] }, { apps: ['firefox'] }, true],
    [{ to: ['.example'] }, { to: ['a.example', '*.b.example', '.example', 'x*.c.example'] }, true],
    [{ to: ['.example'] }, { to: ['a.example', 'a.test'] }, false],
    [{ to: ['*.example'] }, { to: ['.example'] }, false],
    [{ to: ['*.example', 'example'] }, { to: ['.example'] }, false],
    [{ to: ['*example'] }, { to: ['.example'] }, true],
    [{ to: ['.a.example'] }, { to: ['*xa.example'] }, false],
    [{ to: ['*.a.example'] }, { to: ['*a.example'] }, false],
    [{ to: ['*.a.example'] }, { to: ['*b.a.example'] }, true],
    [{ to: ['a*'] }, { to: ['.a.example'] }, false],
    [{ to: ['*a*c'] }, { to: ['xa*bc'] }, true],
    [{ to: ['*ab*'] }, { to: ['a*b'] }, false],
    [{ to: ['10.0.0.0/8'] }, { to: ['10.1.0.0/16', '10.*', '::ffff:10.2.3.4'] }, true],
    [{ to: ['10.0.0.0/8'] }, { to: ['8.0.0.0/6'] }, false],
    [{ to: ['10.0.0.0/8'] }, { to: ['10.0.0.0/7'] }, false],
    [{ to: ['0.0.0.0/0'] }, { to: ['::/0'] }, false],
    [{ to: ['/a/'] }, { to: ['/a/'] }, true],
    [{ to: ['/a/'] }, { to: ['aa.example'] }, false],
    [{ ports: ['1-65535'] }, {}, true],
    [{ ports: ['80', '400-500'] }, { ports: ['443', '80'] }, true],
    [{ ports: ['400-500'] }, { ports: ['443-600'] }, false],
    [{ protocol: 'udp' }, { protocol: 'udp', ports: ['443'] }, true],
    [{ protocol: 'udp' }, { ports: ['443'] }, false],
    [{ apps: ['Firefox.desktop', 'curl'] }, { apps: ['firefox'] }, true],
    [{ apps: ['firefox'] }, { apps: ['firefox', 'curl'] }, false],
    [{ processes: ['*'] }, {}, false],
    [{ processes: ['Web*'] }, { processes: ['Web Content', 'Web*x'] }, true],
    [{ processes: ['web*'] }, { processes: ['Web Content'] }, false],
    [{ profiles: ['work', 'home'] }, { profiles: ['home'] }, true],
    [{ profiles: ['work'], ports: ['80'] }, { profiles: ['work'] }, false],
  ])('%j before %j: %s', (wide, narrow, answer) => {
    expect(covers(wide, narrow)).toBe(answer);
  });

  it('is named with the first rule that takes it, and not by rules that are off', () => {
    const rules = rulesOf(
      { to: ['.b.example'] },
      { to: ['.example'] },
      { to: ['*'] },
      { to: ['a.example'] },
      {},
    );
    expect(shadows(rules)).toEqual([
      { kind: 'shadowed', rule: 'r4', by: 'r2' },
      { kind: 'shadowed', rule: 'r5', by: 'r3' },
    ]);
    expect(shadows(rules.map((rule) => ({ ...rule, isOff: rule.id === 'r2' || rule.id === 'r5' })))).toEqual([
      { kind: 'shadowed', rule: 'r4', by: 'r3' },
    ]);
  });

  it('is one that matches nothing, which takes nothing from others', () => {
    const rules = rulesOf({ to: [] }, { ports: ['90-80'] }, { to: ['a b'] }, { to: ['a.example'] });
    const why = (shadow: Shadow) => (shadow.kind === 'never' ? inEnglish(shadow.why) : undefined);
    expect(shadows(rules).map(({ rule }) => rule)).toEqual(['r1', 'r2', 'r3']);
    expect(shadows(rules).map(why)).toEqual([
      'to: the list is empty',
      'r2: ports: "90-80" ends before it begins',
      expect.stringContaining('r3: to: "a b" is no name') as string,
    ]);
  });

  it('is found among lists of many names', () => {
    const to = Array.from({ length: 20_000 }, (_, i) => `host-${i}.example`);
    expect(covers({ to }, { to: to.toReversed() })).toBe(true);
    expect(covers({ to }, { to: [...to, 'host-20000.example'] })).toBe(false);
  });
});
