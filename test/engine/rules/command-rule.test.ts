import { describe, expect, it } from 'vitest';
import { CulvertError } from '#shared/failure.ts';
import { parseRule, ruleOfForm } from '../../../electron/engine/rules/command-rule.ts';

function refusalOf(...words: string[]): string {
  try {
    parseRule(words, 'r1');
  } catch (error) {
    if (error instanceof CulvertError && error.failure.code === 'rule-invalid')
      return error.failure.detail ?? '';
    throw error;
  }
  return 'taken';
}

describe('a rule on the command line', () => {
  it('has its conditions as options and its action as a word, in any order', () => {
    const words =
      '--app firefox --to *.corp.example,10.0.0.0/8 direct --port 443 --port 8000-8100,80 --protocol TCP';
    expect(parseRule(words.split(' '), 'r4')).toEqual({
      id: 'r4',
      match: {
        apps: ['firefox'],
        to: ['*.corp.example', '10.0.0.0/8'],
        ports: ['443', '8000-8100', '80'],
        protocol: 'tcp',
      },
      action: 'direct',
    });
  });

  it('may name processes, profiles to match, a note and a profile to take', () => {
    expect(
      parseRule(['--process=Web Content', '--profile', 'work,home', '--note', 'a, b', 'profile:tor'], 'r1'),
    ).toEqual({
      id: 'r1',
      note: 'a, b',
      match: { processes: ['Web Content'], profiles: ['work', 'home'] },
      action: 'profile',
      profile: 'tor',
    });
    expect(parseRule(['block'], 'r1')).toEqual({ id: 'r1', match: {}, action: 'block' });
  });

  it('does not part expressions and paths at their commas', () => {
    const { match } = parseRule(['--to', '/^a{1,3}$/', '--app', '/opt/a,b/run', 'block'], 'r1');
    expect(match).toEqual({ to: ['/^a{1,3}$/'], apps: ['/opt/a,b/run'] });
  });

  it('may come as options that are read already', () => {
    expect(ruleOfForm({ to: ['.example'], action: 'proxy' }, 'r2')).toEqual({
      id: 'r2',
      match: { to: ['.example'] },
      action: 'proxy',
    });
  });

  it.each([
    [[], 'r1: action: one is needed'],
    [['proxy', 'direct'], 'r1: action: one is needed'],
    [['through'], 'r1: action: "through" is none'],
    [['profile:'], 'r1: action: "profile:" is none'],
    [['profile:No Such'], 'r1: profile: small letters'],
    [['block', '--to'], 'r1: '],
    [['block', '--nonsense'], 'r1: '],
    [['block', '--to', 'a b'], 'r1: to: "a b" is no name'],
    [['block', '--to', 'a.example,'], 'r1: to: must not be empty'],
    [['block', '--port', 'https'], 'r1: ports: a port or a range'],
    [['block', '--port', '99999'], 'r1: ports: "99999" is no port'],
    [['block', '--protocol', 'icmp'], 'r1: protocol: '],
    [['block', '--protocol', 'tcp', '--protocol', 'udp'], 'r1: protocol: is given twice'],
    [['block', '--profile', 'Work'], 'r1: profiles: small letters'],
  ])('%j is refused with the field', (words, detail) => {
    expect(refusalOf(...words)).toContain(detail);
  });
});
