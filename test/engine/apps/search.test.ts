import { describe, expect, it } from 'vitest';
import type { App } from '../../../electron/engine/apps/app.ts';
import { programWords, realProgram } from '../../../electron/engine/apps/program.ts';
import { search } from '../../../electron/engine/apps/search.ts';

const app = (id: string, more: Partial<App> = {}): App => ({
  id,
  name: id,
  keywords: [],
  categories: [],
  exec: 'x',
  isTerminal: false,
  actions: [],
  source: `/${id}.desktop`,
  packaging: 'host',
  isOnBus: false,
  isShown: true,
  isLauncher: false,
  ...more,
});

const apps = [
  app('org.gnome.Terminal', { name: 'Terminal', keywords: ['shell', 'prompt'] }),
  app('firefox', { name: 'Firefox', genericName: 'Web Browser', exec: '/usr/lib/firefox/firefox %u' }),
  app('chromium', { name: 'Chromium', genericName: 'Web Browser', exec: 'env A=b /usr/bin/chromium %U' }),
  app('gimp', { name: 'GNU Image Manipulation Program', keywords: ['photo'], exec: 'gimp-2.10 %U' }),
  app('edit', { name: 'Éditeur de texte' }),
  app('fire', { name: 'Fire' }),
  app('campfire', { name: 'Campfire' }),
];
const found = (text: string) => search(apps, text).map(({ id }) => id);

describe('a search of apps', () => {
  it('answers all of them, as they are, for nothing', () => {
    expect(found(' ')).toEqual(apps.map(({ id }) => id));
  });

  it('finds by name, generic name, keyword, command and id', () => {
    expect(found('chromium')).toEqual(['chromium']);
    expect(found('browser')).toEqual(['firefox', 'chromium']);
    expect(found('photo')).toEqual(['gimp']);
    expect(found('gimp-2')).toEqual(['gimp']);
    expect(found('org.gnome')).toEqual(['org.gnome.Terminal']);
  });

  it('puts the whole name first, then its beginning, then its middle', () => {
    expect(found('fire')).toEqual(['fire', 'firefox', 'campfire']);
  });

  it('wants all words, in any order', () => {
    expect(found('browser web fire')).toEqual(['firefox']);
    expect(found('web nothing')).toEqual([]);
  });

  it('passes over case and accents', () => {
    expect(found('EDITEUR')).toEqual(['edit']);
    expect(found('éditeur')).toEqual(['edit']);
  });

  it('forgives letters that are left out, where the rest stands close together', () => {
    expect(found('frfx')).toEqual(['firefox']);
    expect(found('trmnl')).toEqual(['org.gnome.Terminal']);
    expect(found('gm')).not.toContain('chromium');
  });
});

describe('the program behind a command', () => {
  it.each([
    ['/usr/bin/firefox %u', 'firefox'],
    ['env -i A=b C=d /usr/bin/x %U', 'x'],
    ['/usr/bin/flatpak run --branch=stable --command=y org.example.App @@u %U @@', 'org.example.App'],
    ['flatpak list', 'flatpak'],
    ['env', 'env'],
  ])('%s is %s', (exec, name) => {
    expect(programWords(exec).at(-1)).toBe(name);
  });

  it('is nothing where the command cannot be read', () => {
    expect(programWords('"')).toEqual([]);
  });

  it('has its options right behind it', () => {
    expect(realProgram(['env', 'A=b', 'x', '-y'])).toEqual({ name: 'x', optionsAt: 3, word: 'x' });
    expect(realProgram(['/a/b', '-y'])).toEqual({ name: 'b', optionsAt: 1, word: '/a/b' });
  });
});
