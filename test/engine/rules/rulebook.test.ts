import { describe, expect, it } from 'vitest';
import { CulvertError } from '#shared/failure.ts';
import type { Rule, RuleMatch } from '#shared/profile.ts';
import type { FlowFacts } from '../../../electron/engine/rules/facts.ts';
import { Rulebook } from '../../../electron/engine/rules/rulebook.ts';
import { largeLists, ruleCount, strangers } from './large.ts';

const flow: FlowFacts = { protocol: 'tcp', port: 443, apps: ['firefox'], process: null };

function ruleOf(match: RuleMatch, rest: Partial<Rule> = {}): Rule {
  return { id: 'r1', match, action: 'direct', ...rest };
}

function isMatch(match: RuleMatch, facts: Partial<FlowFacts>): boolean {
  return Rulebook.compile([ruleOf(match)]).decide({ ...flow, ...facts }) !== undefined;
}

function refusalOf(rules: readonly Rule[]): string {
  try {
    Rulebook.compile(rules);
  } catch (error) {
    if (error instanceof CulvertError && error.failure.code === 'rule-invalid')
      return error.failure.detail ?? '';
    throw error;
  }
  return 'compiled';
}

describe('a rulebook', () => {
  const rules: Rule[] = [
    { id: 'off', isOff: true, match: {}, action: 'block' },
    { id: 'maps', match: { apps: ['org.gnome.Maps'] }, action: 'profile', profile: 'tor' },
    { id: 'quic', match: { ports: ['443', '8000-8100'], protocol: 'udp' }, action: 'block' },
    { id: 'corp', match: { to: ['.corp.example', '10.0.0.0/8'], profiles: ['work'] }, action: 'direct' },
  ];
  const rulebook = Rulebook.compile(rules);

  it('lets the first rule that matches and is on decide', () => {
    expect(rulebook.decide({ ...flow, protocol: 'udp', apps: ['org.gnome.Maps'] })).toEqual({
      action: 'profile',
      profile: 'tor',
      rule: 'maps',
    });
    expect(rulebook.decide({ ...flow, protocol: 'udp', port: 8050 })).toEqual({
      action: 'block',
      rule: 'quic',
    });
  });

  it('wants all conditions of a rule to be met, and says so where none are', () => {
    const inside = { ...flow, host: 'wiki.corp.example' };
    expect(rulebook.decide({ ...inside, profile: 'work' })).toEqual({ action: 'direct', rule: 'corp' });
    expect(rulebook.decide({ ...inside, profile: 'home' })).toBeUndefined();
    expect(rulebook.decide(inside)).toBeUndefined();
    expect(Rulebook.compile([]).decide(flow)).toBeUndefined();
  });

  it('says in which order things were found', () => {
    const { effort, ...rest } = rulebook.explain({ ...flow, address: '10.1.2.3', profile: 'work' });
    expect(rest).toEqual({
      answer: { action: 'direct', rule: 'corp' },
      rule: 'corp',
      findings: [
        { field: 'profiles', state: 'met', by: 'work' },
        { field: 'to', state: 'met', by: '10.0.0.0/8' },
      ],
      near: [{ rule: 'quic', failed: 'protocol' }],
      off: ['off'],
    });
    expect(effort.rules).toBeGreaterThan(0);
  });

  it('does not blame a rule that is off and comes after the one that decides', () => {
    const later = Rulebook.compile([ruleOf({}), ruleOf({}, { id: 'r2', isOff: true })]);
    expect(later.explain(flow).off).toEqual([]);
  });

  it('wants server names only where a rule that is on is about names', () => {
    const isWanted = (...list: Rule[]) => Rulebook.compile(list).wantsServerName;
    expect(isWanted(ruleOf({ to: ['10.0.0.0/8', '*'], apps: ['a'] }))).toBe(false);
    expect(isWanted(ruleOf({ to: ['a.example'] }, { isOff: true }))).toBe(false);
    for (const to of ['a.example', '.a.example', '*.a.example', 'a*', '/a/']) {
      expect(isWanted(ruleOf({ to: ['10.0.0.0/8', to] })), to).toBe(true);
    }
  });

  it('matches nothing with an empty list', () => {
    for (const field of ['apps', 'processes', 'to', 'ports', 'profiles']) {
      expect(isMatch({ [field]: [] }, { process: undefined }), field).toBe(false);
    }
  });
});

describe('a rule on apps', () => {
  it.each([
    ['firefox', 'Firefox', true],
    ['firefox.desktop', 'firefox', true],
    ['org.gnome.Maps', 'org.gnome.maps.desktop', true],
    ['/usr/bin/curl', '/usr/bin/curl', true],
    ['/usr/bin/curl', '/usr/bin/Curl', false],
    ['curl', '/usr/bin/curl', false],
    ['fire', 'firefox', false],
    ['fire*', 'firefox', false],
  ])('%s on %s: %s', (app, known, answer) => {
    expect(isMatch({ apps: ['other', app] }, { apps: ['something', known] })).toBe(answer);
  });
});

describe('a rule on processes', () => {
  const rules: Rule[] = [
    ruleOf({ to: ['a.example'], processes: ['Web*', 'gnome-terminal-server'] }),
    ruleOf({ to: ['.example'] }, { id: 'r2', action: 'proxy' }),
  ];
  const decide = (facts: Partial<FlowFacts>) =>
    Rulebook.compile(rules).decide({ ...flow, host: 'a.example', ...facts });

  it('wants the name of the process only when the answer depends on it', () => {
    expect(decide({ process: undefined })).toBe('process-wanted');
    expect(decide({ process: undefined, host: 'b.example' })).toEqual({ action: 'proxy', rule: 'r2' });
    expect(
      Rulebook.compile(rules.toReversed()).decide({ ...flow, process: undefined, host: 'a.example' }),
    ).toEqual({
      action: 'proxy',
      rule: 'r2',
    });
  });

  it('does not match a process that cannot be found', () => {
    expect(decide({ process: null })).toEqual({ action: 'proxy', rule: 'r2' });
    expect(isMatch({ processes: ['*'] }, { process: null })).toBe(false);
  });

  it('matches names as the kernel cuts them, with regard to case', () => {
    expect(decide({ process: 'Web Content' })).toEqual({ action: 'direct', rule: 'r1' });
    expect(decide({ process: 'gnome-terminal-' })).toEqual({ action: 'direct', rule: 'r1' });
    expect(decide({ process: 'web content' })).toEqual({ action: 'proxy', rule: 'r2' });
  });

  it('explains what it waits for', () => {
    const { rule, findings } = Rulebook.compile(rules).explain({
      ...flow,
      host: 'a.example',
      process: undefined,
    });
    expect(rule).toBe('r1');
    expect(findings).toEqual([
      { field: 'processes', state: 'unknown' },
      { field: 'to', state: 'met', by: 'a.example' },
    ]);
  });

  it('waits for the process behind a regular expression too', () => {
    const late = Rulebook.compile([ruleOf({ to: ['/^a/'], processes: ['curl'] })]);
    expect(late.decide({ ...flow, host: 'a.example', process: undefined })).toBe('process-wanted');
    expect(late.decide({ ...flow, host: 'b.example', process: undefined })).toBeUndefined();
  });
});

describe('a rule that cannot be used', () => {
  it.each<[Partial<Rule>, string]>([
    [{ match: { to: ['a b'] } }, 'r1: to: "a b" is no name'],
    [{ match: { ports: ['0'] } }, 'r1: ports: "0" is no port'],
    [{ match: { ports: ['70000'] } }, 'r1: ports: "70000" is no port'],
    [{ match: { ports: ['9000-8000'] } }, 'r1: ports: "9000-8000" ends before it begins'],
    [{ match: { apps: [''] } }, 'r1: apps: "" is empty'],
    [{ action: 'profile' }, 'r1: profile: is missing'],
    [{ action: 'proxy', profile: 'tor' }, 'r1: profile: is given, but the action is proxy'],
  ])('%j is refused by its name, field and reason', (rest, detail) => {
    expect(refusalOf([ruleOf({}, rest)])).toContain(detail);
    expect(refusalOf([ruleOf({}, { ...rest, isOff: true })])).toBe('compiled');
  });

  it('is one of two with the same id, even when one is off', () => {
    expect(refusalOf([ruleOf({}), ruleOf({}, { isOff: true })])).toBe('r1: id: two rules have it');
  });

  it('is the one with which there are too many regular expressions', () => {
    const many = Array.from({ length: 1001 }, (_, i) => ruleOf({ to: [`/a${i}/`] }, { id: `r${i + 1}` }));
    expect(refusalOf(many)).toContain('r1001: to: with it there are more than 1000');
    expect(refusalOf(many.slice(1))).toBe('compiled');
  });
});

describe('ten thousand rules', () => {
  it.each(Object.keys(largeLists))('%s: a flow that none matches is compared with at most 20', (name) => {
    const rulebook = Rulebook.compile(largeLists[name]?.() ?? []);
    let most = 0;
    for (const facts of strangers) {
      const { answer, effort } = rulebook.explain(facts);
      expect(answer).toBeUndefined();
      expect(effort.expressions).toBe(0);
      most = Math.max(most, effort.rules);
    }
    expect(most).toBeLessThanOrEqual(20);
  });

  it('are found again, the last as well as the first', () => {
    const rulebook = Rulebook.compile(largeLists['of wildcards with a long common ending']?.() ?? []);
    for (const i of [0, 4711, ruleCount - 1]) {
      const host = `img-${i}.eu-central.objects.storage.cloud.example`;
      const { rule, effort } = rulebook.explain({ ...flow, host });
      expect(rule).toBe(`r${i + 1}`);
      expect(effort.rules).toBe(1);
    }
  });

  it('are not asked about processes one by one while the process is unknown', () => {
    const rulebook = Rulebook.compile(largeLists['of processes for one port']?.() ?? []);
    expect(rulebook.explain({ ...flow, process: undefined, port: 8443 })).toMatchObject({
      answer: 'process-wanted',
      effort: { rules: 1 },
    });
    expect(rulebook.explain({ ...flow, process: undefined, port: 443 }).effort.rules).toBe(0);
  });

  it('may be the names of one rule', () => {
    const to = Array.from({ length: 100_000 }, (_, i) => `.ads-${i}.example`);
    const rulebook = Rulebook.compile([ruleOf({ to })]);
    expect(rulebook.decide({ ...flow, host: 'x.ads-99999.example' })).toBeDefined();
    expect(rulebook.decide({ ...flow, host: 'x.ads-100000.example' })).toBeUndefined();
  });
});

describe('regular expressions', () => {
  const rules: Rule[] = [
    ...Array.from({ length: 10 }, (_, i) => ruleOf({ to: [`/^never-${i}/`] }, { id: `e${i}` })),
    ruleOf({ to: ['.example'] }),
    ...Array.from({ length: 10 }, (_, i) => ruleOf({ to: [`/^later-${i}/`] }, { id: `l${i}` })),
  ];

  it('are tried only where they stand before the best rule without', () => {
    const rulebook = Rulebook.compile(rules);
    expect(rulebook.explain({ ...flow, host: 'www.example' })).toMatchObject({
      rule: 'r1',
      effort: { expressions: 10 },
    });
    expect(rulebook.explain({ ...flow, host: 'never-3.example' })).toMatchObject({
      rule: 'e3',
      effort: { expressions: 4 },
    });
    expect(rulebook.explain({ ...flow, host: 'later-9.test' })).toMatchObject({
      rule: 'l9',
      effort: { expressions: 20 },
    });
  });

  it('are not tried on an address, nor where another condition fails', () => {
    const others = Rulebook.compile([ruleOf({ to: ['/./'], ports: ['80'] })]);
    expect(others.explain({ ...flow, host: 'a.example' }).effort.expressions).toBe(0);
    expect(others.explain({ ...flow, port: 80, address: '192.0.2.1' }).effort.expressions).toBe(0);
  });
});
