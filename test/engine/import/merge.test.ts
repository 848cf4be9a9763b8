import { describe, expect, test } from 'vitest';
import { parse } from 'valibot';
import { exportJson, importText, mergeImport } from '../../../electron/engine/import/index.ts';
import { checkConfig } from '../../../electron/engine/config/parse.ts';
import { config as configSchema, type Config } from '../../../electron/shared/profile.ts';
import { entriesOf } from './texts.ts';

const server = (host: string) => ({ id: 's1', kind: 'socks5', host, port: 1080, user: 'me' });
const config: Config = parse(configSchema, {
  version: 1,
  profiles: [
    { id: 'work', name: 'Work', chain: { servers: [server('192.0.2.1')] } },
    {
      id: 'home',
      name: 'Home',
      chain: { servers: [server('192.0.2.2')] },
      failure: { policy: 'failover', profile: 'work' },
    },
  ],
  rules: [
    { id: 'r1', match: { profiles: ['home'], to: ['a.test'] }, action: 'profile', profile: 'work' },
    { id: 'r2', match: { to: ['b.test'] }, action: 'block' },
  ],
});
const empty: Config = parse(configSchema, { version: 1 });
const secrets = [{ profile: 'home', server: 's1', password: 'canary' }];
const text = exportJson(config, secrets);

test('into an empty configuration an export comes as it was', () => {
  const merged = mergeImport(empty, importText(text));
  expect({ ...merged.config, profiles: merged.profiles, rules: merged.rules }).toEqual(merged.config);
  expect(merged.config).toEqual(config);
  expect(merged.secrets).toEqual(secrets);
});

test('where ids are taken the new ones get others, and find one another by them', () => {
  const merged = mergeImport(config, importText(text));
  expect(merged.profiles.map(({ id }) => id)).toEqual(['work-2', 'home-2']);
  expect(merged.profiles[1]?.failure).toEqual({ policy: 'failover', profile: 'work-2' });
  expect(merged.rules).toMatchObject([
    { id: 'r1-2', match: { profiles: ['home-2'] }, profile: 'work-2' },
    { id: 'r2-2', match: { to: ['b.test'] } },
  ]);
  expect(merged.secrets).toEqual([{ ...secrets[0], profile: 'home-2' }]);
  expect(entriesOf({ lines: [...merged.lines] })).toContain(
    'note: profile Work: its id is work-2: work was taken',
  );
  // What was there is as it was, and the whole of it holds.
  expect(merged.config.profiles.slice(0, 2)).toEqual(config.profiles);
  expect(merged.config.rules.slice(0, 2)).toEqual(config.rules);
  expect(checkConfig(merged.config)).toEqual(merged.config);
});

describe('a profile that is nowhere', () => {
  const part = exportJson({ profiles: config.profiles.slice(1), rules: config.rules });

  test('takes its rules and its failover with it, and both are told', () => {
    const merged = mergeImport(empty, importText(part));
    expect(merged.rules.map(({ id }) => id)).toEqual(['r2']);
    expect(merged.profiles[0]?.failure).toEqual({ policy: 'block' });
    const told = entriesOf({ lines: [...merged.lines] }).join('\n');
    expect(told).toMatch(/skipped: rule r1: there is no profile “work”/);
    expect(told).toMatch(/note: profile Home: .*“work”, which is not there: it blocks instead/);
    expect(checkConfig(merged.config)).toEqual(merged.config);
  });

  test('may be one that the configuration has', () => {
    const before: Config = { ...empty, profiles: config.profiles.slice(0, 1) };
    const merged = mergeImport(before, importText(part));
    expect(merged.rules).toEqual(config.rules);
    expect(merged.profiles[0]?.failure).toEqual({ policy: 'failover', profile: 'work' });
  });
});

describe('a list of addresses', () => {
  const list = (kind: 'direct-list' | 'proxy-list', profile: string) =>
    importText('192.0.2.0/24\n', { kind, profile });

  test('changes its profile only where it has to', () => {
    const direct = mergeImport(config, list('direct-list', 'work'));
    expect(direct.config.profiles).toEqual(config.profiles);
    expect(direct.rules).toMatchObject([{ match: { profiles: ['work'] }, action: 'direct' }]);
    const proxied = mergeImport(config, list('proxy-list', 'home'));
    expect(proxied.config.profiles[1]).toEqual({
      ...config.profiles[1],
      action: 'direct',
      dns: { mode: 'host' },
    });
    expect(checkConfig(proxied.config)).toEqual(proxied.config);
  });

  test('is for a profile of the user’s own', () => {
    expect(() => mergeImport(config, list('proxy-list', 'none'))).toThrow(/built in/);
    expect(() => mergeImport(config, list('proxy-list', 'gone'))).toThrow(/no such profile/);
  });
});
