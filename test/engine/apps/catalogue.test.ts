import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { maxEntryLength } from '../../../electron/engine/apps/desktop-entry.ts';
import { Catalogue } from '../../../electron/engine/apps/catalogue.ts';
import { applicationFolders, dataDirs, fileNameOf } from '../../../electron/engine/apps/folders.ts';
import { Home } from './home.ts';

let home: Home;
beforeEach(() => {
  home = new Home({ XDG_CURRENT_DESKTOP: 'ubuntu:GNOME', LANG: 'de_AT.UTF-8' });
});
afterEach(() => {
  home[Symbol.dispose]();
});

const shownIds = async () => (await new Catalogue(home.env).shown()).map(({ id }) => id);

describe('the folders', () => {
  it('are the user’s, those of XDG_DATA_DIRS, and those of Flatpak and Snap where they are left out', () => {
    expect(dataDirs({ HOME: '/h', XDG_DATA_DIRS: '/b/:relative:/var/lib/flatpak/exports/share/' })).toEqual([
      '/h/.local/share',
      '/b',
      '/var/lib/flatpak/exports/share',
      '/h/.local/share/flatpak/exports/share',
      '/var/lib/snapd/desktop',
    ]);
    expect(applicationFolders({ HOME: '/h', XDG_DATA_HOME: 'relative' }).slice(0, 3)).toEqual([
      '/h/.local/share/applications',
      '/usr/local/share/applications',
      '/usr/share/applications',
    ]);
  });

  it('have names made of apps’ ids that stay where they are put', () => {
    expect(['firefox', 'a/../b', '..', '', 'ü x'].map(fileNameOf)).toEqual([
      'firefox',
      'a_.._b',
      '_..',
      '_',
      '__x',
    ]);
  });
});

describe('the installed apps', () => {
  it('are the entries of all folders with what the user’s language has', async () => {
    const source = home.entry(
      'system/applications/org.example.Maps',
      {
        Name: 'Maps',
        'Name[de]': 'Karten',
        GenericName: 'Map viewer',
        Comment: 'Find\\sa way',
        Icon: 'maps',
        Exec: 'maps %U',
        Path: '/opt',
        Terminal: 'false',
        Keywords: 'route;world;',
        'Keywords[de]': 'Weg;Welt\\;All;',
        Categories: 'Utility;Maps;',
        StartupWMClass: 'Maps',
        DBusActivatable: 'true',
        Actions: 'new;none;broken;',
      },
      '[Desktop Action new]\nName=New\nName[de]=Neu\nExec=maps --new\nIcon=plus\n[Desktop Action broken]\nName=x\n',
    );
    expect(await new Catalogue(home.env).shown()).toEqual([
      {
        id: 'org.example.Maps',
        name: 'Karten',
        genericName: 'Map viewer',
        comment: 'Find a way',
        icon: 'maps',
        exec: 'maps %U',
        path: '/opt',
        isTerminal: false,
        keywords: ['Weg', 'Welt;All'],
        categories: ['Utility', 'Maps'],
        startupWmClass: 'Maps',
        actions: [{ id: 'new', name: 'Neu', exec: 'maps --new', icon: 'plus' }],
        source,
        packaging: 'host',
        isOnBus: true,
        isShown: true,
        isLauncher: false,
      },
    ]);
  });

  it('are sorted by name in the user’s language', async () => {
    for (const [id, name] of [
      ['a', 'Zebra'],
      ['b', 'Österreich'],
      ['c', 'apfel'],
      ['d', 'Pinsel'],
    ] as const) {
      home.entry(`data/applications/${id}`, { Name: name });
    }
    expect(await shownIds()).toEqual(['c', 'b', 'd', 'a']);
  });

  it('have the path below their folder as id, and the first folder that has it counts', async () => {
    home.entry('system/applications/kde/okular', { Name: 'system' });
    home.entry('local/applications/kde-okular', { Name: 'local' });
    home.entry('data/applications/other', { Name: 'other' });
    const apps = await new Catalogue(home.env).shown();
    expect(apps.map(({ id, name }) => [id, name])).toEqual([
      ['kde-okular', 'local'],
      ['other', 'other'],
    ]);
  });

  it('are gone where the user has hidden them, and hidden where menus do not show them', async () => {
    home.entry('system/applications/gone', {});
    home.entry('data/applications/gone', { Hidden: 'true' });
    home.entry('system/applications/quiet', { NoDisplay: 'true' });
    home.entry('system/applications/seen', {});
    expect(await shownIds()).toEqual(['seen']);
    expect((await new Catalogue(home.env).all()).map(({ id }) => id).sort()).toEqual(['quiet', 'seen']);
  });

  it('are those for this desktop', async () => {
    home.entry('system/applications/gnome', { OnlyShowIn: 'GNOME;Unity;' });
    home.entry('system/applications/kde', { OnlyShowIn: 'KDE;' });
    home.entry('system/applications/not-gnome', { NotShowIn: 'GNOME;' });
    home.entry('system/applications/not-kde', { NotShowIn: 'KDE;' });
    home.entry('system/applications/first-decides', { OnlyShowIn: 'ubuntu;', NotShowIn: 'GNOME;' });
    home.entry('system/applications/nowhere', { OnlyShowIn: '' });
    expect(await shownIds()).toEqual(['first-decides', 'gnome', 'not-kde'].map((id) => id));
  });

  it('have the program that TryExec names', async () => {
    home.write('bin/readable', '');
    mkdirSync(home.path('bin/folder'), { mode: 0o755 });
    home.entry('system/applications/in-path', { TryExec: 'true' });
    home.entry('system/applications/absolute', { TryExec: home.path('bin/true') });
    home.entry('system/applications/missing', { TryExec: 'no-such-program' });
    home.entry('system/applications/not-executable', { TryExec: 'readable' });
    home.entry('system/applications/folder', { TryExec: 'folder' });
    expect((await shownIds()).sort()).toEqual(['absolute', 'in-path']);
  });

  it('are apps: no links, no folders, nothing without a name or command', async () => {
    home.entry('system/applications/link', { Type: 'Link', URL: 'https://example.test/' });
    home.entry('system/applications/nameless', { Name: '' });
    home.entry('system/applications/no-command', { Exec: '' });
    home.write('system/applications/empty.desktop', '');
    home.write('system/applications/other.txt', '[Desktop Entry]\nType=Application\nName=x\nExec=true\n');
    home.write('system/applications/.desktop', '[Desktop Entry]\nType=Application\nName=x\nExec=true\n');
    home.entry('system/applications/bus-only', { Exec: '', DBusActivatable: 'true' });
    expect(await shownIds()).toEqual(['bus-only']);
  });

  it('are told apart from Culvert’s own launchers, and by who packed them', async () => {
    home.entry('data/applications/launcher', { 'X-Culvert-Version': '1' });
    home.entry('system/applications/packed', { 'X-Flatpak': 'packed' });
    home.entry('system/applications/snapped', { 'X-SnapInstanceName': 'snapped' });
    const apps = await new Catalogue(home.env).shown();
    expect(apps.map(({ id, packaging }) => [id, packaging])).toEqual([
      ['packed', 'flatpak'],
      ['snapped', 'snap'],
    ]);
    expect((await new Catalogue(home.env).all()).find(({ id }) => id === 'launcher')?.isLauncher).toBe(true);
  });

  it('are found although one file is a pipe, one a loop, one too large and one no text', async () => {
    mkdirSync(home.path('system/applications'));
    execFileSync('mkfifo', [home.path('system/applications/pipe.desktop')]);
    symlinkSync('loop.desktop', home.path('system/applications/loop.desktop'));
    symlinkSync('..', home.path('system/applications/up'));
    home.write('system/applications/large.desktop', '#'.repeat(maxEntryLength + 1));
    home.write('system/applications/noise.desktop', Buffer.from([0xff, 0, 0xfe, 0x5b, 0x0a]));
    home.entry('system/applications/good', {});
    const catalogue = new Catalogue(home.env);
    expect((await catalogue.shown()).map(({ id }) => id)).toEqual(['good']);
    expect(catalogue.skipped.map(({ source }) => source.split('/').at(-1)).sort()).toEqual([
      'large.desktop',
      'loop.desktop',
      'pipe.desktop',
    ]);
  });

  it('change as soon as their files do, and only what has changed is read again', async () => {
    const file = home.entry('data/applications/a', { Name: 'First' });
    home.entry('data/applications/b', { Name: 'Second' });
    const catalogue = new Catalogue(home.env);
    const [a, b] = await catalogue.shown();
    expect([a?.name, b?.name]).toEqual(['First', 'Second']);
    // The same length and the same time of change: the inode's own time tells.
    writeFileSync(file, '[Desktop Entry]\nType=Application\nName=Third\nExec=true\n');
    utimesSync(file, 1, 1);
    const again = await catalogue.shown();
    expect(again.map(({ name }) => name)).toEqual(['Second', 'Third']);
    expect(again[0]).toBe(b);
    home.entry('data/applications/c', { Name: 'New' });
    expect((await catalogue.shown()).map(({ name }) => name)).toEqual(['New', 'Second', 'Third']);
  });

  it('are looked for once where two ask at once', async () => {
    home.entry('data/applications/a', {});
    const catalogue = new Catalogue(home.env);
    const [one, two] = await Promise.all([catalogue.all(), catalogue.all()]);
    expect(one).toBe(two);
  });
});
