import { describe, expect, it } from 'vitest';
import { renameProfile, usesOfProfile } from '../../../electron/engine/config/edit.ts';
import { configWith, profileWith } from './sandbox.ts';

const config = configWith({
  defaultProfile: 'work',
  profiles: [
    profileWith('work'),
    { ...profileWith('spare'), failure: { policy: 'failover', profile: 'work' } },
  ],
  apps: { firefox: 'work', curl: 'spare' },
  rules: [
    { id: 'lead', match: { to: ['example.com'] }, action: 'profile', profile: 'work' },
    { id: 'both', match: { profiles: ['work', 'spare'] }, action: 'block' },
  ],
});

describe('another id for a profile', () => {
  it('is taken over wherever the old one was named', () => {
    const renamed = renameProfile(config, 'work', 'office');
    expect(usesOfProfile(renamed, 'office')).toEqual(usesOfProfile(config, 'work'));
    expect(usesOfProfile(renamed, 'work')).toEqual({ apps: [], rules: [], failovers: [], isDefault: false });
    expect(renamed.apps).toEqual({ firefox: 'office', curl: 'spare' });
    expect(renamed.rules[1]?.match.profiles).toEqual(['office', 'spare']);
  });

  it('can be taken back, and then nothing has changed', () => {
    expect(renameProfile(renameProfile(config, 'work', 'office'), 'office', 'work')).toEqual(config);
    expect(renameProfile(config, 'work', 'work')).toEqual(config);
  });

  it('is a free one of the right form, for a profile of one’s own', () => {
    expect(() => renameProfile(config, 'work', 'spare')).toThrow(/taken/);
    expect(() => renameProfile(config, 'work', 'none')).toThrow(/taken/);
    expect(() => renameProfile(config, 'work', 'Not A Slug')).toThrow(/configuration was not understood/);
    expect(() => renameProfile(config, 'direct', 'office')).toThrow(/built in/);
    expect(() => renameProfile(config, 'gone', 'office')).toThrow(/no such profile/);
  });
});
