import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as edit from '../../../electron/engine/config/edit.ts';
import { checkConfig } from '../../../electron/engine/config/parse.ts';
import { CulvertError } from '../../../electron/shared/failure.ts';
import { findProfile, slug, type Config } from '../../../electron/shared/profile.ts';
import { safeParse } from 'valibot';
import { configWith, profileWith } from './sandbox.ts';

/** The code of what an edit throws. */
function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof CulvertError) return error.failure.code;
    throw error;
  }
  return 'nothing';
}

const used = configWith({
  defaultProfile: 'work',
  profiles: [
    profileWith('work'),
    profileWith('home'),
    { ...profileWith('spare'), failure: { policy: 'failover', profile: 'work' } },
  ],
  apps: { firefox: 'work', curl: 'home' },
  rules: [
    { id: 'lead', match: { to: ['example.com'] }, action: 'profile', profile: 'work' },
    { id: 'only', match: { profiles: ['work'] }, action: 'direct' },
    { id: 'both', match: { profiles: ['work', 'home'] }, action: 'block' },
    { id: 'else', match: {}, action: 'proxy' },
  ],
});

describe('adding a profile', () => {
  it('makes an id of the name and fills in what was left out', () => {
    const { config, profile } = edit.addProfile(configWith({}), { name: 'Büro  Köln №2!' });
    expect(profile).toMatchObject({ id: 'buro-koln-no2', udp: 'allow', failure: { policy: 'block' } });
    expect(config.profiles).toEqual([profile]);
  });

  it('counts on where an id is taken, also by a built-in profile', () => {
    const first = edit.addProfile(configWith({}), { name: 'None' });
    const second = edit.addProfile(first.config, { name: 'None' });
    expect([first.profile.id, second.profile.id]).toEqual(['none-2', 'none-3']);
    expect(edit.freeProfileId(configWith({}), '日本')).toBe('profile');
  });

  it('gives every name an id that holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 90 }), fc.nat(3), (name, times) => {
        let config = configWith({});
        for (let at = 0; at <= times; at += 1) {
          const id = edit.freeProfileId(config, name);
          expect(safeParse(slug, id).success).toBe(true);
          config = edit.addProfile(config, { id, name: 'x' }).config;
        }
      }),
      { numRuns: 300 },
    );
  });

  it('refuses an id that is taken and fields that do not hold', () => {
    expect(codeOf(() => edit.addProfile(used, { id: 'work', name: 'W' }))).toBe('config-invalid');
    expect(codeOf(() => edit.addProfile(used, { name: '' }))).toBe('config-invalid');
  });
});

describe('removing a profile', () => {
  it('is refused while something uses it, and tells what', () => {
    expect(() => edit.removeProfile(used, 'work')).toThrow(
      'work: default profile; apps firefox; rules lead, only, both; failover of spare',
    );
    expect(codeOf(() => edit.removeProfile(used, 'work'))).toBe('profile-in-use');
  });

  it('by force leaves nothing that leads to it, and blocks what did', () => {
    const left = checkConfig(edit.removeProfile(used, 'work', { force: true }));
    expect(edit.usesOfProfile(left, 'work')).toEqual({
      apps: [],
      rules: [],
      failovers: [],
      isDefault: false,
    });
    expect(left.apps).toEqual({ curl: 'home' });
    expect(left.rules).toEqual([
      { id: 'lead', match: { to: ['example.com'] }, action: 'block' },
      { id: 'both', match: { profiles: ['home'] }, action: 'block' },
      { id: 'else', match: {}, action: 'proxy' },
    ]);
    expect(findProfile(left, 'spare')?.failure).toEqual({ policy: 'block' });
    expect(left.defaultProfile).toBeUndefined();
  });

  it('that nothing uses needs no force', () => {
    expect(edit.removeProfile(used, 'spare').profiles.map(({ id }) => id)).toEqual(['work', 'home']);
  });

  it('is impossible for one that is not there or built in', () => {
    expect(codeOf(() => edit.removeProfile(used, 'nobody'))).toBe('profile-unknown');
    expect(codeOf(() => edit.removeProfile(used, 'direct', { force: true }))).toBe('option-invalid');
  });
});

describe('the other edits', () => {
  const edits: [string, (config: Config) => Config][] = [
    ['replaceProfile', (config) => edit.replaceProfile(config, { ...profileWith('home'), name: 'House' })],
    ['setDefault', (config) => edit.setDefault(config, 'direct')],
    ['no default', (config) => edit.setDefault(config, undefined)],
    ['bindApp', (config) => edit.bindApp(config, 'wget', 'none')],
    ['unbindApp', (config) => edit.unbindApp(config, 'firefox')],
    ['duplicateProfile', (config) => edit.duplicateProfile(config, 'spare').config],
  ];

  it.each(edits)('%s makes a configuration that holds and leaves the given one alone', (_, change) => {
    const before = structuredClone(used);
    expect(checkConfig(change(used))).not.toEqual(before);
    expect(used).toEqual(before);
  });

  it('refuse a profile that is not there', () => {
    expect(codeOf(() => edit.bindApp(used, 'x', 'nobody'))).toBe('profile-unknown');
    expect(codeOf(() => edit.setDefault(used, 'nobody'))).toBe('profile-unknown');
    expect(codeOf(() => edit.replaceProfile(used, profileWith('nobody')))).toBe('profile-unknown');
    expect(codeOf(() => edit.duplicateProfile(used, 'nobody'))).toBe('profile-unknown');
  });

  it('copy even a built-in profile, under a name that is free', () => {
    const { profile } = edit.duplicateProfile(used, 'direct');
    expect(profile).toMatchObject({
      id: 'direct-isolated-copy',
      name: 'Direct (isolated) (copy)',
      action: 'direct',
    });
  });

  it('do not reach what all objects inherit from, whatever an app is called', () => {
    expect(edit.usesOfProfile(used, 'constructor').apps).toEqual([]);
    expect(codeOf(() => checkConfig(edit.bindApp(used, '__proto__', 'home')))).toBe('config-invalid');
    expect(({} as Record<string, unknown>)['home']).toBeUndefined();
  });
});
