import { expect, test } from 'vitest';
import { parse } from 'valibot';
import { config as schema, type Rule } from '#shared/profile.ts';
import type { RuleSubject } from '#shared/rule-protocol.ts';
import { RulePreviews } from '../../electron/engine/rule-preview.ts';

const config = parse(schema, {
  version: 1,
  profiles: [
    { id: 'work', name: 'Work' },
    { id: 'quiet', name: 'Quiet', udp: 'block' },
  ],
  rules: [
    { id: 'first', match: { to: ['a.test'] }, action: 'block' },
    { id: 'second', match: { ports: ['80'] }, action: 'block' },
  ],
});
const previews = new RulePreviews();
const previewRule = previews.preview.bind(previews);
const to = (host: string, more: Partial<RuleSubject> = {}): RuleSubject => ({
  ...{ apps: ['curl'], profile: 'work', host, port: 443, protocol: 'tcp' },
  ...more,
});
const rule = (match: Rule['match'], more: Partial<Rule> = {}): Rule => ({
  ...{ id: 'new', match, action: 'proxy' },
  ...more,
});

test('a new rule matches what it names, and decides what no rule before it takes', () => {
  const subjects = [to('a.test'), to('b.test'), to('c.test', { port: 80 }), to('b.test', { apps: ['wget'] })];
  const wanted = rule({ apps: ['curl'] });
  expect(previewRule(config, wanted, subjects)).toEqual({ matches: [0, 1, 2], decides: [1], warnings: [] });
  expect(previewRule(config, wanted, subjects, 0).decides).toEqual([0, 1, 2]);
  expect(previewRule(config, wanted, subjects, 1).decides).toEqual([1, 2]);
});

test('one that is there is tried in its place, as if it were on', () => {
  const edited = rule({ to: ['*.test'] }, { id: 'first', isOff: true });
  const subjects = [to('a.test'), to('b.test', { port: 80 })];
  expect(previewRule(config, edited, subjects, 7)).toMatchObject({ matches: [0, 1], decides: [0, 1] });
});

test('a rule on processes matches only those that are known, one on profiles only their apps', () => {
  const subjects = [to('b.test', { process: 'ssh' }), to('b.test')];
  expect(previewRule(config, rule({ processes: ['ssh'] }), subjects).matches).toEqual([0]);
  const { profile: _, ...given } = to('b.test');
  expect(previewRule(config, rule({ profiles: ['work'] }), [given, to('b.test')]).matches).toEqual([1]);
});

test('what the profile refuses before it asks is matched, and decided by no rule', () => {
  const subjects = [to('b.test', { profile: 'quiet', protocol: 'udp' })];
  expect(previewRule(config, rule({}), subjects)).toMatchObject({ matches: [0], decides: [] });
});

test('addresses are matched by number, and a TLS connection to one by its server name as well', () => {
  const bare = { host: undefined, address: '203.0.113.9' };
  const { host: _, ...numbered } = to('', bare);
  const subjects = [numbered, { ...numbered, host: 'named.test' }];
  expect(previewRule(config, rule({ to: ['203.0.113.0/24'] }), subjects).matches).toEqual([0, 1]);
  expect(previewRule(config, rule({ to: ['named.test'] }), subjects).matches).toEqual([1]);
});

test('its warnings are those that it would have in the list', () => {
  const { warnings } = previewRule(config, rule({ to: ['a.test'] }, { action: 'direct' }), []);
  expect(warnings).toEqual([{ kind: 'shadowed', by: ['first'] }, { kind: 'direct' }]);
});

test('a configuration that has changed is asked anew', () => {
  const subjects = [to('a.test')];
  const wanted = rule({ to: ['a.test'] });
  expect(previewRule(config, wanted, subjects)).toMatchObject({ decides: [], warnings: [{ by: ['first'] }] });
  const changed = { ...config, rules: config.rules.slice(1) };
  expect(previewRule(changed, wanted, subjects)).toMatchObject({ decides: [0], warnings: [] });
});
