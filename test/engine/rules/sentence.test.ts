import { describe, expect, it } from 'vitest';
import type { Rule } from '#shared/profile.ts';
import { ruleSentence } from '../../../electron/engine/rules/sentence.ts';

function sentence(match: Rule['match'], rest: Partial<Rule> = {}): string {
  return ruleSentence({ id: 'r1', match, action: 'direct', ...rest });
}

describe('a rule in words', () => {
  it.each<[Rule['match'], string]>([
    [
      { apps: ['firefox'], to: ['*.corp.example', '10.0.0.0/8'], ports: ['443'] },
      'firefox to *.corp.example, 10.0.0.0/8 port 443 → direct',
    ],
    [{}, 'Any app → direct'],
    [{ ports: ['443', '8000-8100'], protocol: 'udp' }, 'Any app to port 443, 8000-8100 over UDP → direct'],
    [
      { apps: ['a', 'b'], processes: ['c*'], profiles: ['work'] },
      'a, b with profile work (process c*) → direct',
    ],
    [{ to: [] }, 'Any app to (nothing) → direct'],
  ])('%j', (match, words) => {
    expect(sentence(match)).toBe(words);
  });

  it('names the profile that is taken, as people call it', () => {
    const rule: Rule = {
      id: 'r1',
      match: { apps: ['firefox'], profiles: ['work'] },
      action: 'profile',
      profile: 'tor',
    };
    expect(ruleSentence(rule)).toBe('firefox with profile work → profile tor');
    const called = { appName: () => 'Firefox', profileName: (id: string) => id.toUpperCase() };
    expect(ruleSentence(rule, called)).toBe('Firefox with profile WORK → profile TOR');
  });

  it('counts what would be too long, but not for one entry', () => {
    const to = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    expect(sentence({ to })).toBe('Any app to a, b, c, d and 3 more → direct');
    expect(sentence({ to: to.slice(0, 5) })).toBe('Any app to a, b, c, d, e → direct');
  });
});
