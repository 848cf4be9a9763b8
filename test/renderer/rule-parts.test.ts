// @vitest-environment happy-dom
/** The plain functions behind the screen of rules. */
import { parseArgs } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { FlowView } from '../../electron/shared/model.ts';
import type { Rule } from '../../electron/shared/profile.ts';
import { i18n } from '../../renderer/i18n.ts';
import { ruleCommand } from '../../renderer/rule-command.ts';
import { draftOf, entriesOf, formOf, lastEntry, withLastEntry } from '../../renderer/rule-form.ts';
import { findRules, indexAt, placeFor } from '../../renderer/rule-list.ts';
import { subjectsOf, whereTo } from '../../renderer/rule-subjects.ts';
import { ruleLine, type RuleWords } from '../../renderer/rule-text.ts';
import { lane } from './fake-main.ts';

const rule = (id: string, more: Partial<Rule> = {}): Rule => ({ id, match: {}, action: 'block', ...more });
const words = (language: 'en' | 'zh-CN'): RuleWords => ({
  t: (key, slots) => i18n.global.t(key, slots ?? {}, { locale: language }),
  locale: language,
  appName: (id) => (id === 'firefox' ? 'Firefox' : id),
  profileName: (id) => id.toUpperCase(),
});

describe('a rule in words', () => {
  const whole = rule('r', {
    match: {
      ...{ apps: ['firefox', 'curl'], processes: ['ssh'], to: ['*.corp.example', '10.0.0.0/8'] },
      ...{ ports: ['443'], protocol: 'udp', profiles: ['work'] },
    },
    action: 'profile',
    profile: 'home',
  });

  test('has all its parts, in either language', () => {
    expect(ruleLine(whole, words('en'))).toBe(
      'Firefox, curl with the profile WORK process ssh to *.corp.example, 10.0.0.0/8 port 443 over UDP → Profile HOME',
    );
    expect(ruleLine(whole, words('zh-CN'))).toBe(
      'Firefox、curl 使用配置 WORK 进程 ssh 访问 *.corp.example、10.0.0.0/8 端口 443 协议 UDP → 配置 HOME',
    );
    expect(ruleLine(rule('r', { action: 'direct' }), words('en'))).toBe('Any app → Direct');
  });

  test('writes out a few of many entries', () => {
    const many = rule('r', { match: { to: ['1', '2', '3', '4', '5', '6'] } });
    expect(ruleLine(many, words('en'))).toBe('Any app to 1, 2, 3, 4 and 2 more → Block');
  });
});

describe('what is typed', () => {
  test.each([
    ['', []],
    [' a.test , b.test\nc.test,', ['a.test', 'b.test', 'c.test']],
    ['a.test，b.test、c.test', ['a.test', 'b.test', 'c.test']],
    ['/a{1,3}/, b.test', ['/a{1,3}/', 'b.test']],
    ['/usr/bin/curl, /bin/sh', ['/usr/bin/curl', '/bin/sh']],
    ['/a,b', ['/a', 'b']],
  ])('%j are the entries %j', (text, entries) => {
    expect(entriesOf(text)).toEqual(entries);
  });

  test('is a rule, and a rule is typed the same again', () => {
    const whole = {
      ...{ note: 'mine', action: 'profile' as const, profile: 'home' },
      match: { apps: ['a'], processes: ['p'], to: ['/x,y/', 'z'], ports: ['1-2'], profiles: ['work'] },
    };
    expect(draftOf(formOf(whole))).toEqual(whole);
    expect(draftOf(formOf({ match: { protocol: 'udp' }, action: 'block' }))).toEqual({
      match: { protocol: 'udp' },
      action: 'block',
    });
  });

  test('ends with the entry for which apps are offered', () => {
    expect(lastEntry('curl, fire')).toBe('fire');
    expect(withLastEntry('curl, fire', 'firefox')).toBe('curl, firefox, ');
    expect(lastEntry('curl, ')).toBe('');
  });
});

test('a rule is moved past those that are shown, whatever lies between', () => {
  const all = ['a', 'x', 'b', 'y', 'c'].map((id) => rule(id));
  const shown = ['a', 'b', 'c'].map((id) => rule(id));
  const after = (id: string, index: number) => {
    const to = placeFor(all, shown, id, index);
    if (to === undefined) return undefined;
    const others = all.filter((one) => one.id !== id).map((one) => one.id);
    return others.toSpliced(to, 0, id).join('');
  };
  expect(after('b', 0)).toBe('baxyc');
  expect(after('a', 1)).toBe('xbayc');
  expect(after('a', 9)).toBe('xbyca');
  expect(after('c', -5)).toBe('caxby');
  expect(after('b', 1)).toBeUndefined();
  expect(after('gone', 1)).toBeUndefined();
});

test('a rule comes to be where it is dropped', () => {
  const at = (height: number, from: number) => indexAt(height, 60, 5, from);
  expect([at(0, 3), at(29, 3), at(31, 3)]).toEqual([0, 0, 1]);
  expect([at(3 * 60, 3), at(4 * 60, 3), at(1000, 3), at(-50, 3)]).toEqual([3, 3, 4, 0]);
});

test('rules are found by every word of what is said of them', () => {
  const rules = [rule('one', { note: 'Office' }), rule('two')];
  const text = ({ id, note }: Rule) => `${id} ${note ?? ''}`;
  expect(findRules(rules, 'OFFICE one', text)).toEqual([rules[0]]);
  expect(findRules(rules, ' ', text)).toBe(rules);
});

describe('the command that adds a rule', () => {
  test('says all of it, with lists as one option where they can be', () => {
    expect(
      ruleCommand({
        match: { apps: ['firefox', 'curl'], to: ['*.corp.example', '10.0.0.0/8'], protocol: 'tcp' },
        action: 'profile',
        profile: 'work',
        note: "it's mine",
      }),
    ).toBe(
      `culvert rule add profile:work --app firefox,curl --to '*.corp.example,10.0.0.0/8' --protocol tcp --note 'it'\\''s mine'`,
    );
  });

  test('keeps expressions and paths apart, whose commas are their own', () => {
    const command = ruleCommand({ match: { to: ['/a{1,3}/', 'b.test'] }, action: 'block' });
    const values = parseArgs({
      args: command.replaceAll("'", '').split(' ').slice(4),
      options: { to: { type: 'string', multiple: true } },
    }).values.to;
    expect(values).toEqual(['/a{1,3}/', 'b.test']);
  });
});

test('open connections are what rules know of them; the same ones are one question', () => {
  const flow = (id: number, more: Partial<FlowView> = {}): FlowView => ({
    ...{ id, lane: '7-1', profile: { id: 'work', name: 'Work', colour: '#000000', letter: 'W' } },
    ...{ proto: 'tcp', sourcePort: id, address: '203.0.113.9', port: 443, via: '', state: 'open' },
    ...{ bytesUp: 0, bytesDown: 0, openedAt: 0, process: 'curl' },
    ...more,
  });
  const { subjects, flows, count } = subjectsOf(
    [flow(1), flow(2, { host: 'a.test', address: '198.18.0.1' }), flow(3, { serverName: 'b.test' }), flow(4)],
    [lane({ apps: ['firefox', '/usr/bin/firefox'] })],
  );
  const known = { apps: ['firefox', '/usr/bin/firefox'], profile: 'work', process: 'curl', port: 443 };
  expect(subjects).toEqual([
    { ...known, protocol: 'tcp', address: '203.0.113.9' },
    { ...known, protocol: 'tcp', address: '203.0.113.9', host: 'b.test' },
    { ...known, protocol: 'tcp', host: 'a.test' },
  ]);
  expect(flows.map((same) => same.map(({ id }) => id))).toEqual([[4, 1], [3], [2]]);
  expect(count).toBe(4);
  expect(whereTo(flow(1, { address: '2001:db8::1' }))).toBe('[2001:db8::1]:443');
});
